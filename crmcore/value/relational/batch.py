"""A firm scored by an engine: it summarises the log, numpy fits and tabulates, it values and ranks.

Three times figures leave the engine before the tiers do, because somebody must look at all of them: the
summary for the fits, values for the benchmarks, and one number for each border.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import ibis
import numpy as np
import pyarrow as pa
from ibis.expr.types import Table
from numpy.typing import NDArray

from crmcore.tiers import TierPolicy
from crmcore.value.benchmarks import Benchmarks, find_benchmarks
from crmcore.value.engine import FirmFit, fit_firm
from crmcore.value.forecasting import Forecaster
from crmcore.value.model import Ledger, ValueModel, ValueTerms
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.relational.logs import Calendar, Log, purchase_days
from crmcore.value.relational.ranks import (
    MinorBorders,
    best_table,
    mgc_border,
    mvc_border,
    with_peer_gap,
    with_tier,
)
from crmcore.value.relational.summaries import completed, log_sides, log_summary
from crmcore.value.relational.tables import constants_table, grid_table, normal_table
from crmcore.value.relational.values import RANKED, cell_table, value_table
from crmcore.value.summary import InvalidHistory, PurchaseSummary

FloatArray = NDArray[np.float64]

# In this order rows go into the fits, so that every engine gives the same sums to the last bit.
_ORDER = ("spent", "age", "recency", "frequency", "monetary_value")
_SOMETIMES = ("returned", "service_cost", "service_cost_squared")  # A firm may have recorded none at all.
_BLOCK = 50_000  # Customers who are forecast at once.


class Engine(Protocol):
    """Runs expressions. Tables that it is given or keeps are gone when its connection ends."""

    def upload(self, name: str, rows: pa.Table) -> Table:
        """The rows as a table of the engine."""
        ...

    def keep(self, name: str, expression: Table) -> Table:
        """The expression, computed once."""
        ...

    def read(self, expression: Table) -> pa.Table: ...

    def fence(self, expression: Table) -> Table:
        """The same table, whose columns the engine computes once and not wherever they are used."""
        ...

    def stream(self, expression: Table, rows: int) -> Iterator[pa.RecordBatch]:
        """The same in batches of about so many rows."""
        ...


@dataclass(frozen=True)
class FirmBatch:
    """A firm's log in an engine, summarised. ``units`` : minor units in one of the currency."""

    engine: Engine
    calendar: Calendar
    days: Table
    summary: Table
    units: float

    @classmethod
    def of(cls, engine: Engine, log: Log, calendar: Calendar, units: float) -> FirmBatch:
        # What is kept is grouped by customer in half the time, and the forecast asks for it again.
        days = engine.keep("batch_days", purchase_days(log, calendar))
        sides = log_sides(log, days, calendar)
        sums = {name: side.sums for name, side in sides.items() if len(engine.read(side.rows.limit(1)))}
        summary = engine.keep("batch_summary", log_summary(days, sums, calendar, units))
        return cls(engine, calendar, days, completed(summary), units)

    def __len__(self) -> int:
        """How many customers have bought."""
        counted: int = self.engine.read(self.summary.agg(customers=self.summary.count()))["customers"][
            0
        ].as_py()
        return counted

    def purchases(self) -> PurchaseLog:
        """The purchases of all customers, in the order of their ids, who are numbers from 0 here."""
        numbers = self.engine.keep("batch_numbers", _numbered(self.summary))
        days = self.days.inner_join(numbers, "customer_id")
        rows = self.engine.read(days.select("number", "day", "bought").order_by("number", "day"))
        customer = rows["number"].to_numpy().astype(np.int64, copy=False)
        n = int(customer[-1]) + 1 if len(customer) else 0
        return PurchaseLog(
            tuple(range(n)),
            customer,
            rows["day"].to_numpy().astype(np.int64, copy=False),
            _column(rows, "bought") / self.units,
        )

    def fit(self, terms: ValueTerms, purchases: PurchaseLog | None = None) -> FirmFit:
        """The models and the firm's constants, or the reasons why there are none.

        purchases : as :meth:`purchases` gives them; with them a forecast may correct the closed forms.
        """
        largest = {name: self.summary[name].abs().max() for name in _SOMETIMES}
        (found,) = self.engine.read(self.summary.agg(**largest)).to_pylist()
        recorded = [name for name in _SOMETIMES if found[name]]
        rows = self.engine.read(self.summary.select(*_ORDER, *recorded).order_by(*_ORDER))
        for name in _SOMETIMES:
            if name not in recorded:
                rows = rows.append_column(name, pa.array(np.zeros(len(rows))))
        return fit_firm(_summary(rows), _ledger(rows), terms, purchases)

    def value(
        self,
        model: ValueModel,
        purchases: PurchaseLog | None = None,
        columns: Sequence[str] = RANKED,
        without: pa.Table | None = None,
    ) -> ValuedBatch:
        """The value of every customer.

        purchases : needed when the model has a forecast. columns : of :func:`value_table` that are kept, at
        least those that tiers look at. without : whom to leave out, in its column ``customer_id``.
        """
        upload = self.engine.upload
        cell = ("comes_back", "frequency", "age")
        cells = self.engine.read(self.summary.select(*cell).distinct().order_by(*cell))
        grid = grid_table(
            model, _column(cells, "frequency"), _column(cells, "age"), cells["comes_back"].to_numpy()
        )
        summary = self.summary
        if without is not None:
            summary = summary.anti_join(upload("batch_without", without), "customer_id")
        law = {"horizon_days": model.terms.horizon_days, "parameter_error": model.parameter_error}
        constants = upload("batch_constants", constants_table(model))
        values = value_table(
            summary,
            self.engine.keep(
                "batch_cells", cell_table(constants, upload("batch_grid", grid), self.engine.fence, **law)
            ),
            upload("batch_normal", normal_table()),
            columns,
            **law,
            units=self.units,
            fence=self.engine.fence,
            has_costs=model.costs.event_cost > 0,
            foreseen=None if model.forecaster is None else self._foreseen(model.forecaster, purchases),
        )
        return ValuedBatch(self.engine, self.engine.keep("batch_values", values), self.units)

    def _foreseen(self, forecaster: Forecaster, purchases: PurchaseLog | None) -> Table:
        """What numpy foresees of each customer, block by block from his own purchases."""
        if purchases is None:
            raise InvalidHistory("the value model corrects by the purchase log; give the log of the firm")
        found = [
            forecaster.predict(part, self.calendar.observed_until.toordinal())
            for part in _parts(purchases, _BLOCK)
        ]
        rows = pa.table(
            {
                "number": np.arange(len(purchases)),
                "foreseen_purchases": np.concatenate([part.purchases for part in found]),
                "foreseen_spend": np.concatenate([part.spend for part in found]),
            }
        )
        numbers = self.engine.upload("batch_foreseen", rows)
        named = _numbered(self.summary).inner_join(numbers, "number").drop("number")
        return self.engine.keep("batch_foreseen_of", named)


