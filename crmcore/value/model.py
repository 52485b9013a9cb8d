"""What the value of one customer takes from his firm, so that he can be valued alone as in a batch."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.value.bgnbd import BGNBD
from crmcore.value.cost_to_serve import CostModel
from crmcore.value.forecasting import Forecaster
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.plain_retention import PlainRetention
from crmcore.value.summary import InvalidHistory

FloatArray = NDArray[np.float64]
Buying = BGNBD | PlainRetention

DAYS_PER_YEAR = 365.0


@dataclass(frozen=True)
class ValueTerms:
    """margin : the firm's usual contribution share, 0..1; discount_rate : annual effective; horizon_days."""

    margin: float
    discount_rate: float
    horizon_days: float

    def __post_init__(self) -> None:
        if not (0 <= self.margin <= 1 and self.discount_rate >= 0 and 0 < self.horizon_days < math.inf):
            raise InvalidHistory(
                f"value needs a margin in 0..1, discount_rate >= 0 and a finite horizon_days > 0; got {self}"
            )

    @property
    def discount_per_day(self) -> float:
        """Continuous; one year of it is ``discount_rate``."""
        return math.log1p(self.discount_rate) / DAYS_PER_YEAR


@dataclass(frozen=True)
class Ledger:
    """What is known of each customer's money beyond his orders, in the summary's order; shape (n,), currency.

    margin : recorded contribution of his orders, returns not yet taken off; returned_margin : that of his
    returns. service_cost, service_cost_squared : his recorded service costs and the sum of their squares.
    """

    margin: FloatArray
    returned_margin: FloatArray
    service_cost: FloatArray
    service_cost_squared: FloatArray

    def take(self, rows: NDArray[np.intp]) -> Ledger:
        """These customers alone."""
        return Ledger(**{name: column[rows] for name, column in vars(self).items()})

    @property
    def history_value(self) -> FloatArray:
        """What he has brought so far, after returns and service; not discounted."""
        return self.margin - self.returned_margin - self.service_cost


@dataclass(frozen=True)
class ValueModel:
    """Fitted parameters and firm-wide constants of one scoring.

    purchases : BG/NBD, or plain retention where too few bought again to tell customers apart.
    without_leaving : of the same kind, for those whose silence says nothing (always a share): nobody leaves.
    usual_return : returns over orders of the whole firm, 0..1. typical_spend : mean spend
    on a purchase of somebody unknown, currency; it weighs the firm's usual shares against a customer's own.
    parameter_error : relative standard error of the firm's expected spend through the fitted parameters and
    the pace ahead.
    forecaster : the shop's pace and its customers' habits, which correct the closed forms; None where too few
    bought again to learn them from.
    """

    purchases: Buying
    without_leaving: Buying
    spend: GammaGamma
    costs: CostModel
    usual_return: float
    typical_spend: float
    parameter_error: float
    terms: ValueTerms
    forecaster: Forecaster | None = None

    def to_parameters(self) -> dict[str, Any]:
        """As JSON that loses no bit of any figure."""
        return {
            "purchases": json.loads(self.purchases.to_json()),
            "without_leaving": json.loads(self.without_leaving.to_json()),
            "spend": json.loads(self.spend.to_json()),
            "costs": asdict(self.costs),
            "usual_return": self.usual_return,
            "typical_spend": self.typical_spend,
            "parameter_error": self.parameter_error,
            "terms": asdict(self.terms),
            "forecaster": None if self.forecaster is None else self.forecaster.to_parameters(),
        }

    @classmethod
    def from_parameters(cls, stored: Mapping[str, Any]) -> ValueModel:
        """What :meth:`to_parameters` wrote; raises InvalidParameters for those of another version."""
        return cls(
            purchases=_buying(stored["purchases"]),
            without_leaving=_buying(stored["without_leaving"]),
            spend=GammaGamma.from_json(json.dumps(stored["spend"])),
            costs=CostModel(**stored["costs"]),
            usual_return=stored["usual_return"],
            typical_spend=stored["typical_spend"],
            parameter_error=stored["parameter_error"],
            terms=ValueTerms(**stored["terms"]),
            forecaster=None
            if stored["forecaster"] is None
            else Forecaster.from_parameters(stored["forecaster"]),
        )


def _buying(stored: Mapping[str, Any]) -> Buying:
    plain = stored["model"] == PlainRetention.NAME
    return (PlainRetention if plain else BGNBD).from_json(json.dumps(stored))
