"""Loyalty groups: profitability against loyalty, each with its own strategy.

Reinartz & Kumar (2002), "The Mismanagement of Customer Loyalty", Harvard Business Review 80(7). Who brings
more than the middle of the firm is profitable; who is expected to buy more often than its middle is loyal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crmcore.money import format_money
from crmcore.value.finding import Finding

LoyaltyGroup = Literal["stranger", "butterfly", "true_friend", "barnacle"]

STRATEGY: Mapping[str, str] = {
    "stranger": "Earn on every transaction; invest in nothing beyond it.",
    "butterfly": "Enjoy the purchases while they last; do not chase him once he goes quiet.",
    "true_friend": "Talk regularly, not too often; delight him, and ask what else he needs.",
    "barnacle": "Find out whether he has more to spend; serve him by a cheaper channel, never by less.",
}
# Of those whom the firm develops, one by one: nobody is told to save on them.
STRATEGY_OF_FEW: Mapping[str, str] = {
    "stranger": "Ask what he needs beyond what he buys, and serve it.",
    "butterfly": "Enjoy the purchases while they last, and ask what would bring him back.",
    "true_friend": STRATEGY["true_friend"],
    "barnacle": "Find out whether he has more to spend, and serve it.",
}


@dataclass(frozen=True)
class LoyaltyBorders:
    """The middle of the firm: clv (currency, at least 0) and expected purchases over the horizon (count)."""

    clv: float
    purchases: float


def loyalty_borders(clv: NDArray[np.float64], expected_purchases: NDArray[np.float64]) -> LoyaltyBorders:
    """Medians over all customers; nobody whose service costs more than he brings is profitable."""
    return LoyaltyBorders(max(float(np.median(clv)), 0.0), float(np.median(expected_purchases)))


def group_of(clv: float, expected_purchases: float, borders: LoyaltyBorders) -> LoyaltyGroup:
    groups: dict[tuple[bool, bool], LoyaltyGroup] = {
        (False, False): "stranger",
        (True, False): "butterfly",
        (True, True): "true_friend",
        (False, True): "barnacle",
    }
    return groups[clv > borders.clv, expected_purchases > borders.purchases]


def loyalty_group(
    clv: float, expected_purchases: float, borders: LoyaltyBorders, currency: str
) -> Finding[LoyaltyGroup]:
    """His group and why; money in ``currency``."""
    profitable, loyal = clv > borders.clv, expected_purchases > borders.purchases
    value, middle = (format_money(Decimal(amount), currency) for amount in (clv, borders.clv))
    why = (
        f"His value of {value} is {'above' if profitable else 'not above'} the firm's middle of "
        f"{middle}, and {expected_purchases:.1f} purchases are expected of him, "
        f"{'more than' if loyal else 'not more than'} the middle of {borders.purchases:.1f}."
    )
    return Finding(group_of(clv, expected_purchases, borders), why, "estimated")
