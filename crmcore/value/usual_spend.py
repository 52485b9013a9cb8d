"""What a purchase usually costs in a shop, where too few bought again to learn how customers differ in it."""

from __future__ import annotations

import math

from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.summary import PurchaseSummary

_P, _Q = 1.0, 3.0
_LEAST = 1e-9  # Currency; so that a shop that gives everything away has a spend, too.


def mean_spend(summary: PurchaseSummary) -> float:
    """Of all purchases, the first ones too; currency."""
    return max(float(summary.spent.sum() / (summary.frequency + 1).sum()), _LEAST)


def usual_spend(summary: PurchaseSummary) -> GammaGamma:
    """Each one's own mean with the weight of his repeat purchases, against two of the usual; not fitted."""
    return GammaGamma.of(p=_P, q=_Q, v=(_Q - 1) / _P * mean_spend(summary))


def is_assumed(spend: GammaGamma) -> bool:
    """Whether it is a :func:`usual_spend`."""
    p = spend.params_
    return math.isnan(spend.log_likelihood_) and (p.p, p.q) == (_P, _Q)


def usual_spend_error(summary: PurchaseSummary) -> float:
    """Relative standard error of the usual spend: that of one purchase of somebody unknown, as assumed, by
    the root of the number of customers."""
    one = (1 + 1 / _P) * (1 + 1 / (_Q - 2)) - 1
    return math.sqrt(one / len(summary))
