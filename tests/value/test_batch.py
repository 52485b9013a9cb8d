"""One expression from the order log to tiers: the same on every engine, and as numpy values one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib.util import find_spec
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmcore.store.engines.duckdb import DuckDBEngine
from crmcore.store.engines.postgres import PostgresEngine
from crmcore.tiers import Standing, TierPolicy, find_borders
from crmcore.usecases.value_chunks import KEPT
from crmcore.value.clv import CustomerValues, learn_from_firm, value_customers
from crmcore.value.engine import Scoring, score_firm
from crmcore.value.forecast_fit import fit_variant
from crmcore.value.forecasting import Variant
from crmcore.value.outlook import Lognormal, interval
from crmcore.value.ranking import Ranked, rank
from crmcore.value.relational.batch import Engine, FirmBatch
from crmcore.value.relational.logs import Calendar, purchase_days
from crmcore.value.relational.ranks import MinorBorders, mgc_border, mvc_border
from crmcore.value.relational.summaries import log_sides, log_summary
from crmcore.value.relational.values import whole_minor
from crmcore.value.snapshots import MoneyRow
from tests.postgres import Cluster
from tests.value.batch_firm import POLICY, TERMS, ZONE, Firm, a_firm

# Spark is a group of its own in pyproject. Where it is missing, bench.value_engines_agree stands for it.
ENGINES = ["duckdb", "postgres", *(["spark"] if find_spec("pyspark") else [])]
CLOSE = 1e-9  # Relative, and of one unit of currency where a figure is small.
FORESEEN = ("p_alive", "expected_purchases", "expected_spend", "clv", "p_below_zero", "deviation")
MONEY = (
    "clv_minor", "clv_deviation_minor", "history_minor", "cost_to_serve_minor", "potential_minor",
    "declared_potential_minor", "estimated_potential_minor", "peer_gap_minor",
)  # fmt: skip


@pytest.fixture(scope="module")
def firm() -> Firm:
    return a_firm()


@pytest.fixture(scope="module")
def by_numpy(firm: Firm) -> tuple[Scoring, list[Ranked], Sequence[str]]:
    books = firm.books()
    scoring = score_firm(books.summary, books.ledger, TERMS, books.comes_back)
    assert scoring.values is not None
    assert scoring.benchmarks is not None
    _, ranked = rank(
        books, scoring.values, scoring.benchmarks.peers, TERMS.horizon_days, POLICY, firm.previous, "EUR"
    )
    return scoring, ranked, books.summary.customer_id


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "duckdb":
        with DuckDBEngine() as duckdb:
            yield duckdb
    elif request.param == "postgres":
        cluster: Cluster = request.getfixturevalue("postgres")
        name = cluster.create()
        with PostgresEngine(cluster.url(name).replace("+psycopg", "")) as postgres:
            yield postgres
        cluster.drop(name)
    else:
        from crmcore.store.engines.spark import SparkEngine

        with SparkEngine() as spark:
            yield spark


@pytest.fixture(scope="module")
def batch(engine: Engine, firm: Firm) -> FirmBatch:
    return FirmBatch.of(engine, firm.log(engine), firm.calendar(), 100.0)


@pytest.fixture(scope="module")
def by_engine(batch: FirmBatch) -> tuple[pa.Table, MinorBorders]:
    model = batch.fit(TERMS).model
    assert model is not None
    valued = batch.value(model, columns=KEPT)
    benchmarks, borders = valued.benchmarks_and_borders(POLICY)
    rows = batch.engine.read(valued.ranked(benchmarks, borders, POLICY))
    return rows.sort_by("customer_id"), borders


def test_the_summary_of_an_engine_is_that_of_the_books_to_the_bit(batch: FirmBatch, firm: Firm) -> None:
    books = firm.books()
    rows = batch.engine.read(batch.summary).sort_by("customer_id")
    order = np.argsort(books.summary.customer_id)
    assert rows["customer_id"].to_pylist() == [books.summary.customer_id[i] for i in order]
    found = {
        "frequency": books.summary.frequency,
        "recency": books.summary.recency,
        "age": books.summary.T,
        "monetary_value": books.summary.monetary_value,
        "spent": books.summary.spent,
        "returned": books.summary.returned,
        "service_cost": books.ledger.service_cost,
        "service_cost_squared": books.ledger.service_cost_squared,
        "recent_spend": books.trend.recent_spend,
        "earlier_spend": books.trend.earlier_spend,
        "recent_purchases": books.trend.recent_purchases,
        "declared_budget": books.need_budgets.declared,
        "estimated_budget": books.need_budgets.estimated,
        "comes_back": books.comes_back,
    }
    for name, column in found.items():
        np.testing.assert_array_equal(rows[name].to_numpy().astype(float), column[order], err_msg=name)


def test_a_first_day_of_enormous_orders_is_summarised_to_the_bit(engine: Engine, firm: Firm) -> None:
    """Larger than what one whole number holds beside the day, and another customer's day just below."""
    least = firm.calendar().observed_until - timedelta(days=900)
    at = datetime(least.year, least.month, least.day, 12, tzinfo=ZONE)
    orders = list(firm.orders)
    for name, amounts in (("huge", [9 * 10**14, 9 * 10**14 + 1, 8 * 10**14]), ("large", [10**14 + 7])):
        orders += [MoneyRow(f"{name}{n}", name, at, amount, "EUR") for n, amount in enumerate(amounts)]
        orders.append(MoneyRow(f"{name}-again", name, at + timedelta(days=60), 1_250, "EUR"))
    larger = replace(firm, orders=orders)
    log, calendar = larger.log(engine), larger.calendar()
    days = purchase_days(log, calendar)
    huge = {"huge": log_sides(log, days, calendar)["huge"].sums}
    rows = engine.read(log_summary(days, huge, calendar, 100.0)).to_pylist()
    spend = {row["customer_id"]: (row["monetary_value"], row["spent"], row["recency"]) for row in rows}
    assert spend["huge"] == (12.5, (26 * 10**14 + 1 + 1_250) / 100, 60)
    assert spend["large"] == (12.5, (10**14 + 7 + 1_250) / 100, 60)


