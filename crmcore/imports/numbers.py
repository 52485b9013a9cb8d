"""Numbers as people and programs write them, exact to six decimals.

``1.234`` may be twelve hundred or one and a quarter. Whatever tells the two apart elsewhere in the file
settles it for the whole file; where nothing does, the value is refused and never guessed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Literal

from crmcore.imports.errors import UnreadableValue

DecimalMark = Literal[".", ","]

PLACES = 6  # Decimals that are kept. Finer ones are the rest of binary fractions, or refused.
LIMIT = Decimal(10) ** 12  # Nothing that is counted or paid for in one row reaches this.
_REST = Decimal("1e-9")  # What binary floating point leaves of 0.30: 0.30000000000000004.
_BLANKS = str.maketrans(dict.fromkeys(" \u00a0\u202f\u2009", None))
_SIGNS = {"€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "$": "USD"}
_DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "MXN"})
_MARKED = re.compile(
    r"^(?P<before>[A-Za-z]{3}(?![A-Za-z])|[€£¥₹₩$])?(?P<number>.*?)(?P<after>[A-Za-z]{3}|[€£¥₹₩$])?$"
)
_BARE = re.compile(r"[+-]?(?=.*\d)[\d.,']+")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:\.\d*)?[eE][+-]?\d{1,3}")
_GROUPS = r"\d{1,3}(?:%s\d{2,3})*%s\d{3}"


@dataclass(frozen=True)
class NumberEvidence:
    """What a file's numbers say about its decimal mark and currency."""

    marks: frozenset[DecimalMark] = frozenset()
    currencies: frozenset[str] = frozenset()  # Codes and signs that stood beside numbers.

    def __or__(self, other: "NumberEvidence") -> "NumberEvidence":
        return NumberEvidence(self.marks | other.marks, self.currencies | other.currencies)

    @property
    def decimal(self) -> DecimalMark | None:
        """The mark of the whole file; None when nothing shows it or the file shows both."""
        return next(iter(self.marks)) if len(self.marks) == 1 else None


def number_evidence(texts: Iterable[str]) -> NumberEvidence:
    """
    >>> number_evidence(["1.234,50", "7"]).decimal, number_evidence(["1.234", "7"]).decimal
    (',', None)
    """
    marks: set[DecimalMark] = set()
    currencies: set[str] = set()
    for text in texts:
        number, currency = _bare(text)
        if not _BARE.fullmatch(number):
            continue
        if currency:
            currencies.add(currency)
        mark = _mark_of(number)
        if mark is not None:
            marks.add(mark)
    return NumberEvidence(frozenset(marks), frozenset(currencies))


def fits_currency(marked: str, currency: str) -> bool:
    """Whether a sign or code beside an amount may stand for the currency; ``$`` is any dollar."""
    return marked == currency or (
        currency in _DOLLARS
        if marked == "$"
        else _SIGNS.get(marked) == currency or (marked, currency) == ("¥", "CNY")
    )


def read_number(text: str, decimal: DecimalMark | None = None) -> Decimal:
    """The number in a text, with at most six decimals.

    ``decimal`` is the file's decimal mark; without one, a text that may mean two numbers is refused.

    >>> read_number("(1,234.50)"), read_number("1 234,50 €"), read_number("4.440892e-16")
    (Decimal('-1234.50'), Decimal('1234.50'), Decimal('0.000000'))

    Raises
    ------
    UnreadableValue : it is no number, it may mean two, or it is too large or too fine.
    """
    number, _ = _bare(text)
    if _SCIENTIFIC.fullmatch(number):
        return _checked(Decimal(number))
    if not _BARE.fullmatch(number):
        raise UnreadableValue("is no number")
    mark = decimal or _mark_of(number)
    if mark is None and not number.lstrip("+-").isdigit():
        raise UnreadableValue("may mean two numbers; say --decimal . or --decimal ,")
    return _checked(_with_mark(number, mark or "."))


def _bare(text: str) -> tuple[str, str | None]:
    """The number without currency, blanks and accountants' signs, and the currency that stood there."""
    stripped = text.translate(_BLANKS).replace("\u2212", "-").replace("\u2019", "'")
    negative = stripped.startswith("(") and stripped.endswith(")")
    if negative:
        stripped = stripped[1:-1]
    sign = ""
    if stripped[:1] in ("-", "+"):  # -€5 as well as €-5.
        sign, stripped = stripped[0], stripped[1:]
    found = _MARKED.match(stripped)
    if found is None:
        return text, None
    number, currency = found["number"], found["before"] or found["after"]
    if number.endswith("-"):
        number, negative = number[:-1], True
    if negative and not number.startswith("-") and sign != "-":
        sign = "-"
    return sign + number, currency.upper() if currency else None


def _mark_of(number: str) -> DecimalMark | None:
    """The decimal mark that the digits prove by themselves."""
    digits = number.lstrip("+-")
    dots, commas = digits.count("."), digits.count(",")
    if dots and commas:
        return "." if digits.rfind(".") > digits.rfind(",") else ","
    if dots + commas == 0:
        return None
    mark: DecimalMark = "." if dots else ","
    other: DecimalMark = "," if dots else "."
    if dots + commas > 1:
        return other  # It groups, so the other one must be the decimal mark.
    if "'" in digits:
        return mark
    before, after = digits.split(mark)
    may_group = len(after) == 3 and 1 <= len(before) <= 3 and before != "0"
    return None if may_group else mark


def _with_mark(number: str, mark: DecimalMark) -> Decimal:
    whole, _, rest = number.lstrip("+-").partition(mark)
    group = "," if mark == "." else "."
    for separator in (group, "'"):
        if separator in whole:
            quoted = re.escape(separator)
            if not re.fullmatch(_GROUPS % (quoted, quoted), whole):
                raise UnreadableValue(f"is no number where {mark!r} is the decimal mark")
            whole = whole.replace(separator, "")
    if not (whole + rest).isdigit() or not (whole or rest):
        raise UnreadableValue(f"is no number where {mark!r} is the decimal mark")
    return Decimal(("-" if number.startswith("-") else "") + (whole or "0") + ("." + rest if rest else ""))


def _checked(value: Decimal) -> Decimal:
    if abs(value) >= LIMIT:
        raise UnreadableValue(f"is larger than any amount or count ({LIMIT:,} and more)")
    if int(value.as_tuple().exponent) >= -PLACES:
        return value
    with localcontext() as context:
        context.prec = 60
        rounded = value.quantize(Decimal(1).scaleb(-PLACES))
        if abs(value - rounded) > _REST:
            raise UnreadableValue(f"has more than {PLACES} decimals")
    return rounded
