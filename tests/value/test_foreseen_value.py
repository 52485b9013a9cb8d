"""The value of a customer whose firm has a season: closed forms, corrected by the forecast."""

import json
from dataclasses import dataclass, fields, replace
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from crmcore.value.clv import CustomerValues, value_customers
from crmcore.value.engine import Scoring, score_firm
from crmcore.value.forecasting import Forecaster, Foreseen, Variant
from crmcore.value.model import Ledger, ValueModel, ValueTerms
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.summary import InvalidHistory
from tests.value.worlds import World, a_world

FloatArray = NDArray[np.float64]

UNTIL, HORIZON = 560, 150
TERMS = ValueTerms(0.4, 0.1, HORIZON)


def ledger_of(log: PurchaseLog) -> Ledger:
    spent = log.summary(UNTIL).spent
    costs = np.where(np.arange(len(log)) % 3 == 0, 4.2, 0.0)
    return Ledger(0.4 * spent, np.zeros(len(log)), costs, costs**2)


def scored(log: PurchaseLog, comes_back: np.ndarray | None = None) -> Scoring:
    return score_firm(log.summary(UNTIL), ledger_of(log), TERMS, comes_back, log)


@pytest.fixture(scope="module")
def shop() -> PurchaseLog:
    return a_world("season", seed=1, customers=1_500).until(UNTIL)


@pytest.fixture(scope="module")
def season(shop: PurchaseLog) -> Scoring:
    return scored(shop)


def test_purchases_and_spend_are_those_of_the_forecast(shop: PurchaseLog, season: Scoring) -> None:
    assert season.fit.model is not None
    assert season.values is not None
    forecaster = season.fit.model.forecaster
    assert forecaster is not None
    assert forecaster.variant != Variant()
    foreseen = forecaster.predict(shop)
    np.testing.assert_allclose(season.values.expected_purchases, foreseen.purchases, rtol=1e-9)
    spend = season.values.expected_purchases * season.values.expected_spend
    np.testing.assert_allclose(spend, foreseen.spend, rtol=1e-9)


def test_chances_stay_chances_and_intervals_hold_the_value(season: Scoring) -> None:
    values = season.values
    assert values is not None
    for column in fields(CustomerValues):
        assert np.isfinite(getattr(values, column.name)).all()
    assert ((values.p_alive >= 0) & (values.p_alive <= 1)).all()
    # Whoever has left with more than 97.5 % has an interval of nothing, which lies below his mean.
    may_buy = values.p_alive > 0.04
    assert may_buy.mean() > 0.8
    assert (values.low <= values.clv + 1e-9)[may_buy].all()
    assert (values.high >= values.clv - 1e-9)[may_buy].all()


@dataclass(frozen=True)
class Pessimist:
    """Foresees a share of what the closed form expects of each customer."""

    purchases: FloatArray

    def predict(self, log: PurchaseLog, until: int | None = None) -> Foreseen:
        return Foreseen(self.purchases, 50.0 * self.purchases)


@pytest.mark.parametrize(("share", "alive"), [(1.0, 1.0), (0.34, 1.0), (0.1, 0.3)])
def test_a_one_time_buyer_is_surely_active_unless_less_than_a_third_is_foreseen(
    shop: PurchaseLog, season: Scoring, share: float, alive: float
) -> None:
    """As the card and the method page say."""
    assert season.fit.model is not None
    summary, ledger = shop.summary(UNTIL), ledger_of(shop)
    model = season.fit.model
    expected = model.purchases.expected_purchases(summary, HORIZON)
    gloomy = replace(model, forecaster=cast(Forecaster, Pessimist(share * expected)))
    values = value_customers(summary, ledger, gloomy, None, shop)
    once = summary.frequency == 0
    assert once.sum() > 100
    np.testing.assert_allclose(values.p_alive[once], alive)


def test_one_customer_is_valued_from_stored_parameters_to_the_bit(shop: PurchaseLog, season: Scoring) -> None:
    assert season.fit.model is not None
    model = ValueModel.from_parameters(json.loads(json.dumps(season.fit.model.to_parameters())))
    summary, ledger = shop.summary(UNTIL), ledger_of(shop)
    for i in (0, 3, 411, 1_200):
        rows = shop.customer == i
        alone = PurchaseLog.of([i], np.zeros(rows.sum(), dtype=np.int64), shop.day[rows], shop.spend[rows])
        row = np.array([i])
        found = value_customers(summary.take(row), ledger.take(row), model, None, alone)
        for column in fields(CustomerValues):
            assert getattr(found, column.name)[0] == getattr(season.values, column.name)[i], column.name


def test_who_is_always_a_share_is_not_corrected_by_what_leavers_do(shop: PurchaseLog) -> None:
    share = np.zeros(len(shop), dtype=bool)
    share[5] = True
    found = scored(shop, share)
    assert found.fit.model is not None
    assert found.values is not None
    staying = found.fit.model.without_leaving.expected_purchases(
        shop.summary(UNTIL).take(np.array([5])), HORIZON
    )
    assert found.values.expected_purchases[5] == pytest.approx(staying[0], rel=1e-12)


@pytest.mark.parametrize("world", ["plain", "season"])
def test_a_firm_of_few_repeat_buyers_is_foreseen_without_trials(world: World) -> None:
    found = scored(a_world(world, seed=2, customers=180).until(UNTIL))
    model = found.fit.model
    assert model is not None
    assert model.forecaster is not None
    assert model.forecaster.trials == ()


def test_a_corrected_model_asks_for_the_purchases_behind_the_summary(
    shop: PurchaseLog, season: Scoring
) -> None:
    assert season.fit.model is not None
    with pytest.raises(InvalidHistory, match="purchase log"):
        value_customers(shop.summary(UNTIL), ledger_of(shop), season.fit.model)