def test_values_of_an_engine_are_those_of_numpy(
    by_engine: tuple[pa.Table, MinorBorders], by_numpy: tuple[Scoring, list[Ranked], Sequence[str]]
) -> None:
    rows, _ = by_engine
    scoring, _, ids = by_numpy
    order = np.argsort(ids)
    low, high = interval(
        *(rows[name].to_numpy() for name in ("p_alive", "p_buys", "p_costs")),
        np.where(rows["contribution"].to_numpy() < 0, -1.0, 1.0),
        *(
            Lognormal(rows[f"{what}_log_mean"].to_numpy(), rows[f"{what}_log_variance"].to_numpy())
            for what in ("gain", "cost")
        ),
    )
    found = {"low": low, "high": high}
    assert scoring.values is not None
    for name in CustomerValues.__dataclass_fields__:
        column = found[name] if name in found else rows[name].to_numpy()
        expected = getattr(scoring.values, name)[order]
        np.testing.assert_allclose(column, expected, rtol=CLOSE, atol=CLOSE, err_msg=name)


def test_money_and_tiers_of_an_engine_are_those_of_numpy(
    by_engine: tuple[pa.Table, MinorBorders], by_numpy: tuple[Scoring, list[Ranked], Sequence[str]]
) -> None:
    rows, _ = by_engine
    _, ranked, ids = by_numpy
    ordered = [ranked[i] for i in np.argsort(ids)]
    for name in MONEY:
        assert rows[name].to_pylist() == [getattr(row.money, name) for row in ordered], name
    tiers = rows["tier"].to_pylist()
    assert tiers == [row.decided.tier for row in ordered]
    assert set(tiers) == {"MVC", "MGC", "BZ", "core"}


standings = st.lists(
    st.tuples(
        st.integers(-3, 8), st.none() | st.integers(0, 6), st.sampled_from([0.1, 0.75, 0.9]),
        st.sampled_from([None, "MVC", "MGC", "BZ", "core"]),
    ),
    min_size=1, max_size=40,
)  # fmt: skip


@pytest.fixture(scope="module")
def duckdb() -> Iterator[DuckDBEngine]:
    with DuckDBEngine() as engine:
        yield engine


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    firm=standings, mvc_share=st.sampled_from([0.0, 0.1, 0.5]), hysteresis=st.sampled_from([0.0, 0.1, 0.35])
)
def test_borders_of_an_engine_are_those_of_the_policy_with_many_equal_values(
    duckdb: DuckDBEngine,
    firm: list[tuple[int, int | None, float, str | None]],
    mvc_share: float,
    hysteresis: float,
) -> None:
    policy = TierPolicy(mvc_share=mvc_share, mgc_share=0.3, hysteresis=hysteresis)
    expected = find_borders(
        [Standing(Decimal(c), None if p is None else Decimal(p), b, t) for c, p, b, t in firm],  # type: ignore[arg-type]
        policy,
    )
    columns = ("clv_minor", "potential_minor", "p_below_zero", "previous")
    types = (pa.int64(), pa.int64(), pa.float64(), pa.string())
    rows = pa.table(
        [pa.array(c, t) for c, t in zip(zip(*firm, strict=True), types, strict=True)], names=columns
    )
    table = duckdb.upload("firm", rows)
    mvc = duckdb.read(mvc_border(table, policy))["border"][0].as_py()
    mgc = duckdb.read(mgc_border(table, mvc, policy))["border"][0].as_py()
    assert (mvc, mgc) == (expected.mvc, expected.mgc)


