"""The nine customer types: where in time a customer looks, and which value he looks for.

Two short questions measure it (time orientation; dimension of value); without both answers it is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from crmcore.value.finding import Finding

NineType = Literal[
    "traditional", "bargain_comparer", "nostalgic",
    "practical", "value_for_money", "fulfilled",
    "trend_setter", "visionary", "perfectionist",
]  # fmt: skip

_TYPES: Mapping[tuple[str, str], tuple[NineType, str]] = {
    ("past", "functional"): ("traditional", "keeps to familiar functions"),
    ("past", "economic"): ("bargain_comparer", "compares with what he used to pay"),
    ("past", "psychological"): ("nostalgic", "lives in past experience"),
    ("present", "functional"): ("practical", "cares about use now"),
    ("present", "economic"): ("value_for_money", "weighs price against performance, and what he can pay"),
    ("present", "psychological"): ("fulfilled", "looks for feeling, identity and status now"),
    ("future", "functional"): ("trend_setter", "is the first to try new functions"),
    ("future", "economic"): ("visionary", "looks at what it will be worth, and what he will be able to pay"),
    ("future", "psychological"): ("perfectionist", "looks for upgrades, compatibility and his future self"),
}


def nine_type(answers: Mapping[str, str]) -> Finding[NineType]:
    """answers : trait -> answer; ``time`` past, present or future; ``dimension`` functional, economic or
    psychological."""
    time, dimension = answers.get("time"), answers.get("dimension")
    if time is None or dimension is None:
        missing = " and ".join(
            what for what, answer in (("the time", time), ("the dimension", dimension)) if answer is None
        )
        return Finding(None, f"He was not asked about {missing} that matters to him.", "unknown")
    kind, meaning = _TYPES[time, dimension]
    return Finding(kind, f"He looks to the {time} and for {dimension} value: he {meaning}.", "declared")
