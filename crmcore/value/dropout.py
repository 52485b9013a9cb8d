"""What the purchase models share: all that follows from p_alive and from what an active customer does."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from crmcore.value.ahead import Tables, check_ahead, integrate
from crmcore.value.estimator import Estimator
from crmcore.value.fitting import LEAST_GAIN, Diagnostic, Optimum
from crmcore.value.purchase_model import Forecast, check_horizon
from crmcore.value.summary import InvalidHistory, PurchaseSummary, check_summary

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FloatArray = NDArray[np.float64]

MIN_REPEAT_BUYERS = 50
NEVER = 1e-100  # A chance, or a rate, to leave that no silence outweighs.
LONGEST_ODDS = 200.0  # Powers of e; a chance to be active below 1e-86 is none.


class DropoutModel[P: DataclassInstance](Estimator[P], ABC):
    """Customers buy at a rate of their own until they leave unseen; a :class:`PurchaseModel`.

    Times are in the unit of the summary that the model was fitted to (days everywhere in the product).
    ``discount`` is continuous for each unit of time; ``horizon`` may be infinite where it is > 0.
    """

    @abstractmethod
    def fit(self, summary: PurchaseSummary) -> Self:
        """Maximum-likelihood parameters, without penalty or prior, so in any unit of time the same.

        Raises InvalidHistory where nobody was observed for any time.
        """

    @abstractmethod
    def log_likelihood(self, summary: PurchaseSummary) -> FloatArray:
        """Log-likelihood of each history under ``params_``; (n,)."""

    @abstractmethod
    def p_alive(self, summary: PurchaseSummary) -> FloatArray:
        """Probability that each customer is still active at ``observed_until``; (n,), in [0, 1]."""

    @abstractmethod
    def purchase_count_probability(self, t: float, x: int) -> float:
        """P(X(t) = x): somebody new makes x repeat purchases in his first t units of time."""

    @abstractmethod
    def expected_purchases_of_newcomer(self, t: FloatArray | float) -> FloatArray:
        """E[X(t)]: repeat purchases of somebody new in his first t units of time; shape as t."""

    @abstractmethod
    def purchase_rate(self, summary: PurchaseSummary) -> tuple[FloatArray, FloatArray]:
        """Shape and rate of the gamma distribution of each customer's purchase rate while active; (n,)."""

    @abstractmethod
    def _ahead(
        self,
        summary: PurchaseSummary,
        horizon: float,
        of_purchases: tuple[float, ...],
        of_time: tuple[float, ...],
    ) -> list[FloatArray]:
        """Of customers who are active now: purchases within the horizon under each discount ``of_purchases``,
        then active time under each discount ``of_time``; each (n,).

        Raises InvalidHistory for a time ahead that has no value.
        """

    def expected_purchases(
        self, summary: PurchaseSummary, horizon: float, discount: float = 0.0
    ) -> FloatArray:
        """(Discounted) purchases of each customer over the horizon after ``observed_until``; (n,).

        With a discount each purchase counts exp(-discount s) after s: discounted expected transactions
        (DET), and over an endless horizon the residual ones (DERT).
        """
        (purchases,) = self._ahead(summary, horizon, (discount,), ())
        purchases *= self.p_alive(summary)
        return purchases

    def expected_active_time(
        self, summary: PurchaseSummary, horizon: float, discount: float = 0.0
    ) -> FloatArray:
        """(Discounted) time within the horizon on which each customer is still active; (n,)."""
        (time,) = self._ahead(summary, horizon, (), (discount,))
        time *= self.p_alive(summary)
        return time

    def if_active(
        self, summary: PurchaseSummary, horizon: float, discount: float
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of customers who are active now: purchases, discounted purchases and discounted active time within
        the horizon; each (n,). They depend on frequency and T alone.
        """
        purchases, discounted, time = self._ahead(summary, horizon, (0.0, discount), (discount,))
        return purchases, discounted, time

    def predict(self, summary: PurchaseSummary, horizon: float, discount: float = 0.0) -> Forecast:
        """All that is foreseen of each customer, in one pass and to the same bits as one by one."""
        if not horizon < math.inf:
            raise InvalidHistory("predict needs a finite horizon; expected_purchases takes an endless one")
        alive = self.p_alive(summary)
        purchases, discounted, time = self.if_active(summary, horizon, discount)
        for figures in (purchases, discounted, time):
            figures *= alive
        return Forecast(alive, purchases, discounted, time, check_horizon(summary, horizon))


class HeterogeneousModel[P: DataclassInstance](DropoutModel[P]):
    """Rates differ between customers, so what lies ahead is an integral, which is tabulated."""

    @property
    @abstractmethod
    def _youngest(self) -> float:
        """The age of the purchase rate of somebody who was not observed yet."""

    @abstractmethod
    def _bend(self, x: FloatArray, age: FloatArray) -> FloatArray:
        """The time in which purchases ahead first fall off, for customers who are active now."""

    @abstractmethod
    def _after(self, x: FloatArray, age: FloatArray, s: FloatArray, power: int) -> FloatArray:
        """E[lambda^power exp(-chance to leave within s)] of customers active now, age ``youngest + T``."""

    def _ahead(
        self,
        summary: PurchaseSummary,
        horizon: float,
        of_purchases: tuple[float, ...],
        of_time: tuple[float, ...],
    ) -> list[FloatArray]:
        for discount in of_purchases + of_time:
            check_ahead(horizon, discount)
        n = len(summary)
        if n == 0 or horizon == 0:
            return [np.zeros(n) for _ in of_purchases + of_time]

        # The same parameters have the same tables, whichever object holds them.
        params = tuple(vars(self.params_).values())
        tables = _tables(type(self), params, horizon, of_purchases, of_time)
        return tables.at(summary.frequency, summary.T)


@lru_cache(maxsize=16)
def _tables(
    kind: type[HeterogeneousModel[Any]],
    params: tuple[float, ...],
    horizon: float,
    of_purchases: tuple[float, ...],
    of_time: tuple[float, ...],
) -> Tables:
    model = kind.of(*params)

    def integrals(x: FloatArray, age: FloatArray) -> list[FloatArray]:
        found = []
        for power, discounts in ((1, of_purchases), (0, of_time)):
            after = partial(model._after, power=power)
            found += integrate(after, model._bend, x, age, horizon, discounts)
        return found

    return Tables(integrals, model._youngest)


def check_observed(summary: PurchaseSummary) -> None:
    """Raises InvalidHistory where there is nothing to fit."""
    check_summary(summary)
    if not (summary.T > 0).any():
        raise InvalidHistory("no customer was observed for longer than a day; load orders before fitting")


def diagnose_dropout(
    summary: PurchaseSummary, fit: Optimum, without_dropout: float, names: Sequence[str]
) -> list[Diagnostic]:
    """What a reader of a fitted purchase model must know.

    without_dropout : the best log-likelihood when nobody ever leaves. names : of the parameters.
    """
    found = []
    repeat = int(np.count_nonzero(summary.frequency))
    if repeat < MIN_REPEAT_BUYERS:
        message = (
            f"{repeat} of {len(summary)} customers bought again; {MIN_REPEAT_BUYERS} who did are needed to "
            "tell rates apart."
        )
        found.append(Diagnostic("too_few_repeat_buyers", message, True))
    gain = max(fit.log_likelihood - without_dropout, 0.0)
    vague = [name for name, error in zip(names, fit.standard_errors, strict=True) if np.isnan(error)]
    if gain < LEAST_GAIN:
        message = (
            f"The orders do not show that customers ever leave (dropout gains {gain:.2f} in log-likelihood, "
            f"{LEAST_GAIN} are needed), so every chance to have left would be made up."
        )
        found.append(Diagnostic("dropout_not_identified", message, True))
    elif vague:
        message = (
            f"The orders do not hold {', '.join(vague)} in place: customers seem to differ too little in it. "
            "Expectations are sound, single parameters are not."
        )
        found.append(Diagnostic("differences_not_identified", message, False))
    return found
