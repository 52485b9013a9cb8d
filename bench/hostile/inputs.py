"""Reads hostile inputs: a JSON-lines file of other people's, or our own YAML pages."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


@dataclass(frozen=True)
class Request:
    """A request of its own, sent as it is and without any token."""

    method: str
    path: str
    body: str
    content_type: str


@dataclass(frozen=True)
class Attack:
    """One hostile input: a text for the chat, or a request for the port."""

    id: str
    category: str
    text: str | None
    request: Request | None
    must_not: tuple[str, ...]
    expect: str
    forbidden: tuple[re.Pattern[str], ...]
    no_slots: bool  # Whether the dialogue's memory must stay as it was.
    must_cause: str  # One of ``state.CAUSED``, or "" for nothing.
    may_cause: frozenset[
        str
    ]  # Which of ``state.CAUSED`` its meaning may bring about; all, when ``"*"`` is in.


# What the categories of a foreign file may bring about; those not named here: nothing.
_MAY_CAUSE: dict[str, frozenset[str]] = {
    "others_data": frozenset({"verification_codes", "outbox"}),  # A code goes to the address on file alone.
    "sensitive_human": frozenset({"*"}),
    "ambiguous_value": frozenset({"needs", "conversations.open_case"}),
    "unicode": frozenset({"needs"}),
}


def read_attacks(path: Path) -> list[Attack]:
    """Every attack of a ``.jsonl`` file, a ``.yml`` page, or a folder of such pages.

    A line of JSON has ``id``, ``category``, ``kind``, one of ``text``, ``generator`` (``repeat``,
    ``times``) and ``http`` (``method``, ``path``, ``body``, ``content_type``), ``must_not``, ``expect``
    and ``forbid_reply_regex``. A page has ``category``, ``must_not``, ``expect``, ``forbid``, ``may_cause``,
    ``must_cause``, ``no_slots`` and ``texts``, each a text or ``{repeat, times}``.
    """
    if path.is_dir():
        return [attack for page in sorted(path.glob("*.yml")) for attack in _of_page(page)]
    return list(_of_page(path) if path.suffix == ".yml" else _of_lines(path))


def _of_lines(path: Path) -> Iterator[Attack]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        found: dict[str, Any] = json.loads(line)
        http = found.get("http")
        yield Attack(
            id=found["id"],
            category=found["category"],
            text=_text(found.get("generator") or found.get("text")) if http is None else None,
            request=Request(**http) if http is not None else None,
            must_not=tuple(found["must_not"]),
            expect=found["expect"],
            forbidden=tuple(re.compile(each) for each in found["forbid_reply_regex"]),
            no_slots=found["category"] in ("slash_intent", "empty_or_minimal"),
            must_cause="",
            may_cause=_MAY_CAUSE.get(found["category"], frozenset()),
        )


def _of_page(path: Path) -> Iterator[Attack]:
    page: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    for number, text in enumerate(page["texts"], 1):
        yield Attack(
            id=f"{page['category']}-{number:02}",
            category=page["category"],
            text=_text(text),
            request=None,
            must_not=tuple(page["must_not"]),
            expect=page["expect"],
            forbidden=tuple(re.compile(each) for each in page.get("forbid", ())),
            no_slots=page.get("no_slots", False),
            must_cause=page.get("must_cause", ""),
            may_cause=frozenset(page.get("may_cause", ())),
        )


def _text(found: Any) -> str:
    if isinstance(found, dict):
        return str(found["repeat"]) * int(found["times"])
    return str(found)
