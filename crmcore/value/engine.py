"""One scoring of a firm: fit, check, value every customer. Nothing is valued by a fit that fails."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crmcore.value.benchmarks import Benchmarks, find_benchmarks
from crmcore.value.bgnbd import BGNBD
from crmcore.value.clv import CustomerValues, learn_from_firm, value_customers
from crmcore.value.concentration import check_concentration
from crmcore.value.dropout import MIN_REPEAT_BUYERS
from crmcore.value.fitting import Diagnostic
from crmcore.value.forecast_choice import fit_forecaster
from crmcore.value.forecasting import Forecaster
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.model import Buying, Ledger, ValueModel, ValueTerms
from crmcore.value.peers import purchase_size
from crmcore.value.plain_retention import PlainRetention
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.purchase_model import check_end, check_horizon
from crmcore.value.summary import PurchaseSummary
from crmcore.value.usual_spend import usual_spend

# The last part changes whenever the same orders would get another value or another tier.
MODEL_VERSION = (
    f"{BGNBD.NAME}/{BGNBD.VERSION}+plain/{PlainRetention.VERSION}"
    f"+{GammaGamma.NAME}/{GammaGamma.VERSION}+clv/7+forecast/3+tiers/2"
)
ENOUGH_SPENDERS = 20  # Of fewer, the mean of a fitted spend hangs on one or two.


@dataclass(frozen=True)
class FirmFit:
    """``model`` is None when a diagnostic forbids publishing, a fit when there was nothing to fit."""

    purchases: Buying | None
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

    Where fewer than ``MIN_REPEAT_BUYERS`` bought again and paid, nothing tells customers apart, and all are
    valued by plain retention, which says so.

    log : the purchases behind ``summary``; with it, the shop's pace and its customers' habits correct the
    closed forms, where its own past does not speak against them.
    """
    if not (summary.T > 0).any():
        message = "No customer has been known for a day, so there is nothing to fit."
        return FirmFit(None, None, None, (Diagnostic("too_few_repeat_buyers", message, True),))
    of_log = check_horizon(summary, terms.horizon_days) + check_end(summary)
    of_log += check_concentration(summary.spent, "spend")
    purchases: Buying
    few = _spenders(summary) < MIN_REPEAT_BUYERS
    if few:
        purchases, spend, of_fits = _fit_few(summary)
    else:
        purchases, of_purchases = _fit_purchases(summary)
        spend, of_spend = _fit_spend(summary)
        of_fits = of_purchases + of_spend
    diagnostics = of_fits + of_log
    if any(d.blocking for d in diagnostics):
        return FirmFit(purchases, spend, None, diagnostics)
    forecaster = None if log is None or few else _forecaster(log, summary, terms)
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


def _spenders(summary: PurchaseSummary) -> int:
    """Who has spent on a repeat purchase."""
    return int(np.count_nonzero((summary.frequency > 0) & (summary.monetary_value > 0)))


def _fit_few(summary: PurchaseSummary) -> tuple[Buying, GammaGamma, tuple[Diagnostic, ...]]:
    """Plain retention with a spend that holds, and what a reader must know of both."""
    purchases, found = PlainRetention().fit(summary), _spenders(summary)
    spend: GammaGamma | None = None
    of_spend: tuple[Diagnostic, ...] = ()
    if found >= ENOUGH_SPENDERS:
        fitted = GammaGamma().fit(summary)
        others = tuple(d for d in fitted.diagnostics_ if d.code != "too_few_repeat_buyers")
        if not any(d.blocking or d.code == "differences_not_identified" for d in others):
            spend, of_spend = fitted, others
    why = (
        f"{found} of {len(summary)} customers have spent on a repeat purchase; {MIN_REPEAT_BUYERS} who did "
        "are needed to tell customers apart, so values are margin times retention and rest on an assumption."
    )
    if spend is None:
        spend = usual_spend(summary)
        why += " What a customer spends is his own mean, weighed against two of the shop's usual purchases."
    of_purchases = tuple(
        Diagnostic(d.code, f"{why} {d.message}", d.blocking) if d.code == "same_rates_assumed" else d
        for d in purchases.diagnostics_
    )
    return purchases, spend, of_purchases + of_spend


def _fit_purchases(summary: PurchaseSummary) -> tuple[BGNBD, tuple[Diagnostic, ...]]:
    """BG/NBD; without a chance to leave where the orders show none, as a young shop's may before its first
    quiet season: that is no reason to value nobody."""
    purchases = BGNBD().fit(summary)
    if all(d.code != "dropout_not_identified" for d in purchases.diagnostics_):
        return purchases, purchases.diagnostics_
    staying = BGNBD().fit_without_leaving(summary)
    instead = "Until they do, silence takes nobody for gone; it only lowers how often he is expected to buy."
    return staying, staying.diagnostics_ + tuple(
        replace(d, message=f"{d.message} {instead}", blocking=False)
        for d in purchases.diagnostics_
        if d.code == "dropout_not_identified"
    )


def _fit_spend(summary: PurchaseSummary) -> tuple[GammaGamma, tuple[Diagnostic, ...]]:
    """Gamma-Gamma; the usual spend where a few who spend enormously make its mean infinite: that is no reason
    to value nobody."""
    spend = GammaGamma().fit(summary)
    if all(d.code != "spend_mean_infinite" for d in spend.diagnostics_):
        return spend, spend.diagnostics_
    instead = "Each is valued by his own mean, weighed against two of the shop's usual purchases."
    return usual_spend(summary), tuple(
        replace(d, message=f"{d.message} {instead}", blocking=False) if d.code == "spend_mean_infinite" else d
        for d in spend.diagnostics_
        if d.code != "not_converged"  # What is not used need not have converged.
    )


def _forecaster(log: PurchaseLog, summary: PurchaseSummary, terms: ValueTerms) -> Forecaster:
    # Everybody's T ends on the same day; whatever their order, the oldest customer is the same in both.
    until = int(log.first_day.min() + summary.T.max())
    return fit_forecaster(log, until, math.ceil(terms.horizon_days))
