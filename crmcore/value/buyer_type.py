"""Buyer types: what "lost" means of a customer.

Jackson (1985), "Build Customer Relationships That Last", Harvard Business Review 63(6): switching cost
against the time horizon of commitment. Who is lost for good gives all his trade for long and does not come
back; who is always a share spreads his purchases and switches easily, so his silence is no loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    """From what he answered; unknown without an answer or a contract, and then valued as intermediate.

    answers : trait -> answer. ``switching`` easy or hard; ``commitment`` short or long; ``share_with_us``
        0 to 1, the share of his purchases that he makes here.
    has_contract : stands for a long commitment where he has said nothing of it, as an estimate. It does not
        outweigh answers that make him always a share: his value goes by them, see :func:`comes_back`.
    """
    said = [_WORDS[trait](answers[trait]) for trait in _WORDS if trait in answers]
    by_answers = _kind(answers)
    if not has_contract or "commitment" in answers or by_answers == "always_a_share":
        if not said:
            return Finding(None, "Nobody has asked him yet; he is valued as one who may leave.", "unknown")
        return Finding(by_answers, f"By his answers, {', '.join(said)}.", "declared")
    asked = f"by his answers, {', '.join(said)}" if said else "nobody has asked him yet"
    why = f"A contract of his runs, which is taken for a long commitment; {asked}."
    return Finding(_kind({**answers, "commitment": "long"}), why, "estimated")


def comes_back(answers: Mapping[str, str]) -> bool:
    """Whether his silence says nothing of leaving, so that he is valued without it.

    True for whom :func:`buyer_type` calls always a share, whatever contracts he has.
    """
    return _kind(answers) == "always_a_share"


_WORDS: Mapping[str, Callable[[str], str]] = {
    "switching": lambda answer: f"switching is {answer} for him",
    "commitment": lambda answer: f"he commits for {'long' if answer == 'long' else 'a short time'}",
    "share_with_us": lambda answer: f"{float(answer):.0%} of his purchases are made here",
}


def _kind(answers: Mapping[str, str]) -> BuyerType:
    """Intermediate without any answer."""
    hard, long = answers.get("switching") == "hard", answers.get("commitment") == "long"
    share = answers.get("share_with_us")
    spreads = share is not None and float(share) < _MOST
    if hard and long and not spreads:
        return "lost_for_good"
    if not hard and not long and (spreads or answers.get("switching") == "easy"):
        return "always_a_share"
    return "intermediate"
