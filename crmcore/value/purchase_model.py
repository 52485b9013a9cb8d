"""What scoring needs of a purchase model, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from crmcore.value.fitting import Diagnostic
from crmcore.value.summary import PurchaseSummary

FloatArray = NDArray[np.float64]


# So long a silence of all customers, and so many purchases of the usual pace in it, are no chance.
_QUIET_DAYS = 30
_MISSED_PURCHASES = 30


@dataclass(frozen=True)
class Forecast:
    """What is foreseen of each customer over a horizon; arrays have the summary's order and shape (n,).

    p_alive : probability of being active at ``observed_until``.
    expected_purchases : count over the horizon.
    discounted_purchases : the same, each purchase worth exp(-discount s) after s.
    active_time : discounted time within the horizon on which he is still active; unit of the summary.
    diagnostics : what a reader must know of the horizon.
    """

    p_alive: FloatArray
    expected_purchases: FloatArray
    discounted_purchases: FloatArray
    active_time: FloatArray
    diagnostics: tuple[Diagnostic, ...]


class PurchaseModel(Protocol):
    """A fitted model of buying and leaving. Times are in the unit of the summary that it was fitted to.

    ``discount`` is continuous, for each unit of time; ``horizon`` may be infinite where it is > 0.
    """

    def p_alive(self, summary: PurchaseSummary) -> FloatArray:
        """Probability that each customer is still active at ``observed_until``; (n,), in [0, 1]."""
        ...

    def expected_purchases(
        self, summary: PurchaseSummary, horizon: float, discount: float = 0.0
    ) -> FloatArray:
        """(Discounted) purchases of each customer over the horizon; (n,)."""
        ...

    def expected_active_time(
        self, summary: PurchaseSummary, horizon: float, discount: float = 0.0
    ) -> FloatArray:
        """(Discounted) time within the horizon on which each customer is still active; (n,)."""
        ...

    def predict(self, summary: PurchaseSummary, horizon: float, discount: float = 0.0) -> Forecast:
        """All of the above in one pass, to the same bits."""
        ...

    def purchase_rate(self, summary: PurchaseSummary) -> tuple[FloatArray, FloatArray]:
        """Shape and rate of the gamma distribution of each customer's purchase rate while active; (n,)."""
        ...


def check_horizon(summary: PurchaseSummary, horizon: float) -> tuple[Diagnostic, ...]:
    """Says when a horizon is longer than twice what was seen of anybody: nothing observed speaks of it."""
    longest = float(summary.T.max()) if len(summary) else 0.0
    if horizon <= 2 * longest:
        return ()
    message = (
        f"The horizon ({horizon:g}) is more than twice the longest time that anybody was observed "
        f"({longest:g}); beyond it the figures rest on the model's assumptions alone."
    )
    return (Diagnostic("extrapolates_beyond_twice_T", message, False),)


def check_end(summary: PurchaseSummary) -> tuple[Diagnostic, ...]:
    """Says when all customers fell silent together, as they do when the orders of the last weeks are missing:
    a month, in which the pace until then would have brought thirty purchases. Times in days."""
    if not len(summary):
        return ()
    quiet = float(summary.days_since_last_purchase.min())
    pace = float((summary.frequency + 1).sum()) / (float(summary.T.max()) - quiet + 1)
    if quiet < _QUIET_DAYS or quiet * pace < _MISSED_PURCHASES:
        return ()
    message = (
        f"Nobody has bought for {quiet:.0f} days, and before that {pace:.1f} purchases came a day. If orders "
        "are missing, everybody seems to have left, and all values are too low."
    )
    return (Diagnostic("log_ends_early", message, False),)
