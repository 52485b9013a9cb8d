"""A conversation as a file: who talks, what he says, and which responses of the domain he must hear.

    title: a stranger sees nothing of his orders before he proves who he is
    customer: stranger            # or a tier, or `member`: the best such customer, signed in
    turns:
      - says: where is my order
        hears: [utter_ask_contact_or_order]
      - presses: Talk to a person
        hears: []
        notice: Anna Byrne        # part of a system mark
      - anna: takes over          # or `gives back`, or any words, which she says
        hears: Hello

``hears`` names every message of the assistant in order, by response; any of its variations will do, and
"utter_a or utter_b" leaves open which of the two. After a
step of a person it is what the customer reads. In ``says``, {email}, {code} and {order} are those of the
customer named under ``knows`` (a tier).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Turn:
    """One step; exactly one of ``says``, ``presses`` and ``anna`` is set."""

    hears: list[str] | str
    says: str | None = None
    presses: str | None = None
    anna: str | None = None
    notice: str | None = None  # Part of a system mark among the answers.
    saying: str | None = None  # Part of what is heard, for what matters beyond the name of the response.
    never: str | None = None  # What must not be heard.


@dataclass(frozen=True)
class Script:
    title: str
    customer: str
    turns: list[Turn] = field(default_factory=list)
    knows: str | None = None


def scripts() -> list[Script]:
    """All conversations of this folder, by file name."""
    return [_read(path) for path in sorted(HERE.glob("*.yml"))]


def _read(path: Path) -> Script:
    document: dict[str, Any] = YAML(typ="safe").load(path)
    return Script(**{**document, "turns": [Turn(**turn) for turn in document["turns"]]})


class Responses:
    """Tells which responses of the domain a sentence may be."""

    def __init__(self) -> None:
        domain: Mapping[str, Any] = YAML(typ="safe").load(ROOT / "domain.yml")
        self._patterns = {
            name: [_pattern(variation["text"]) for variation in variations if "text" in variation]
            for name, variations in domain["responses"].items()
        }

    def named(self, text: str) -> set[str]:
        return {name for name, patterns in self._patterns.items() if any(p.fullmatch(text) for p in patterns)}


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{\w+\}", template)
    return re.compile("(?:.+?)".join(re.escape(part) for part in parts), re.DOTALL)
