"""A young firm: too few have bought again to tell customers apart, so values are margin times retention."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from scipy.integrate import quad
from typer.testing import CliRunner

from cli.report.page import render
from cli.value import app as value_commands
from crmcore.crm import Crm
from crmcore.store.engines.duckdb import DuckDBEngine
from crmcore.store.engines.postgres import PostgresEngine
from crmcore.tiers import TIERS
from crmcore.usecases.value import value_card
from crmcore.usecases.value_chunks import KEPT
from crmcore.usecases.value_fit import fit_model
from crmcore.usecases.value_profile import customer_profile
from crmcore.usecases.value_refresh import refresh_values
from crmcore.usecases.value_report import value_report
from crmcore.usecases.value_score import score
from crmcore.usecases.value_simulation import if_margins_change
from crmcore.value import PlainRetention, PurchaseSummary
from crmcore.value.count_spread import chance_to_buy, ordered_pairs
from crmcore.value.engine import fit_firm, score_firm
from crmcore.value.model import Ledger, ValueModel, ValueTerms
from crmcore.value.ranking import rank
from crmcore.value.relational.batch import Engine, FirmBatch
from tests.postgres import Cluster
from tests.value.batch_firm import POLICY, TERMS, a_firm
from tests.value.shop import add_customers, add_order, open_shop

FEW = 45
WITHOUT_RETURNS = ValueTerms(margin=0.4, discount_rate=0.1, horizon_days=365)


def young_shop(crm: Crm) -> list[str]:
    return open_shop(crm, FEW)


def ledger(summary: PurchaseSummary) -> Ledger:
    nothing = np.zeros(len(summary))
    return Ledger(0.4 * summary.spent, nothing, nothing, nothing)


def histories(*rows: tuple[float, float, float, float]) -> PurchaseSummary:
    """Frequency, recency, age, spend on every purchase alike."""
    x, t_x, T, spend = (np.array(column) for column in zip(*rows, strict=True))
    bought = PurchaseSummary.of(x, t_x, T, np.where(x > 0, spend, math.nan))
    return replace(bought, spent=(x + 1) * spend)


# --- the figures ---


def test_a_value_is_margin_times_retention() -> None:
    firm = histories((2, 213, 272, 40), (0, 0, 300, 25), (5, 240, 250, 60), (0, 0, 90, 30), (1, 30, 300, 20))
    scoring = score_firm(firm, ledger(firm), WITHOUT_RETURNS)
    assert isinstance(scoring.fit.purchases, PlainRetention)
    assert scoring.values is not None
    rate, leaving = vars(scoring.fit.purchases.params_).values()
    fades = leaving + WITHOUT_RETURNS.discount_per_day
    silence = firm.T - firm.recency
    still = np.exp(-(rate + leaving) * silence)
    alive = (rate + leaving) * still / (leaving + rate * still)
    bought = rate * (1 - math.exp(-fades * 365)) / fades
    usual = firm.spent.sum() / (firm.frequency + 1).sum()
    repeat = np.nan_to_num(firm.monetary_value) * firm.frequency
    spend = (repeat + 2 * usual) / (firm.frequency + 2)
    np.testing.assert_allclose(scoring.values.clv, alive * bought * spend * 0.4, rtol=1e-12)


def test_a_buyer_who_never_came_back_is_worth_less_the_longer_he_is_silent() -> None:
    """BG/NBD would hold every one-time buyer for active: most customers of a young firm."""
    firm = histories((0, 0, 30, 25), (0, 0, 200, 25), (0, 0, 400, 25), (3, 290, 300, 25), (1, 80, 100, 25))
    scoring = score_firm(firm, ledger(firm), WITHOUT_RETURNS)
    assert scoring.values is not None
    fresh, quiet, gone = scoring.values.clv[:3]
    assert fresh > 1.5 * quiet > 3 * gone > 0


def test_the_spread_of_purchases_is_that_of_a_rate_that_may_end() -> None:
    """Against the integral, and a hundred thousand customers who buy until they leave."""
    model, one = PlainRetention.of(0.02, 0.004), PurchaseSummary.of([0], [0], [10])
    rng = np.random.default_rng(1)
    stays = np.minimum(rng.exponential(1 / 0.004, 100_000), 365.0)
    bought = rng.poisson(0.02 * stays).astype(float)
    pairs = float(ordered_pairs(model, one, 365.0)[0])
    assert pairs == pytest.approx(2 * 0.02**2 * quad(lambda u: u * math.exp(-0.004 * u), 0, 365)[0], rel=1e-9)
    assert pairs == pytest.approx((bought * (bought - 1)).mean(), rel=0.02)
    (buys,) = chance_to_buy(model, one, 365.0, np.ones(1))
    assert buys == pytest.approx((bought > 0).mean(), abs=0.005)


def test_who_is_always_a_share_never_leaves() -> None:
    firm = histories((0, 0, 900, 25), (3, 290, 900, 25), (1, 80, 900, 25))
    fitted = score_firm(firm, ledger(firm), WITHOUT_RETURNS).fit.model
    assert fitted is not None
    forecast = fitted.without_leaving.predict(firm, 365)
    assert forecast.p_alive.tolist() == [1.0, 1.0, 1.0]
    rate = (4 + 0.5) / 2700
    np.testing.assert_allclose(forecast.expected_purchases, rate * 365, rtol=1e-12)
    np.testing.assert_allclose(
        ordered_pairs(fitted.without_leaving, firm, 365.0), (rate * 365) ** 2, rtol=1e-9
    )


def test_the_fewer_there_are_the_less_is_known_of_the_mean() -> None:
    one = histories((0, 0, 30, 25))
    several = histories(*[(i % 3, 10 * (i % 3), 90, 20 + i) for i in range(12)])
    many = histories(*[(i % 3, 10 * (i % 3), 90, 20 + i % 12) for i in range(60)])
    models = [fit_firm(firm, ledger(firm), WITHOUT_RETURNS).model for firm in (one, several, many)]
    errors = [model.parameter_error for model in models if model]
    assert len(errors) == 3
    assert 1 < errors[0] < 3
    assert errors[0] > 2 * errors[1] > 2 * errors[2] > 0


def test_fifty_who_bought_again_and_paid_are_told_apart() -> None:
    rng = np.random.default_rng(3)
    rows = [(x, float(rng.integers(x, 300)), 300.0, 20.0 + x) for x in rng.geometric(0.3, 50).tolist()]
    enough, few = histories(*rows), histories(*rows[:49])
    assert fit_firm(enough, ledger(enough), WITHOUT_RETURNS).purchases.NAME == "bg-nbd"  # type: ignore[union-attr]
    fit = fit_firm(few, ledger(few), WITHOUT_RETURNS)
    assert fit.purchases is not None
    assert fit.purchases.NAME == "plain-retention"
    unpaid = histories(*rows[:49], (2, 30.0, 300.0, 0.0))
    assert fit_firm(unpaid, ledger(unpaid), WITHOUT_RETURNS).purchases.NAME == "plain-retention"  # type: ignore[union-attr]


def test_a_spend_that_few_can_tell_is_fitted_and_else_said_to_be_the_usual() -> None:
    rng = np.random.default_rng(3)
    rows = [
        (x, float(rng.integers(x, 300)), 300.0, float(rng.lognormal(3, 0.6)))
        for x in rng.geometric(0.3, 40).tolist()
    ]
    some, few = histories(*rows), histories(*rows[:8])
    for firm, fitted in ((some, True), (few, False)):
        fit = fit_firm(firm, ledger(firm), WITHOUT_RETURNS)
        assert fit.spend is not None
        assert math.isfinite(fit.spend.log_likelihood_) == fitted
        (said,) = [d.message for d in fit.diagnostics if d.code == "same_rates_assumed"]
        assert ("the shop's usual purchases" in said) is not fitted


def test_the_model_comes_back_from_its_parameters_to_the_bit() -> None:
    firm = histories((2, 213, 272, 40), (0, 0, 300, 25))
    model = fit_firm(firm, ledger(firm), WITHOUT_RETURNS).model
    assert model is not None
    again = ValueModel.from_parameters(json.loads(json.dumps(model.to_parameters())))
    assert again.to_parameters() == model.to_parameters()


# --- every engine ---


@pytest.fixture(params=["duckdb", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "duckdb":
        with DuckDBEngine() as duckdb:
            yield duckdb
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    name = cluster.create()
    with PostgresEngine(cluster.url(name).replace("+psycopg", "")) as postgres:
        yield postgres
    cluster.drop(name)


@pytest.mark.parametrize("has_costs", [True, False])
def test_an_engine_values_a_young_firm_as_numpy_does(engine: Engine, has_costs: bool) -> None:
    """With returns, needs, tiers of the night before, and customers who are always a share."""
    firm = a_firm(FEW, seed=8)
    if not has_costs:
        firm.costs.clear()
    books = firm.books()
    scoring = score_firm(books.summary, books.ledger, TERMS, books.comes_back)
    assert isinstance(scoring.fit.purchases, PlainRetention)
    assert scoring.values is not None
    assert scoring.benchmarks is not None
    batch = FirmBatch.of(engine, firm.log(engine), firm.calendar(), 100.0)
    fit = batch.fit(TERMS, batch.purchases())
    assert fit.model is not None
    assert fit.diagnostics == scoring.fit.diagnostics
    valued = batch.value(fit.model, columns=KEPT)
    benchmarks, borders = valued.benchmarks_and_borders(POLICY)
    rows = engine.read(valued.ranked(benchmarks, borders, POLICY)).sort_by("customer_id")
    order = np.argsort(books.summary.customer_id)
    for name in ("p_alive", "expected_purchases", "expected_spend", "clv", "deviation", "p_below_zero"):
        expected = getattr(scoring.values, name)[order]
        np.testing.assert_allclose(rows[name].to_numpy(), expected, rtol=1e-9, atol=1e-9, err_msg=name)
    peers = scoring.benchmarks.peers
    _, ranked = rank(books, scoring.values, peers, TERMS.horizon_days, POLICY, firm.previous, "EUR")
    assert rows["tier"].to_pylist() == [ranked[i].decided.tier for i in order]
    assert rows["clv_minor"].to_pylist() == [ranked[i].money.clv_minor for i in order]


# --- a firm in the store ---


def test_a_scoring_values_everybody_and_says_what_it_rests_on(crm_on_both: Crm) -> None:
    crm = crm_on_both
    ids = young_shop(crm)
    report = score(crm)
    assert report.run.published
    (said,) = [d for d in report.diagnostics if d.code == "same_rates_assumed"]
    assert not said.blocking
    assert "50 who did are needed to tell customers apart" in said.message
    assert "an assumed yearly retention of 50%, worth 2 leavers" in said.message
    cards = [value_card(crm, customer_id) for customer_id in ids]
    assert sum(card.clv for card in cards if card) == report.total_value
    assert sum(report.tiers.values()) == report.customers == len(ids)
    assert all(card is not None and card.tier in TIERS and card.why for card in cards)
    assert all(card.clv_low <= card.clv for card in cards if card)  # type: ignore[operator]


def test_a_firm_to_which_nobody_came_back_has_values_all_the_same(crm: Crm) -> None:
    today = crm.firm.today(crm.clock())
    add_customers(crm, ["ana", "ben"])
    add_order(crm, "a", "ana", today - timedelta(days=90), "30.00")
    add_order(crm, "b", "ben", today - timedelta(days=5), "30.00")
    report = score(crm)
    assert report.run.published
    ana, ben = value_card(crm, "ana"), value_card(crm, "ben")
    assert ana is not None
    assert ben is not None
    assert 0 < ana.clv < ben.clv


def test_a_firm_whose_customers_came_on_the_last_day_has_nothing_to_learn_from(crm: Crm) -> None:
    yesterday = crm.firm.today(crm.clock()) - timedelta(days=1)
    add_customers(crm, ["ana"])
    add_order(crm, "a", "ana", yesterday, "30.00")
    report = score(crm)
    assert not report.run.published
    assert [(d.code, d.blocking) for d in report.diagnostics] == [("too_few_repeat_buyers", True)]
    assert (
        report.diagnostics[0].message == "No customer has been known for a day, so there is nothing to fit."
    )


def test_a_refresh_repeats_the_batch_and_an_order_counts_at_once(crm_on_both: Crm) -> None:
    crm = crm_on_both
    ids = young_shop(crm)
    today = crm.firm.today(crm.clock())
    score(crm, as_of=today)
    before = [value_card(crm, c) for c in ids]
    with crm.store.write() as tx:
        assert refresh_values(tx, crm.firm, ids, crm.clock())
    after = [value_card(crm, c) for c in ids]
    for one, other in zip(before, after, strict=True):
        assert one is not None
        assert other is not None
        assert (one.clv, one.clv_low, one.tier) == (other.clv, other.clv_low, other.tier)
    add_order(crm, "new", ids[0], today, "400.00")
    with crm.store.write() as tx:
        refresh_values(tx, crm.firm, [ids[0]], crm.clock())
    richer = value_card(crm, ids[0])
    assert richer is not None
    assert before[0] is not None
    assert richer.clv > before[0].clv
    assert richer.p_alive == 1.0


def test_report_and_profile_say_that_the_value_rests_on_an_assumption(crm: Crm) -> None:
    ids = young_shop(crm)
    score(crm)
    rests_on = customer_profile(crm, ids[0]).rests_on
    assert rests_on is not None
    assert "margin times retention" in rests_on
    said = CliRunner().invoke(value_commands, ["explain", ids[0]], obj=lambda: crm).output
    assert f"The value rests on an assumption: {rests_on}" in said
    report = value_report(crm)
    page = render(report)
    assert "values are margin times retention and rest on an assumption" in page
    assert "leaving_rate" in page


def test_what_would_happen_is_said_of_a_young_firm_too(crm: Crm) -> None:
    young_shop(crm)
    total = score(crm).total_value
    found = if_margins_change(crm, Decimal(-5))
    assert found.before.clv == total
    assert found.after.clv < found.before.clv


def test_the_model_can_be_looked_at_alone_in_days_and_in_weeks(crm: Crm) -> None:
    young_shop(crm)
    by_day, by_week = (fit_model(crm, "plain_retention", None, unit).model for unit in ("day", "week"))
    assert by_day.publishable_
    for name in ("purchase_rate", "leaving_rate"):
        a_day, a_week = getattr(by_day.params_, name), getattr(by_week.params_, name)
        assert a_week == pytest.approx(7 * a_day, rel=1e-6)
        assert 0 < getattr(by_day.standard_errors_, name) < a_day
    assert by_day.log_likelihood_ < 0


def test_a_shop_that_nobody_leaves_is_valued_and_nobody_is_taken_for_gone(crm: Crm) -> None:
    """Sixty who buy at one pace and never leave: BG/NBD cannot say who left."""
    rng = np.random.default_rng(4)
    today = crm.firm.today(crm.clock())
    ids = [f"r{i:02d}" for i in range(60)]
    add_customers(crm, ids)
    for i, customer_id in enumerate(ids):
        for n, ago in enumerate(sorted({400, *rng.integers(2, 400, 12).tolist()})):
            add_order(crm, f"o{i}-{n}", customer_id, today - timedelta(days=ago), "30.00")
    report = score(crm)
    assert report.run.published
    (said,) = [d for d in report.diagnostics if d.code == "dropout_not_identified"]
    assert not said.blocking
    assert "silence takes nobody for gone" in said.message
    assert "same_rates_assumed" not in [d.code for d in report.diagnostics]
    card = value_card(crm, ids[0])
    assert card is not None
    assert card.p_alive > 0.99
