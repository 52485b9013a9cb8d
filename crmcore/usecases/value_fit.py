"""Fitting one model to the firm's books, to look at it: nothing is scored and nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from crmcore.crm import Crm
from crmcore.usecases.observation import last_observed_day
from crmcore.usecases.value_refresh import books_of
from crmcore.value import (
    BGNBD,
    MBGNBD,
    Estimator,
    GammaGamma,
    ParetoNBD,
    PlainRetention,
    PurchaseSummary,
    ShiftedBetaGeometric,
)
from crmcore.value.concentration import check_concentration
from crmcore.value.contracts import summarise_contracts
from crmcore.value.fitting import Diagnostic
from crmcore.value.model import DAYS_PER_YEAR

FittedModel = Literal["bgnbd", "mbgnbd", "pareto_nbd", "plain_retention", "gamma_gamma", "sbg"]
TimeUnit = Literal["day", "week"]

_DAYS: Mapping[TimeUnit, int] = {"day": 1, "week": 7}
# The summary, and the days of its unit of time.
_OF_ORDERS: Mapping[str, Callable[[PurchaseSummary, int], Estimator[Any]]] = {
    "bgnbd": lambda summary, days: BGNBD().fit(summary),
    "mbgnbd": lambda summary, days: MBGNBD().fit(summary),
    "pareto_nbd": lambda summary, days: ParetoNBD().fit(summary),
    "plain_retention": lambda summary, days: PlainRetention(year=DAYS_PER_YEAR / days).fit(summary),
    "gamma_gamma": lambda summary, days: GammaGamma().fit(summary),
}


@dataclass(frozen=True)
class FitReport:
    """A fitted model and what it was fitted to. Contracts are counted in years, whatever unit was asked for.

    diagnostics : of the model, and of the orders behind it.
    """

    model: Estimator[Any]
    diagnostics: tuple[Diagnostic, ...]
    observed_until: date
    time_unit: TimeUnit | Literal["year"]


def fit_model(
    crm: Crm, model: FittedModel, until: date | None = None, time_unit: TimeUnit = "day"
) -> FitReport:
    """Fit to all that is in the books until the end of ``until`` (the last whole day, unless given).

    In weeks, times are days / 7; purchases stay those of whole days. Raises ``InvalidHistory`` where there is
    nothing to fit, ``DayInTheFuture``, and ``ForeignCurrency`` for a row in another currency.
    """
    firm = crm.firm
    observed_until = last_observed_day(firm, crm.clock(), until)
    if model == "sbg":
        with crm.store.read() as tx:
            rows = tx.orders.contracts_started(observed_until)
        contracts = summarise_contracts(rows, observed_until=observed_until)
        of_contracts = ShiftedBetaGeometric().fit(contracts)
        return FitReport(of_contracts, of_contracts.diagnostics_, observed_until, "year")
    with crm.store.read() as tx:
        books = books_of(tx, firm, firm.currency, firm.value.margin, observed_until)
    summary = books.summary.in_units_of(_DAYS[time_unit])
    fitted = _OF_ORDERS[model](summary, _DAYS[time_unit])
    diagnostics = fitted.diagnostics_ + check_concentration(summary.spent, "spend")
    return FitReport(fitted, diagnostics, observed_until, time_unit)