def test_an_engine_rounds_money_half_to_even(engine: Engine) -> None:
    halves = np.arange(-41, 42) / 2
    exact = np.concatenate([halves, np.nextafter(halves, 99), np.nextafter(halves, -99), [2.0**50 + 0.5]])
    table = engine.upload("exact", pa.table({"exact": exact}))
    rows = engine.read(table.select("exact", whole=whole_minor(table.exact)))
    assert rows["whole"].to_pylist() == [round(e) for e in rows["exact"].to_pylist()]


@pytest.mark.parametrize("zone", ["Europe/Dublin", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia"])
def test_the_day_of_a_moment_is_the_firms_on_every_side_of_a_change_of_clocks(
    duckdb: DuckDBEngine, zone: str
) -> None:
    where = ZoneInfo(zone)
    first = datetime(2009, 1, 1, tzinfo=ZONE)
    moments = [int((first + timedelta(hours=5 * n, seconds=n)).timestamp()) for n in range(9_000)]
    calendar = Calendar.of(date(2015, 1, 1), where, moments[0])
    table = duckdb.upload("moments", pa.table({"second": moments}))
    days = duckdb.read(table.select("second", day=calendar.day(table.second)).order_by("second"))["day"]
    assert days.to_pylist() == [datetime.fromtimestamp(s, where).toordinal() for s in moments]


def test_a_forecast_corrects_the_values_of_an_engine_as_those_of_numpy(batch: FirmBatch, firm: Firm) -> None:
    """With every layer, whatever the firm's past would have chosen."""
    books = firm.books()
    until = firm.calendar().observed_until.toordinal()
    fit = score_firm(books.summary, books.ledger, TERMS).fit
    assert fit.model is not None
    layers = fit_variant(Variant("pareto-nbd", pace=True, recalibration="history"), books.log, until, 365)
    model = replace(fit.model, forecaster=layers)
    values = value_customers(books.summary, books.ledger, model, books.comes_back, books.log)
    rows = batch.engine.read(batch.value(model, batch.purchases(), ("customer_id", *FORESEEN)).values)
    rows = rows.sort_by("customer_id")
    order = np.argsort(books.summary.customer_id)
    for name in FORESEEN:
        expected = getattr(values, name)[order]
        np.testing.assert_allclose(rows[name].to_numpy(), expected, rtol=CLOSE, atol=CLOSE, err_msg=name)


def test_a_small_firm_whose_customers_cost_nothing_is_valued_alike(duckdb: DuckDBEngine) -> None:
    """Without any service cost the law of costs is a point, and nobody can be below zero."""
    firm = a_firm(200, seed=8)
    firm.costs.clear()
    books = firm.books()
    fitted = score_firm(books.summary, books.ledger, TERMS)
    assert fitted.fit.purchases is not None
    assert fitted.fit.spend is not None
    model = learn_from_firm(books.summary, books.ledger, fitted.fit.purchases, fitted.fit.spend, TERMS)
    values = value_customers(books.summary, books.ledger, model, books.comes_back)
    found = FirmBatch.of(duckdb, firm.log(duckdb), firm.calendar(), 100.0)
    columns = ("customer_id", "clv", "deviation", "p_below_zero")
    rows = duckdb.read(found.value(model, columns=columns).values).sort_by("customer_id")
    order = np.argsort(books.summary.customer_id)
    for name in ("clv", "deviation", "p_below_zero"):
        np.testing.assert_allclose(
            rows[name].to_numpy(), getattr(values, name)[order], rtol=CLOSE, atol=CLOSE, err_msg=name
        )


def test_a_firm_that_recorded_nothing_but_orders_is_valued_alike(engine: Engine) -> None:
    """No returns, costs, needs or margins. It lays its log over that of the other firm, hence it is last."""
    firm = a_firm(300, seed=8)
    orders = [row._replace(amount_minor=abs(row.amount_minor), margin_minor=None) for row in firm.orders]
    bare = Firm(orders)
    books = bare.books()
    scoring = score_firm(books.summary, books.ledger, TERMS)
    found = FirmBatch.of(engine, bare.log(engine), bare.calendar(), 100.0)
    model = found.fit(TERMS).model
    assert model is not None
    assert scoring.values is not None
    valued = found.value(model, columns=KEPT)
    benchmarks, borders = valued.benchmarks_and_borders(POLICY)
    rows = engine.read(valued.ranked(benchmarks, borders, POLICY)).sort_by("customer_id")
    order = np.argsort(books.summary.customer_id)
    for name in ("p_alive", "expected_purchases", "clv", "deviation", "p_below_zero", "contribution_share"):
        expected = getattr(scoring.values, name)[order]
        np.testing.assert_allclose(rows[name].to_numpy(), expected, rtol=CLOSE, atol=CLOSE, err_msg=name)
    assert scoring.benchmarks is not None
    _, ranked = rank(books, scoring.values, scoring.benchmarks.peers, TERMS.horizon_days, POLICY, {}, "EUR")
    assert rows["tier"].to_pylist() == [ranked[i].decided.tier for i in order]
