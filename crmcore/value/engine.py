"""One scoring of a firm: fit, check, value every customer. Nothing is valued by a fit that fails."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crmcore.value.benchmarks import Benchmarks, find_benchmarks
from crmcore.value.bgnbd import BGNBD
from crmcore.value.clv import CustomerValues, learn_from_firm, value_customers
from crmcore.value.concentration import check_concentration
from crmcore.value.fitting import Diagnostic
from crmcore.value.forecast_choice import ENOUGH_TO_CHOOSE, fit_forecaster
from crmcore.value.forecasting import Forecaster
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.model import Ledger, ValueModel, ValueTerms
from crmcore.value.peers import purchase_size
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.purchase_model import check_end, check_horizon
from crmcore.value.summary import PurchaseSummary

# The last part changes whenever the same orders would get another value or another tier.
MODEL_VERSION = (
    f"{BGNBD.NAME}/{BGNBD.VERSION}+{GammaGamma.NAME}/{GammaGamma.VERSION}+clv/5+forecast/2+tiers/2"
)


@dataclass(frozen=True)
class FirmFit:
    """``model`` is None when a diagnostic forbids publishing, a fit when there was nothing to fit."""

    purchases: BGNBD | None
    spend: GammaGamma | None
    model: ValueModel | None
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Scoring:
    """``values`` and ``benchmarks`` are None when the fit's ``model`` is."""

    fit: FirmFit
    values: CustomerValues | None
    benchmarks: Benchmarks | None


def fit_firm(
    summary: PurchaseSummary, ledger: Ledger, terms: ValueTerms, log: PurchaseLog | None = None
) -> FirmFit:
    """Fit the models to the summary, and learn what the value of one customer takes from all.

    log : the purchases behind ``summary``; with it, the shop's pace and its customers' habits correct the
    closed forms, where its own past does not speak against them.
    """
    if not ((summary.frequency > 0) & (summary.monetary_value > 0)).any():
        message = f"None of {len(summary)} customers has spent on a repeat purchase; there is nothing to fit."
        return FirmFit(None, None, None, (Diagnostic("too_few_repeat_buyers", message, True),))
    purchases, spend = BGNBD().fit(summary), GammaGamma().fit(summary)
    of_log = check_horizon(summary, terms.horizon_days) + check_end(summary)
    of_log += check_concentration(summary.spent, "spend")
    diagnostics = purchases.diagnostics_ + spend.diagnostics_ + of_log
    if any(d.blocking for d in diagnostics):
        return FirmFit(purchases, spend, None, diagnostics)
    forecaster = None if log is None else _forecaster(log, summary, terms)
    model = learn_from_firm(summary, ledger, purchases, spend, terms, forecaster)
    return FirmFit(purchases, spend, model, diagnostics)


def score_firm(
    summary: PurchaseSummary,
    ledger: Ledger,
    terms: ValueTerms,
    comes_back: NDArray[np.bool_] | None = None,
    log: PurchaseLog | None = None,
) -> Scoring:
    """Fit, and value the summary's customers over ``terms.horizon_days``, all in this process.

    comes_back : see :func:`~crmcore.value.clv.value_customers`. log : see :func:`fit_firm`.
    """
    fit = fit_firm(summary, ledger, terms, log)
    if fit.model is None:
        return Scoring(fit, None, None)
    values = value_customers(summary, ledger, fit.model, comes_back, log)
    size = purchase_size(summary)
    return Scoring(fit, values, find_benchmarks(summary.T, size, values.clv, values.expected_purchases))


def _forecaster(log: PurchaseLog, summary: PurchaseSummary, terms: ValueTerms) -> Forecaster | None:
    """None where too few bought again to choose among the layers."""
    if int((summary.frequency > 0).sum()) < ENOUGH_TO_CHOOSE:
        return None
    # Everybody's T ends on the same day; whatever their order, the oldest customer is the same in both.
    until = int(log.first_day.min() + summary.T.max())
    return fit_forecaster(log, until, math.ceil(terms.horizon_days))
