"""Relationship level: from basic to full partnership, by how much margin a customer leaves and how many
there are like him.

Kotler, "Marketing Management": where many customers leave a low margin the relationship is basic; where few
leave a high one it is a partnership. The benefits that tie are financial, social or structural.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from crmcore.tiers import Tier
from crmcore.value.finding import Finding
from crmcore.value.keeping import FEW

Level = Literal["basic", "reactive", "accountable", "proactive", "partnership"]

PRACTICE: Mapping[str, str] = {
    "basic": "Sell and serve well; financial benefits.",
    "reactive": "Sell, and ask him to call when anything is wrong.",
    "accountable": "Ask after the purchase whether it met his expectation; social benefits.",
    "proactive": "Contact him from time to time with better ways to use what he has; social benefits.",
    "partnership": "Work with him continually, with a plan of his own; structural benefits.",
}


def relationship_level(
    tier: Tier, contribution_share: float, usual_share: float, has_contract: bool
) -> Finding[Level]:
    """contribution_share, usual_share : what remains of his orders, and of the firm's, 0..1.

    MVCs and MGCs are few, the others many; a contract ties both sides.
    """
    high = contribution_share >= usual_share
    few = tier in FEW
    levels: dict[tuple[bool, bool], Level] = {
        (False, False): "basic",
        (False, True): "reactive",
        (True, False): "accountable",
        (True, True): "partnership" if tier == "MVC" and has_contract else "proactive",
    }
    why = (
        f"He is one of the {'few (' if few else 'many ('}{tier}), and {contribution_share:.0%} of what he "
        f"spends remains, against {usual_share:.0%} as usual"
        f"{'; a contract ties both sides' if has_contract else ''}."
    )
    return Finding(levels[few, high], why, "estimated")
