"""One scoring of a firm: fit, check, value every customer. Nothing is valued by a fit that fails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crmcore.value.benchmarks import Benchmarks, find_benchmarks
from crmcore.value.bgnbd import BGNBD
from crmcore.value.clv import CustomerValues, learn_from_firm, value_customers
from crmcore.value.fitting import Diagnostic
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.model import Ledger, ValueModel, ValueTerms
from crmcore.value.purchase_model import check_horizon
from crmcore.value.summary import PurchaseSummary

# The last part changes whenever the same orders would get another value or another tier.
MODEL_VERSION = f"{BGNBD.NAME}/{BGNBD.VERSION}+{GammaGamma.NAME}/{GammaGamma.VERSION}+clv/3+tiers/1"


@dataclass(frozen=True)
class Scoring:
    """``model``, ``values`` and ``benchmarks`` are None when a diagnostic forbids publishing, a fit when
    there was nothing to fit."""

    purchases: BGNBD | None
    spend: GammaGamma | None
    model: ValueModel | None
    values: CustomerValues | None
    benchmarks: Benchmarks | None
    diagnostics: tuple[Diagnostic, ...]


def score_firm(
    summary: PurchaseSummary,
    ledger: Ledger,
    terms: ValueTerms,
    comes_back: NDArray[np.bool_] | None = None,
) -> Scoring:
    """Fit both models to the summary and value its customers over ``terms.horizon_days``.

    comes_back : see :func:`~crmcore.value.clv.value_customers`.
    """
    if not ((summary.frequency > 0) & (summary.monetary_value > 0)).any():
        message = f"None of {len(summary)} customers has spent on a repeat purchase; there is nothing to fit."
        return Scoring(None, None, None, None, None, (Diagnostic("too_few_repeat_buyers", message, True),))
    purchases, spend = BGNBD().fit(summary), GammaGamma().fit(summary)
    horizon = check_horizon(summary, terms.horizon_days)
    diagnostics = purchases.diagnostics_ + spend.diagnostics_ + horizon
    if any(d.blocking for d in diagnostics):
        return Scoring(purchases, spend, None, None, None, diagnostics)
    model = learn_from_firm(summary, ledger, purchases, spend, terms)
    values = value_customers(summary, ledger, model, comes_back)
    return Scoring(purchases, spend, model, values, find_benchmarks(summary, values), diagnostics)
