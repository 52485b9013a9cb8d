"""What an operator says about a file beside its columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo

from crmcore.imports.errors import WrongMapping
from crmcore.imports.moments import DayOrder
from crmcore.imports.numbers import DecimalMark
from crmcore.imports.rates import Rates
from crmcore.imports.statuses import ImportedStatus


@dataclass(frozen=True)
class Reading:
    """How values are read. ``excluded`` are patterns by field or column; rows that fit one are passed over.

    ``latest`` is the last day that a record may bear; ``rounding`` lets amounts be finer than the minor unit.
    """

    currency: str
    zone: tzinfo
    latest: date
    rates: Rates
    decimal: DecimalMark | None = None
    order: DayOrder | None = None
    pattern: str | None = None
    rounding: bool = False
    excluded: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, ImportedStatus] = field(default_factory=dict)


def read_decimal(given: str | None) -> DecimalMark | None:
    """Raises WrongMapping."""
    match given:
        case None:
            return None
        case "." | "point" | "dot":
            return "."
        case "," | "comma":
            return ","
    raise WrongMapping(f"--decimal {given!r} is not understood; write --decimal . or --decimal ,")


def read_date_format(given: str | None) -> tuple[DayOrder | None, str | None]:
    """An order of day and month, or a pattern for ``strptime``; raises WrongMapping.

    >>> read_date_format("d/m/y"), read_date_format("%d.%m.%y")
    (('dmy', None), (None, '%d.%m.%y'))
    """
    if given is None:
        return None, None
    if "%" in given:
        return None, given
    match "".join(c for c in given.lower() if c.isalpha()):
        case "dmy" | "ddmmyyyy" | "ddmmyy":
            return "dmy", None
        case "mdy" | "mmddyyyy" | "mmddyy":
            return "mdy", None
        case "excel":
            return None, "excel"
        case "ymd" | "yyyymmdd" | "iso":
            return None, None  # What begins with the year needs no telling.
    raise WrongMapping(
        f"--date-format {given!r} is not understood; write dmy, mdy, excel (numbers of days), "
        "or a pattern such as '%d.%m.%y'"
    )
