"""A file read through its mapping: first a look at all of it, then its rows."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, tzinfo
from fnmatch import fnmatch
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crmcore.imports.errors import UnreadableValue, WrongMapping
from crmcore.imports.expressions import Column
from crmcore.imports.mapping import Mapping
from crmcore.imports.moments import DayOrder
from crmcore.imports.numbers import NumberEvidence, fits_currency, read_number
from crmcore.imports.options import Reading
from crmcore.money import MoneyError, exponent
from crmcore.tables.arrow import bools, ints, mask_of
from crmcore.tables.columns import (
    Ints,
    Mask,
    Moments,
    Read,
    as_text,
    evidence_in_days,
    evidence_in_numbers,
    is_text,
    read_numbers,
)
from crmcore.tables.fixed import Fixed, constant, evaluate
from crmcore.tables.table import Batch, BrokenRow, Progress, Table

LONGEST_ID = 62  # 64 less the ending of a return's id.
LARGEST_MINOR = 10**15
_IDS = ("customer_id", "order_id", "returned_order", "cost_id")
_UNFIT = r"[\x00-\x1f\x7f]"


class Records:
    """The rows of a table as a mapping and a reading understand them."""

    def __init__(self, table: Table, mapping: Mapping, reading: Reading) -> None:
        self.table, self.mapping, self.reading = table, mapping, reading
        self._whole_ids: frozenset[Column] = frozenset()
        self._excluded = {
            _excluded_column(name, mapping, table): pattern for name, pattern in reading.excluded.items()
        }
        self._moments = Moments(reading.zone, reading.latest, reading.order, reading.pattern)

    def survey(self, progress: Progress | None = None) -> None:
        """Look through the file for what settles its decimal mark and its order of day and month.

        Raises
        ------
        WrongMapping : amounts bear the sign of another currency than they are said to be in.
        """
        reading, evidence, orders = self.reading, NumberEvidence(), frozenset[DayOrder]()
        numbers = self.mapping.columns_read_as("number")
        moments = self.mapping.columns_read_as("moment") if reading.pattern is None else ()
        ids = {e.column for name, e in self.mapping.expressions.items() if name in _IDS and e.column}
        for batch in self.table.batches(progress):
            if isinstance(batch, BrokenRow):
                continue
            for column in numbers:
                evidence |= evidence_in_numbers(batch.columns[column.place])
            for column in moments:
                orders |= evidence_in_days(batch.columns[column.place])
            ids = {column for column in ids if _all_whole_floats(batch.columns[column.place])}
        self._whole_ids = frozenset(column for column in ids if column is not None)
        self._check_signs(evidence)
        order = reading.order or (next(iter(orders)) if len(orders) == 1 else None)
        self.reading = replace(reading, decimal=reading.decimal or evidence.decimal, order=order)
        self._moments = Moments(reading.zone, reading.latest, order, reading.pattern)

    def rows(self, progress: Progress | None = None) -> Iterator["Cells | BrokenRow"]:
        for batch in self.table.batches(progress):
            yield batch if isinstance(batch, BrokenRow) else Cells(self, batch)

    def _check_signs(self, evidence: NumberEvidence) -> None:
        currency = self.mapping.expressions.get("currency")
        if currency is not None and currency.constant is None:
            return  # Each row says its currency itself.
        said = currency.constant.upper() if currency and currency.constant else self.reading.currency
        wrong = sorted(sign for sign in evidence.currencies if not fits_currency(sign, said))
        if wrong:
            raise WrongMapping(
                f"amounts bear {', '.join(wrong)}, but they would be taken as {said}. Map the currency, "
                "such as --map currency==USD with --rates FILE"
            )

    # What a batch's cells ask for.

    def text_of(self, batch: Batch, column: Column, *, literal: bool) -> Any:
        text = as_text(batch.columns[column.place], literal=literal)
        return pc.replace_substring_regex(text, r"\.0$", "") if column in self._whole_ids else text

    def excluded_in(self, batch: Batch) -> Mask:
        out = np.zeros(len(batch.lines), dtype=np.bool_)
        for column, pattern in self._excluded.items():
            text = pc.dictionary_encode(as_text(batch.columns[column.place]))
            fits = [fnmatch(v.casefold(), pattern.casefold()) for v in text.dictionary.to_pylist()]
            indices = np.asarray(pc.fill_null(text.indices, len(fits)))
            out |= np.array([*fits, False], dtype=np.bool_)[indices]
        return out

    def moments_in(self, array: Any) -> Read:
        return self._moments.read(array)


class Cells:
    """The rows of one batch; whatever is wrong with a row is kept with the row, the first trouble first."""

    def __init__(self, records: Records, batch: Batch) -> None:
        self._records, self._all = records, batch
        excluded = records.excluded_in(batch)
        self.read, self.skipped = len(batch.lines), int(excluded.sum())
        if self.skipped:
            keep = ~excluded
            batch = Batch(batch.lines[keep], tuple(c.filter(bools(keep)) for c in batch.columns))
        self.batch = batch
        self.rows = len(batch.lines)
        self.rounded = 0
        self._problems: dict[int, str] = {}
        self._numbers: dict[Column, Read] = {}

    def __contains__(self, field: str) -> bool:
        return field in self._records.mapping

    @property
    def reading(self) -> Reading:
        return self._records.reading

    # --- values -----------------------------------------------------------------------------------

    def text(self, field: str, *, literal: bool = False) -> Any:
        """Text of a field, null where there is none, the same for every row when it is a constant."""
        expression = self._records.mapping.expressions.get(field)
        if expression is None:
            return pa.nulls(self.rows, pa.string())
        if expression.constant is not None:
            return pa.array([expression.constant] * self.rows, pa.string())
        assert expression.column is not None, f"the mapping lets {field} be one column only"
        return self._records.text_of(self.batch, expression.column, literal=literal)

    def identifier(self, field: str, called: str, *, required: bool) -> Any:
        text = self.text(field)
        if required:
            self.refuse(mask_of(pc.is_null(text)), f"there is no {called}")
        self.refuse(mask_of(pc.fill_null(pc.greater(pc.utf8_length(text), LONGEST_ID), False)),
                    f"the {called} is longer than {LONGEST_ID} characters")  # fmt: skip
        unfit = pc.fill_null(pc.match_substring_regex(text, _UNFIT), False)
        self.refuse(mask_of(unfit), f"the {called} holds a line break or another sign that cannot be seen")
        return text

    def moment(self, field: str) -> Ints:
        moments, missing = self.moment_or_none(field)
        self.refuse(missing, f"there is no {field}")
        return moments

    def moment_or_none(self, field: str) -> tuple[Ints, Mask]:
        expression = self._records.mapping.expressions[field]
        if expression.constant is not None:
            written = pa.array([expression.constant] * self.rows, pa.string())
        else:
            assert expression.column is not None, f"the mapping lets {field} be one column only"
            written = self.batch.columns[expression.column.place]
        read = self._records.moments_in(written)
        self._refuse_each(read.problems, field)
        return read.values, read.missing

    def number(self, field: str) -> Fixed | None:
        """None when the field is not mapped."""
        expression = self._records.mapping.expressions.get(field)
        if expression is None:
            return None
        if expression.constant is not None:
            try:
                return constant(read_number(expression.constant, "."), self.rows)
            except UnreadableValue as error:
                raise WrongMapping(f"{field}={expression.text}: {expression.constant!r} {error}") from error
        found = evaluate(expression, self.rows, self._number)
        self._refuse_each(found.problems, field)
        return found

    def money(self, field: str, currency: list[str] | None, moments: Ints) -> tuple[Ints, Ints]:
        """What is written, and what it is in the firm's currency, in minor units of each.

        ``currency`` is that of each row, None where all are in the firm's.
        """
        found = self.number(field)
        assert found is not None, f"{field} is required"
        self.refuse(found.missing, f"there is no {field}")
        return self.to_own(found, field, currency, moments)

    def to_own(
        self,
        found: Fixed,
        field: str,
        currency: list[str] | None,
        moments: Ints,
        *,
        rounding: bool | None = None,
    ) -> tuple[Ints, Ints]:
        own, rates = self.reading.currency, self.reading.rates
        rounds = self.reading.rounding if rounding is None else rounding
        if currency is None:
            given, finer, count = found.to_minor(exponent(own), rounding=rounds)
            self._refuse_each(finer, field)
            self.rounded += count if rounding is None and rounds else 0
            self._limit(given, field)
            return given, given
        given, converted = np.zeros(self.rows, dtype=np.int64), np.zeros(self.rows, dtype=np.int64)
        for code in sorted(set(currency)):
            places = np.flatnonzero(np.array([c == code for c in currency]))
            part = Fixed(found.values[places], found.scale, found.missing[places], {})
            minor, finer, count = part.to_minor(exponent(code), rounding=rounds)
            self._refuse_each({int(places[i]): reason for i, reason in finer.items()}, field)
            self.rounded += count if rounding is None and rounds else 0
            given[places] = converted[places] = minor
            if code != own:
                for place, value in zip(places.tolist(), minor.tolist(), strict=True):
                    try:
                        converted[place] = rates.convert(
                            value, code, _day(int(moments[place]), self.reading.zone)
                        )
                    except UnreadableValue as error:
                        self._refuse_each({place: str(error)}, field)
        self._limit(converted, field)
        return given, converted

    def choice(
        self, field: str, read: Callable[[str], Any], kind: Any = None, *, literal: bool = False
    ) -> Any:
        """Each distinct text read by a rule that may refuse it; null where there is none.

        ``literal`` texts may be any words: somebody may be called None.
        """
        encoded = pc.dictionary_encode(self.text(field, literal=literal))
        indices = np.asarray(pc.fill_null(encoded.indices, -1))
        found: list[Any] = []
        for i, value in enumerate(encoded.dictionary.to_pylist()):
            try:
                found.append(read(_without_nul(value)))
            except UnreadableValue as error:
                found.append(None)
                self.refuse(indices == i, f"{field} {error}")
        return pc.take(pa.array(found, kind or pa.string()), encoded.indices)

    # --- troubles ---------------------------------------------------------------------------------

    def refuse(self, rows: Mask, reason: str) -> None:
        for row in np.flatnonzero(rows).tolist():
            self._problems.setdefault(row, reason)

    def _refuse_each(self, reasons: dict[int, str], field: str) -> None:
        for row, reason in reasons.items():
            self._problems.setdefault(row, f"{field} {reason}")

    def _limit(self, minor: Ints, field: str) -> None:
        self.refuse(np.abs(minor) >= LARGEST_MINOR, f"{field} is larger than any amount of one row")

    def settled(self, columns: dict[str, Any]) -> tuple[Any, list[tuple[int, str]]]:
        """The good rows as one Arrow batch with their ``line``, and (line, reason) of the others."""
        batch = pa.RecordBatch.from_pydict({"line": ints(self.batch.lines), **columns})
        if not self._problems:
            return batch, []
        good = np.ones(self.rows, dtype=np.bool_)
        good[list(self._problems)] = False
        lines = self.batch.lines
        return batch.filter(bools(good)), [(int(lines[r]), why) for r, why in self._problems.items()]

    def _number(self, column: Column) -> Read:
        if column not in self._numbers:
            array = self.batch.columns[column.place]
            self._numbers[column] = read_numbers(array, self.reading.decimal)
        return self._numbers[column]


def currencies(cells: Cells) -> list[str] | None:
    """The currency of each row; None when all are in the firm's."""
    if "currency" not in cells:
        return None
    own = cells.reading.currency
    codes: Any = cells.choice("currency", _known_currency)
    unique = [code for code in pc.unique(codes).to_pylist() if code is not None]
    return None if unique in ([], [own]) else [code or own for code in codes.to_pylist()]


def _known_currency(text: str) -> str:
    code = text.upper()
    try:
        exponent(code)
    except MoneyError:
        raise UnreadableValue(f"{text[:12]!r} is no code of a known currency, such as EUR") from None
    return code


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise UnreadableValue("holds a NUL character, which no database keeps")
    return text


def _excluded_column(name: str, mapping: Mapping, table: Table) -> Column:
    expression = mapping.expressions.get(name)
    if expression is not None and expression.column is not None:
        return expression.column
    if name in table.names:
        return Column(table.names.index(name))
    raise WrongMapping(f"--exclude {name}=…: {name!r} is neither a mapped field nor a column of the file")


def _all_whole_floats(array: Any) -> bool:
    """Ids that a program took for numbers: 17850.0 is customer 17850."""
    if not is_text(array):
        return False
    text = as_text(array)
    return len(text) > text.null_count and bool(
        pc.all(pc.match_substring_regex(text, r"^\d+\.0$"), skip_nulls=True).as_py()
    )


def _day(microseconds: int, zone: tzinfo) -> date:
    """The firm's calendar day of a moment."""
    return datetime.fromtimestamp(microseconds // 1_000_000, zone).date()
