"""What separates the columns of a text, and whether its first line names them."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from crmcore.imports.errors import UnreadableFile, UnreadableValue
from crmcore.imports.moments import read_day
from crmcore.imports.numbers import read_number

BLANKS = " "  # Runs of blanks; such a file is read with the blanks made tabs.
_CANDIDATES = ("\t", ";", "|", ",")  # A comma may be a decimal mark, so the others win a tie.
_NAMES = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", BLANKS: "blanks"}
_WORDS = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "pipe": "|", "blank": BLANKS,
          "space": BLANKS, "blanks": BLANKS}  # fmt: skip
_LOOKED_AT = 200
MOST_COLUMNS = 1000  # Of any file of records.


def read_delimiter(given: str) -> str:
    """A delimiter as an operator writes it; raises UnreadableFile."""
    found = _WORDS.get(given.lower(), given)
    if len(found) != 1 or found in '"\r\n' or found.isalnum():
        raise UnreadableFile(
            f"--delimiter {given!r} is not understood; write one sign, or tab, blank, comma, semicolon, pipe"
        )
    return found


def name_of(delimiter: str) -> str:
    return _NAMES.get(delimiter, repr(delimiter))


def find_delimiter(sample: str) -> str:
    """The delimiter that cuts the most lines of the sample into one and the same number of columns.

    >>> find_delimiter("id;amount\\n1;2,50\\n2;3,75\\n"), find_delimiter(" 00001 19970101  1   11.77\\n")
    (';', ' ')
    """
    best, best_score = ",", 0.0
    for delimiter in (*_CANDIDATES, BLANKS):
        counts = Counter(len(row) for row in rows_of(sample, delimiter))
        if not counts:
            break
        columns, lines = max(counts.items(), key=lambda item: (item[1], item[0]))
        score = lines / sum(counts.values()) if columns > 1 else 0.0
        if score > best_score + (0.2 if delimiter == BLANKS else 0.0):  # Names and times hold blanks too.
            best, best_score = delimiter, score
    return best


def rows_of(sample: str, delimiter: str) -> list[list[str]]:
    """The first rows of the sample, without blank ones."""
    if delimiter == BLANKS:
        rows = [line.split() for line in islice(sample.splitlines(), _LOOKED_AT)]
    else:
        rows = list(islice(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), _LOOKED_AT))
    return [row for row in rows if row]


def check_header(first: Sequence[str], second: Sequence[str], *, header: bool) -> None:
    """Raises UnreadableFile when line 1 is data though it should name the columns, or the other way round.

    Only numbers and days tell them apart, so a file without any is taken as it was said to be.
    """
    data = [i for i, cell in enumerate(second) if _is_value(cell)]
    if not data:
        return
    looks_like_data = [i for i in data if i < len(first) and _is_value(first[i])]
    if header and len(looks_like_data) == len(data):
        raise UnreadableFile(
            "line 1 holds values and no names of columns. Say --no-header, and number the columns from 1: "
            f"--map customer_id=1 (there are {len(first)})"
        )
    if not header and not looks_like_data:
        raise UnreadableFile(
            "line 1 seems to name the columns. Leave --no-header out, and map columns by name"
        )


def _is_value(cell: str) -> bool:
    text = cell.strip()
    for read in (read_number, read_day):
        try:
            read(text.split(" ")[0].split("T")[0] if read is read_day else text)
        except UnreadableValue as error:
            if "may mean two" in str(error):
                return True
        else:
            return True
    return False
