"""Days and times as exports write them.

03/04/2024 may be in March or in April. A day above 12 elsewhere in the file settles it for the whole file,
unless another one says the opposite; where nothing settles it, the value is refused and never guessed.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal

from crmcore.imports.errors import UnreadableValue

DayOrder = Literal["dmy", "mdy"]

EARLIEST = date(1970, 1, 2)  # What lies before is an empty value that became a date.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXCEL_EPOCH = date(1899, 12, 30)  # Day 0 of Excel's calendar, with its leap day of 1900 made good.
QUARTER = 15 * 60 * 1_000_000  # Microseconds; every time zone in use changes on a quarter of an hour.

# The part of a moment after the day; the same expression must hold in RE2 and in Python.
TIME = (
    r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?[ \t]*(?:[AaPp]\.?[Mm]\.?)?[ \t]*"
    r"(?:[Zz]|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
)
_TIME = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp]\.?[Mm]\.?)?\s*([Zz]|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
)
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_NAMED = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?(?:(\d{1,2})[\s.-]*([A-Za-z]{3,9})|([A-Za-z]{3,9})[\s.-]*(\d{1,2})),?[\s-]+(\d{4})"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def day_orders(days: Iterable[str]) -> frozenset[DayOrder]:
    """Which orders the days prove, each by itself.

    >>> sorted(day_orders(["03/04/2024", "31/12/2024"])), sorted(day_orders(["2024-03-31", "05.05.2024"]))
    (['dmy'], [])
    """
    found: set[DayOrder] = set()
    for text in days:
        parts = _YEAR_LAST.fullmatch(text)
        if parts is None or len(parts[4]) == 2:
            continue
        first, second = int(parts[1]), int(parts[3])
        if first > 12 >= second:
            found.add("dmy")
        if second > 12 >= first:
            found.add("mdy")
    return frozenset(found)


def read_day(text: str, order: DayOrder | None = None) -> date:
    """The calendar day in a text without a time.

    >>> read_day("20240131"), read_day("31.1.2024"), read_day("Jan 31, 2024")
    (datetime.date(2024, 1, 31), datetime.date(2024, 1, 31), datetime.date(2024, 1, 31))

    Raises
    ------
    UnreadableValue : it is no day, or it may mean two.
    """
    if found := _YEAR_FIRST.fullmatch(text):
        return _day(int(found[1]), int(found[3]), int(found[4]))
    if found := _COMPACT.fullmatch(text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := _YEAR_LAST.fullmatch(text):
        return _year_last(int(found[1]), int(found[3]), found[4], order)
    if found := _NAMED.fullmatch(text):
        name, number = (found[2], found[1]) if found[2] else (found[3], found[4])
        if name[:3].lower() in _MONTHS:
            return _day(int(found[5]), _MONTHS.index(name[:3].lower()) + 1, int(number))
    raise UnreadableValue("is no date that is known here; describe it with --date-format, such as '%d.%m.%y'")


def _year_last(first: int, second: int, year: str, order: DayOrder | None) -> date:
    if order is None and len(year) == 2:
        raise UnreadableValue("has a year of two digits; say --date-format dmy or --date-format mdy")
    if order is None and first <= 12 and second <= 12 and first != second:
        raise UnreadableValue("may mean two days; say --date-format dmy or --date-format mdy")
    day, month = (first, second) if order == "dmy" or (order is None and first > 12) else (second, first)
    return _day(int(year) if len(year) == 4 else _century(int(year)), month, day)


def _century(year: int) -> int:
    return 2000 + year if year < 70 else 1900 + year


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise UnreadableValue("is no day of the calendar") from None


def read_time(text: str) -> tuple[int, int | None]:
    """Microseconds since midnight, and the offset from UTC in microseconds where one stands there.

    >>> read_time("12:30 am"), read_time("09:05:00.5+02:00")
    ((1800000000, None), (32700500000, 7200000000))

    Raises
    ------
    UnreadableValue : it is no time.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise UnreadableValue("has no time that is known here; write it as 14:30 or 14:30:59")
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[5]:
        if not 1 <= hour <= 12:
            raise UnreadableValue("has an hour that no clock of twelve hours shows")
        hour = hour % 12 + (12 if found[5][0] in "pP" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise UnreadableValue("has a time that no clock shows")
    fraction = int((found[4] or "0")[:6].ljust(6, "0"))
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction, _offset(found[6])


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return (minutes if zone[0] == "+" else -minutes) * 60 * 1_000_000


def read_moment(text: str, pattern: str, zone: tzinfo) -> int:
    """Microseconds since 1970 in UTC of a text that a ``strptime`` pattern, or ``excel``, describes.

    Raises
    ------
    UnreadableValue : the pattern does not fit.
    """
    if pattern == "excel":
        try:
            number = float(text)
        except ValueError:
            raise UnreadableValue("is no day number of Excel") from None
        if not 0 < number < 2_958_466:  # The last day that Excel knows.
            raise UnreadableValue("is no day number of Excel")
        local = datetime.combine(_EXCEL_EPOCH, datetime.min.time()) + timedelta(
            seconds=round(number * 86_400)
        )
        return to_utc(local, zone)
    try:
        found = datetime.strptime(text, pattern)  # noqa: DTZ007 - without a zone it is the firm's.
    except ValueError:
        raise UnreadableValue(f"is not written as --date-format {pattern!r} says") from None
    return to_utc(found, zone)


def to_utc(moment: datetime, zone: tzinfo) -> int:
    """Microseconds since 1970 in UTC; a moment without a zone is read in ``zone``."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return round((aware - _EPOCH) / timedelta(microseconds=1))


def utc_offset(quarter: int, zone: tzinfo) -> int:
    """How far ``zone`` is ahead of UTC, in microseconds, in a quarter of an hour of its own local time.

    ``quarter`` counts quarters of local time since 1970. An hour that the clock shows twice is the first one.
    """
    local = _EPOCH + timedelta(microseconds=quarter * QUARTER)
    offset = local.replace(tzinfo=zone).utcoffset() or timedelta()
    return round(offset / timedelta(microseconds=1))


def check_day(day: date, latest: date) -> None:
    """Raises UnreadableValue for a day that no order can have been placed on."""
    if day < EARLIEST:
        raise UnreadableValue("lies before 1970: an empty date, it seems")
    if day > latest:
        raise UnreadableValue("lies in the future")
