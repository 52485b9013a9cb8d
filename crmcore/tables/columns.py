"""The rules for numbers, moments and texts, applied to whole columns.

What most rows look like is read by Arrow at once; the rest is read value by value with the rules of
``crmcore.imports``, each distinct value once. Both give the same: there is a test.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from crmcore.imports import moments as rules
from crmcore.imports.errors import UnreadableFile, UnreadableValue
from crmcore.imports.moments import (
    DayOrder,
    check_day,
    day_orders,
    read_day,
    read_moment,
    read_time,
    utc_offset,
)
from crmcore.imports.numbers import PLACES, DecimalMark, NumberEvidence, number_evidence, read_number
from crmcore.tables.arrow import ints, mask_of

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

MISSING = ("", "null", "nan", "none", "n/a", "#n/a", "na", "nil", "-", "nat")
_PLAIN = {
    ".": r"^-?\d{1,12}(\.\d{1,6})?$",
    ",": r"^-?\d{1,12}(,\d{1,6})?$",
    None: r"^-?\d{1,12}$",
}
_SURE_DOT, _SURE_COMMA = r"^-?\d+\.\d{1,2}$", r"^-?\d+,\d{1,2}$"
_ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$"
_ISO_DAY = r"^\d{4}-\d{2}-\d{2}([ T].*)?$"
_DAY_AND_TIME = rf"^(?P<day>.*?)(?P<time>(?:[ T,]+{rules.TIME})?)$"
_DAY = 86_400_000_000  # Microseconds.
_MOST_TEXT = 256 << 20  # Bytes of one column of one batch.


@dataclass(frozen=True)
class Read:
    """A column's values, where there are none, and why some rows cannot be read (by row of the batch)."""

    values: Ints
    missing: Mask
    problems: dict[int, str] = field(default_factory=dict)


def as_text(array: Any, *, literal: bool = False) -> Any:
    """The column as trimmed text, null where it says that nothing is there; whole floats lose ``.0``."""
    if pa.types.is_dictionary(array.type):
        array = _decoded(array)
    if pa.types.is_floating(array.type):
        text = pc.cast(array, pa.string())
        array = pc.replace_substring_regex(text, r"\.0$", "")
    elif not pa.types.is_string(array.type):
        array = pc.cast(array, pa.string())
    trimmed = pc.utf8_trim_whitespace(array)
    if literal:
        nothing = pc.equal(trimmed, "")
    else:
        nothing = pc.is_in(pc.utf8_lower(trimmed), value_set=pa.array(MISSING))
    return pc.if_else(nothing, pa.scalar(None, pa.string()), trimmed) if pc.any(nothing).as_py() else trimmed


def _decoded(array: Any) -> Any:
    """Each row with its own text. One long text in every row of a small file would fill the memory."""
    if is_text(array):
        size = pc.sum(pc.binary_length(array.dictionary).take(array.indices)).as_py() or 0
        if size > _MOST_TEXT:
            raise UnreadableFile(
                f"a column has {size >> 20} MB of text in {len(array)} rows; it is no column of records"
            )
    return array.dictionary_decode()


def is_text(array: Any) -> bool:
    """Whether the file gave the column no type of its own."""
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


# --- numbers ---------------------------------------------------------------------------------------


def evidence_in_numbers(array: Any) -> NumberEvidence:
    """What the column says about the file's decimal mark; typed numbers say nothing."""
    if not is_text(array):
        return NumberEvidence()
    text = as_text(array)
    found = NumberEvidence()
    open_ = pc.invert(pc.match_substring_regex(text, _PLAIN[None]))
    marks: tuple[tuple[str, DecimalMark], ...] = ((_SURE_DOT, "."), (_SURE_COMMA, ","))
    for pattern, mark in marks:
        sure = pc.match_substring_regex(text, pattern)
        if pc.any(sure).as_py():
            found |= NumberEvidence(frozenset({mark}))
            open_ = pc.and_(open_, pc.invert(sure))
    return found | number_evidence(v for v in pc.unique(text.filter(open_)).to_pylist() if v is not None)


