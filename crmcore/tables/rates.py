"""A file of currency rates: date, currency, rate."""

from datetime import date
from decimal import Decimal
from pathlib import Path

from crmcore.imports.errors import UnreadableFile, UnreadableValue
from crmcore.imports.moments import read_day
from crmcore.imports.numbers import read_number
from crmcore.imports.rates import Rates
from crmcore.tables.columns import as_text
from crmcore.tables.opening import Shape, opened
from crmcore.tables.table import Batch

_WANTED = ("date", "currency", "rate")


def read_rates(path: Path, own: str, workplace: Path) -> Rates:
    """Rates in the currency ``own``; raises UnreadableFile with the first line that is none."""
    rows: list[tuple[date, str, Decimal]] = []
    with opened(path, Shape(), workplace) as table:
        names = [name.casefold() for name in table.names]
        if any(name not in names for name in _WANTED):
            raise UnreadableFile(
                f"{path.name} needs the columns {', '.join(_WANTED)}; it has {', '.join(names)}"
            )
        places = [names.index(name) for name in _WANTED]
        for batch in table.batches():
            if not isinstance(batch, Batch):
                raise UnreadableFile(f"{path.name}, line {batch.line}: the row has {batch.found} columns")
            columns = [as_text(batch.columns[place]).to_pylist() for place in places]
            for line, day, currency, rate in zip(batch.lines.tolist(), *columns, strict=True):
                try:
                    number = read_number(rate or "", ".")
                    if number <= 0:
                        raise UnreadableValue("is not above zero")
                    rows.append((read_day((day or "")[:10]), (currency or "").upper(), number))
                except UnreadableValue as error:
                    raise UnreadableFile(f"{path.name}, line {line}: date or rate {error}") from error
    return Rates(own, rows)
