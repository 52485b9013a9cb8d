"""The lifecycle of a relationship: select, acquire, retain, expand. It can go back.

Peppers & Rogers. A stage is read from what has happened, so a customer who falls silent goes back from
expansion to retention, and one who has probably left to acquisition: he has to be won again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from crmcore.value.finding import Finding

Stage = Literal["select", "acquire", "retain", "expand"]
_ORDER: tuple[Stage, ...] = ("select", "acquire", "retain", "expand")
PROBABLY_LEFT = 0.3

TASK: Mapping[str, str] = {
    "select": "Decide whether he is worth winning; nothing was bought yet.",
    "acquire": "Win the second purchase (or win him back): ask new customers how it went.",
    "retain": "Keep him: solve complaints fast, keep promises, stay in touch.",
    "expand": "Serve the need he has stated or shown: deeper and broader.",
}


@dataclass(frozen=True)
class LifecycleFacts:
    """purchases : purchase days so far. p_alive : 0..1. growing : has shown a need or a rise. terminated :
    has told the firm that he leaves."""

    purchases: int
    p_alive: float
    growing: bool
    terminated: bool = False


@dataclass(frozen=True)
class LifecycleFinding(Finding[Stage]):
    """``went_back`` : the stage before was a later one."""

    went_back: bool


def lifecycle(facts: LifecycleFacts, previous: Stage | None = None) -> LifecycleFinding:
    stage, why = _stage(facts)
    went_back = previous is not None and _ORDER.index(stage) < _ORDER.index(previous)
    if went_back:
        why += f" He was at {previous} before."
    return LifecycleFinding(stage, why, "estimated", went_back)


def _stage(facts: LifecycleFacts) -> tuple[Stage, str]:
    if facts.purchases == 0:
        return "select", "He has not bought yet."
    if facts.terminated:
        return "acquire", "He has told us that he leaves, so he has to be won again."
    if facts.purchases > 1 and facts.p_alive < PROBABLY_LEFT:
        return "acquire", f"He has probably left (alive with {facts.p_alive:.0%}); he has to be won again."
    if facts.purchases == 1:
        return "acquire", "He has bought once; the second purchase makes a customer."
    if facts.growing:
        return "expand", "He buys again and again, and has shown that he would bring more."
    return "retain", "He buys again and again, and has shown nothing more that we could serve."
