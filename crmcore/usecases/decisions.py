"""Decisions recomputed from what was kept of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crmcore.decisions import DecisionKind
from crmcore.escalation import replay_escalation
from crmcore.offers import replay_offer
from crmcore.store.database import Store
from crmcore.tiers import replay as replay_tier

# The pure function behind each kind: stored inputs in, outcome out.
DECIDERS: Mapping[DecisionKind, Callable[[Mapping[str, Any]], str]] = {
    "offer": replay_offer,
    "escalation": replay_escalation,
    "tier": lambda inputs: replay_tier(inputs).tier,
}

_PAGE = 500


@dataclass(frozen=True)
class Difference:
    """A decision that its inputs no longer give; ``now`` says what they give, or why nothing."""

    decision_id: str
    kind: DecisionKind
    model_version: str
    kept: str
    now: str


@dataclass(frozen=True)
class Replay:
    checked: Mapping[DecisionKind, int]
    differences: tuple[Difference, ...]


def replay_decisions(store: Store, kind: DecisionKind | None = None) -> Replay:
    """Recompute every stored decision (of one kind, or all) with the functions of today."""
    checked: dict[DecisionKind, int] = {}
    differences: list[Difference] = []
    after = ""
    while True:
        with store.read() as tx:
            page = tx.decisions.page(after, _PAGE, kind)
        for decision in page:
            checked[decision.kind] = checked.get(decision.kind, 0) + 1
            try:
                now = DECIDERS[decision.kind](decision.inputs)
            except (KeyError, TypeError, ValueError) as error:
                # Inputs of an older form are a difference to report, not an end of the replay.
                now = f"cannot be recomputed: {type(error).__name__}: {error}"
            if now != decision.outcome:
                differences.append(
                    Difference(
                        decision.decision_id, decision.kind, decision.model_version, decision.outcome, now
                    )
                )
        if len(page) < _PAGE:
            return Replay(checked, tuple(differences))
        after = page[-1].decision_id