def read_numbers(array: Any, decimal: DecimalMark | None) -> Read:
    """Numbers in millionths."""
    typed = not is_text(array)
    text = as_text(array)
    decimal = "." if typed else decimal
    missing = mask_of(pc.is_null(text))
    plain = pc.fill_null(pc.match_substring_regex(text, _PLAIN[decimal]), False)
    simple = pc.if_else(plain, text, "0")
    if decimal == ",":
        simple = pc.replace_substring(simple, ",", ".")
    values = _millionths(simple)
    problems: dict[int, str] = {}

    def one(value: str) -> int:
        return int(read_number(value, decimal).scaleb(PLACES))

    _fill_rest(text, ~mask_of(plain) & ~missing, one, values, problems)
    return Read(values, missing, problems)


def _millionths(text: Any) -> Ints:
    whole = pc.cast(text, pa.decimal128(18, PLACES))
    # A decimal of 128 bits is two words, the low one first; 18 digits fit into it.
    words = np.frombuffer(whole.buffers()[1], dtype="<i8")
    return words[2 * whole.offset : 2 * (whole.offset + len(whole)) : 2].astype(np.int64)


# --- moments ---------------------------------------------------------------------------------------


def evidence_in_days(array: Any) -> frozenset[DayOrder]:
    """Which orders of day and month the column proves."""
    if not is_text(array):
        return frozenset()
    text = as_text(array)
    other = text.filter(pc.invert(pc.match_substring_regex(text, _ISO_DAY)))
    if len(other) == 0:
        return frozenset()
    days = pc.unique(pc.struct_field(pc.extract_regex(other, _DAY_AND_TIME), "day"))
    return day_orders(day for day in days.to_pylist() if day is not None)