@dataclass(frozen=True)
class ValuedBatch:
    """Values that an engine has computed."""

    engine: Engine
    values: Table
    units: float

    def __len__(self) -> int:
        return _count(self.engine, self.values)

    def benchmarks_and_borders(self, policy: TierPolicy) -> tuple[Benchmarks, MinorBorders]:
        """Where the whole firm stands."""
        rows = self.engine.read(self.values.select("age", "purchase_size", "clv", "expected_purchases"))
        benchmarks = find_benchmarks(
            _column(rows, "age"),
            _column(rows, "purchase_size"),
            _column(rows, "clv"),
            _column(rows, "expected_purchases"),
        )
        mvc = _only(self.engine.read(mvc_border(self.values, policy)))
        return benchmarks, MinorBorders(mvc, _only(self.engine.read(mgc_border(self.values, mvc, policy))))

    def ranked(self, benchmarks: Benchmarks, borders: MinorBorders, policy: TierPolicy) -> Table:
        """With the gap to the best peers and the tier of every customer, not computed yet."""
        best = self.engine.upload("batch_best", best_table(benchmarks.peers))
        return with_tier(with_peer_gap(self.values, best, benchmarks.peers, self.units), borders, policy)


def _count(engine: Engine, table: Table) -> int:
    counted: int = engine.read(table.agg(rows=table.count()))["rows"][0].as_py()
    return counted


def _numbered(summary: Table) -> Table:
    """customer_id and ``number``, from 0 in the order of the ids."""
    in_order = ibis.window(order_by=summary.customer_id)
    return summary.select("customer_id", number=ibis.row_number().over(in_order))


def _parts(log: PurchaseLog, size: int) -> Iterator[PurchaseLog]:
    """The same customers in parts; the rows of each lie side by side."""
    for begin in range(0, len(log), size):
        end = min(begin + size, len(log))
        rows = slice(*np.searchsorted(log.customer, [begin, end]))
        yield PurchaseLog(
            log.customer_id[begin:end], log.customer[rows] - begin, log.day[rows], log.spend[rows]
        )


def _summary(rows: pa.Table) -> PurchaseSummary:
    names = ("frequency", "recency", "age", "monetary_value", "spent", "returned")
    return PurchaseSummary(range(len(rows)), *(_column(rows, name) for name in names))


def _ledger(rows: pa.Table) -> Ledger:
    """The costs, which are all that the firm's constants are learnt from."""
    nothing = np.zeros(len(rows))
    return Ledger(nothing, nothing, _column(rows, "service_cost"), _column(rows, "service_cost_squared"))


def _column(rows: pa.Table, name: str) -> FloatArray:
    """As numbers with nan where nothing is known."""
    found: FloatArray = rows[name].to_numpy().astype(np.float64, copy=False)
    return found


def _only(rows: pa.Table) -> int | None:
    border: int | None = rows["border"][0].as_py()
    return border
