"""Checks the actions against the domain: names of slots and actions, no wording, and small files."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LONGEST_FILE = 200
# Slots that Rasa itself has in every domain.
BUILT_IN_SLOTS = {"requested_slot", "session_started_metadata"}

Found = tuple[str, int, str]


def check_actions(root: Path, domain: Mapping[str, Any]) -> Iterator[Found]:
    """(file, line, what) of each disagreement in ``actions/``."""
    slots = set(domain["slots"]) | BUILT_IN_SLOTS
    actions = set(domain["actions"])
    written: set[str] = set()
    for path in sorted((root / "actions").glob("*.py")):
        where = str(path.relative_to(root))
        source = path.read_text(encoding="utf-8")
        lines = source.count("\n")
        if lines > LONGEST_FILE:
            yield where, LONGEST_FILE + 1, f"has {lines} lines; at most {LONGEST_FILE}: one topic a file"
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call):
                yield from _call(where, node, slots)
            name = _declared(node)
            if name is not None:
                written.add(name)
                if name not in actions:
                    yield where, getattr(node, "lineno", 1), f"{name} is not among the actions of domain.yml"
    for name in sorted(actions - written):
        yield "domain.yml", 1, f"nothing in actions/ is called {name}"


def _call(where: str, node: ast.Call, slots: set[str]) -> Iterator[Found]:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called == "utter_message":
        for keyword in node.keywords:
            if keyword.arg == "text":
                yield where, node.lineno, "says something in its own words; wording belongs in domain.yml"
        if node.args:
            yield where, node.lineno, "utter_message takes a named response, nothing by position"
    if called in ("get_slot", "SlotSet") and node.args and isinstance(node.args[0], ast.Constant):
        slot = node.args[0].value
        if slot not in slots:
            yield where, node.lineno, f"{slot!r} is not a slot of domain.yml"


def _declared(node: ast.AST) -> str | None:
    """``action_name = "…"`` or ``form = "…"`` in a class body, as the action's full name."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
        return None
    target = node.targets[0]
    if not isinstance(target, ast.Name) or not isinstance(node.value.value, str):
        return None
    if target.id == "action_name":
        return node.value.value
    return f"validate_{node.value.value}" if target.id == "form" else None