@dataclass
class Moments:
    """Reads moments as microseconds since 1970 in UTC; what has no zone is in ``zone``.

    ``latest`` is the last day that an order can have; ``pattern`` describes texts, when it is given.
    """

    zone: tzinfo
    latest: date
    order: DayOrder | None = None
    pattern: str | None = None
    _offsets: dict[int, int] = field(default_factory=dict)

    def read(self, array: Any) -> Read:
        if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
            return self._typed(array)
        text = as_text(array)
        missing = mask_of(pc.is_null(text))
        values = np.zeros(len(text), dtype=np.int64)
        problems: dict[int, str] = {}
        if self.pattern is not None:
            pattern = self.pattern
            _fill_rest(text, ~missing, lambda v: read_moment(v, pattern, self.zone), values, problems)
        else:
            rest = self._iso(text, missing, values)
            self._parts(text, rest, values, problems)
        self._check(values, missing, problems)
        return Read(values, missing, problems)

    def _typed(self, array: Any) -> Read:
        missing = mask_of(pc.is_null(array))
        zoned = pa.types.is_timestamp(array.type) and array.type.tz is not None
        moments = pc.cast(array, pa.timestamp("us", array.type.tz if zoned else None), safe=False)
        values = np.array(pc.fill_null(pc.cast(moments, pa.int64()), 0), dtype=np.int64)
        if not zoned:
            values -= self._offset_of(values)
        problems: dict[int, str] = {}
        self._check(values, missing, problems)
        return Read(values, missing, problems)

    def _iso(self, text: Any, missing: Mask, values: Ints) -> Mask:
        """Reads what is ISO without a zone into ``values``; returns the rows that are left."""
        iso = pc.fill_null(pc.match_substring_regex(text, _ISO), False)
        if not pc.any(iso).as_py():
            return ~missing
        try:
            local = pc.cast(pc.if_else(iso, text, pa.scalar(None, pa.string())), pa.timestamp("us"))
        except pa.ArrowInvalid:  # One of them is no day of the calendar: the slow way names it.
            return ~missing
        chosen = mask_of(iso)
        found = np.array(pc.fill_null(pc.cast(local, pa.int64()), 0), dtype=np.int64)
        values[chosen] = found[chosen] - self._offset_of(found[chosen])
        return ~missing & ~chosen

    def _parts(self, text: Any, rest: Mask, values: Ints, problems: dict[int, str]) -> None:
        """Reads day and time apart, each distinct one once."""
        places = np.flatnonzero(rest)
        if len(places) == 0:
            return
        parts = pc.extract_regex(text.take(ints(places)), _DAY_AND_TIME)
        days = pc.fill_null(pc.struct_field(parts, "day"), "")  # No match: a line break inside the value.
        times = pc.utf8_ltrim(pc.fill_null(pc.struct_field(parts, "time"), ""), characters=" T,")
        day_values, day_problems = _distinct(
            days, lambda d: (read_day(d, self.order) - date(1970, 1, 1)).days
        )
        time_values, time_problems = _distinct(times, lambda t: read_time(t)[0] if t else 0)
        offsets, _ = _distinct(times, _given_offset)
        local = day_values * _DAY + time_values
        own = offsets == _NO_OFFSET
        offsets[own] = self._offset_of(local[own])
        values[places] = local - offsets
        for found in (time_problems, day_problems):
            problems.update({int(places[i]): reason for i, reason in found.items()})

    def _offset_of(self, local: Ints) -> Ints:
        """By day, because hardly a day has two offsets; by quarter of an hour on those that have."""
        days, inverse = np.unique(local // _DAY, return_inverse=True)
        at_start = np.array([self._at_quarter(day * 96) for day in days.tolist()], dtype=np.int64)
        at_end = np.array([self._at_quarter(day * 96 + 95) for day in days.tolist()], dtype=np.int64)
        found = at_start[inverse]
        for place in np.flatnonzero((at_start != at_end)[inverse]).tolist():
            found[place] = self._at_quarter(int(local[place]) // rules.QUARTER)
        return found

    def _at_quarter(self, quarter: int) -> int:
        known = self._offsets.get(quarter)
        if known is None:
            known = self._offsets[quarter] = _safe_offset(quarter, self.zone)
        return known

    def _check(self, values: Ints, missing: Mask, problems: dict[int, str]) -> None:
        days = values // _DAY
        limit = (self.latest - date(1970, 1, 1)).days
        for i in np.flatnonzero(((days < 1) | (days > limit)) & ~missing).tolist():
            if i not in problems:
                try:
                    check_day(date.min if days[i] < 1 else date.max, self.latest)
                except UnreadableValue as error:
                    problems[i] = str(error)


_NO_OFFSET = np.iinfo(np.int64).min


def _given_offset(time: str) -> int:
    offset = read_time(time)[1] if time else None
    return int(_NO_OFFSET) if offset is None else offset


def _safe_offset(quarter: int, zone: tzinfo) -> int:
    try:
        return utc_offset(quarter, zone)
    except OverflowError:  # A year that no calendar has; the row is refused for its day.
        return 0


# --- parts ----------------------------------------------------------------------------------------


def _fill_rest(
    text: Any, rest: Mask, read: Callable[[str], int], values: Ints, problems: dict[int, str]
) -> None:
    places = np.flatnonzero(rest)
    if len(places) == 0:
        return
    found, reasons = _distinct(text.take(ints(places)), read)
    values[places] = found
    problems.update({int(places[i]): reason for i, reason in reasons.items()})


def _distinct(text: Any, read: Callable[[str], int]) -> tuple[Ints, dict[int, str]]:
    """Reads each distinct value once; the reasons are by row."""
    encoded = pc.dictionary_encode(text)
    values = np.zeros(len(encoded.dictionary), dtype=np.int64)
    reasons: dict[int, str] = {}
    for i, value in enumerate(encoded.dictionary.to_pylist()):
        try:
            values[i] = read(value)
        except UnreadableValue as error:
            reasons[i] = str(error)
    indices = encoded.indices.to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero(np.isin(indices, list(reasons))) if reasons else ()
    return values[indices], {int(row): reasons[int(indices[row])] for row in wrong}
