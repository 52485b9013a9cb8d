"""Buyer types: what "lost" means of a customer.

Jackson (1985), "Build Customer Relationships That Last", Harvard Business Review 63(6): switching cost
against the time horizon of commitment. Who is lost for good gives all his trade for long and does not come
back; who is always a share spreads his purchases and switches easily, so his silence is no loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from crmcore.value.finding import Finding

BuyerType = Literal["lost_for_good", "always_a_share", "intermediate"]

# Above this share of his trade a customer does not spread his purchases.
_MOST = 0.6

MEANING_OF_LOST: Mapping[str, str] = {
    "lost_for_good": "Once gone he does not come back: everything is spent on keeping him, nothing on "
    "winning him back.",
    "always_a_share": "Silence is no loss: he buys elsewhere meanwhile and may return any day; his value "
    "counts no leaving.",
    "intermediate": "He leaves unseen at some point, as the purchase model assumes; winning him back is "
    "worth a try.",
}


def buyer_type(answers: Mapping[str, str], has_contract: bool = False) -> Finding[BuyerType]:
    """From what he answered; unknown without an answer, and then valued as intermediate.

    answers : trait -> answer. ``switching`` easy or hard; ``commitment`` short or long; ``share_with_us``
        0 to 1, the share of his purchases that he makes here. ``has_contract`` stands for a long commitment.
    """
    switching = answers.get("switching")
    commitment = answers.get("commitment") or ("long" if has_contract else None)
    share = answers.get("share_with_us")
    spreads = share is not None and float(share) < _MOST
    said = [
        *([f"switching is {switching} for him"] if switching else []),
        *([f"he commits for {'long' if commitment == 'long' else 'a short time'}"] if commitment else []),
        *([f"{float(share):.0%} of his purchases are made here"] if share is not None else []),
    ]
    if not said:
        return Finding(None, "Nobody has asked him yet; he is valued as one who may leave.", "unknown")
    why = f"By his answers, {', '.join(said)}."
    if switching == "hard" and commitment == "long" and not spreads:
        return Finding("lost_for_good", why, "declared")
    if switching != "hard" and commitment != "long" and (spreads or switching == "easy"):
        return Finding("always_a_share", why, "declared")
    return Finding("intermediate", why, "declared")


def comes_back(answers: Mapping[str, str]) -> bool:
    """Whether his silence says nothing of leaving, so that he is valued without it."""
    return buyer_type(answers).kind == "always_a_share"
