"""Checks the dialogue as data: the domain, the rules, the examples, and the actions that use them.

``check_dialogue(root)`` returns problems, each with its file and line; none means that the parts agree.
Nothing of the product is imported, so the check also runs on a tree that does not start.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from checks.actions import check_actions

FEWEST_EXAMPLES = 40
BUILT_IN_INTENTS = {"nlu_fallback", "session_start", "restart", "back"}
_PAYLOAD = re.compile(r"/([a-z_]+)(\{.*\})?")
_RESPONSE = re.compile(r"\butter_[a-z_0-9]+")
_NO_RESPONSES = {"utter_message", "utter_action"}  # Names of Rasa's own that look like responses.


@dataclass(frozen=True, order=True)
class Problem:
    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


def check_dialogue(root: Path, leakcheck: Path | None = None) -> list[Problem]:
    """Every disagreement between the dialogue's files under ``root``, in the order of files and lines.

    ``leakcheck`` is a script that takes ``--train path`` and fails when a text there is an evaluation text.
    """
    try:
        domain = _load(root / "domain.yml")
        data = {path: _load(path) for path in sorted((root / "data").glob("*/*.yml"))}
    except MarkedYAMLError as error:
        mark = error.problem_mark
        file = Path(mark.name).name if mark else "domain.yml"
        return [Problem(file, mark.line + 1 if mark else 1, str(error.problem))]
    found = [
        *_buttons(domain),
        *_responses(root, domain, data),
        *_intents(root, domain, data),
        *_slots_of_forms(domain),
        *(Problem(*where) for where in check_actions(root, domain)),
    ]
    if leakcheck is not None:
        found += _leaks(leakcheck, root)
    return sorted(set(found))


def examples_by_intent(data: Mapping[Path, Any]) -> dict[str, list[str]]:
    """The training examples of each intent, without the marks of entities."""
    examples: dict[str, list[str]] = {}
    for document in data.values():
        for block in document.get("nlu", []) if isinstance(document, Mapping) else []:
            if "intent" in block:
                lines = [
                    line.strip()[2:].strip() for line in str(block["examples"]).splitlines() if line.strip()
                ]
                plain = [re.sub(r"\[([^\]]*)\](\([^)]*\)|\{[^}]*\})", r"\1", line) for line in lines]
                examples.setdefault(block["intent"], []).extend(plain)
    return examples


def _buttons(domain: CommentedMap) -> Iterator[Problem]:
    intents, entities = set(domain["intents"]), set(domain["entities"])
    for name, variations in domain["responses"].items():
        line = domain["responses"].lc.key(name)[0] + 1
        for button in (b for v in variations for b in v.get("buttons", [])):
            payload = str(button.get("payload", ""))
            parts = _PAYLOAD.fullmatch(payload)
            if not button.get("title"):
                yield Problem("domain.yml", line, f"{name}: a button has no title")
            if parts is None:
                yield Problem("domain.yml", line, f"{name}: {payload!r} is not /intent or /intent{{{{…}}}}")
                continue
            if parts.group(1) not in intents:
                yield Problem("domain.yml", line, f"{name}: there is no intent {parts.group(1)!r}")
            for entity in _entities_of(parts.group(2)):
                if entity is None:
                    yield Problem("domain.yml", line, f"{name}: braces of {payload!r} must be doubled")
                elif entity not in entities:
                    yield Problem("domain.yml", line, f"{name}: there is no entity {entity!r}")


def _entities_of(part: str | None) -> list[str | None]:
    """The entity names of a payload's JSON; None stands for JSON that Rasa would take for a placeholder."""
    if part is None:
        return []
    if not (part.startswith("{{") and part.endswith("}}")):
        return [None]
    return [*re.findall(r'"([a-z_]+)"\s*:', part)] or [None]


def _responses(root: Path, domain: CommentedMap, data: Mapping[Path, Any]) -> Iterator[Problem]:
    """Every response is used and every used one exists; names built in code count by their beginning."""
    written = domain["responses"]
    used: set[str] = set()
    beginnings: set[str] = set()
    texts = [(path, path.read_text(encoding="utf-8")) for path in sorted((root / "actions").glob("*.py"))]
    texts += [(path, path.read_text(encoding="utf-8")) for path in data]
    for path, text in texts:
        for number, line in enumerate(text.splitlines(), start=1):
            for match in _RESPONSE.finditer(line):
                name, following = match.group(), line[match.end() : match.end() + 1]
                if name in _NO_RESPONSES:
                    continue
                if following == "{" or name.endswith("_"):
                    beginnings.add(name)
                    continue
                used.add(name)
                if name not in written:
                    where = str(path.relative_to(root))
                    yield Problem(where, number, f"{name} is not among the responses of domain.yml")
    used |= {f"utter_ask_{slot}" for form in domain["forms"].values() for slot in form["required_slots"]}
    for name in written:
        if name not in used and not any(name.startswith(b) for b in beginnings):
            yield Problem("domain.yml", written.lc.key(name)[0] + 1, f"{name} is never used")


def _intents(root: Path, domain: CommentedMap, data: Mapping[Path, Any]) -> Iterator[Problem]:
    """Every intent has enough examples and a rule that answers it anywhere."""
    known = set(domain["intents"]) | BUILT_IN_INTENTS
    examples = examples_by_intent(data)
    answered: set[str] = set()
    for path, document in data.items():
        where = str(path.relative_to(root))
        for rule in (document.get("rules") or []) if isinstance(document, Mapping) else []:
            first = rule["steps"][0]
            if first.get("intent") and first["intent"] not in known:
                line = rule.lc.line + 1
                yield Problem(where, line, f"rule {rule['rule']!r}: no intent {first['intent']!r}")
            if "condition" not in rule and "entities" not in first:
                answered.add(first.get("intent", ""))
    for index, intent in enumerate(domain["intents"]):
        line = domain["intents"].lc.item(index)[0] + 1
        if len(examples.get(intent, [])) < FEWEST_EXAMPLES:
            have = len(examples.get(intent, []))
            yield Problem("domain.yml", line, f"intent {intent!r} has {have} of {FEWEST_EXAMPLES} examples")
        if intent not in answered:
            yield Problem("domain.yml", line, f"no rule answers the intent {intent!r} from anywhere")
    for intent in examples.keys() - known:
        yield Problem("domain.yml", 1, f"data/nlu teaches {intent!r}, which is not in the domain")


def _slots_of_forms(domain: CommentedMap) -> Iterator[Problem]:
    for form, described in domain["forms"].items():
        line = domain["forms"].lc.key(form)[0] + 1
        for slot in described["required_slots"]:
            if slot not in domain["slots"]:
                yield Problem("domain.yml", line, f"{form} asks for {slot!r}, which is not a slot")
        if f"validate_{form}" not in domain["actions"]:
            yield Problem("domain.yml", line, f"{form} has no validate_{form} among the actions")


def _leaks(script: Path, root: Path) -> Iterator[Problem]:
    """The script's texts are not repeated: whoever reads them must not learn from them."""
    paths = [root / "data", root / "firm.yml"]
    trained = [part for path in paths if path.exists() for part in ("--train", str(path))]
    command = [sys.executable, str(script), *trained, "--show", "0"]
    result = subprocess.run(command, capture_output=True, check=False, timeout=300)
    if result.returncode != 0:
        yield Problem("data", 1, f"{script.name} finds evaluation texts among the training data")


def _load(path: Path) -> Any:
    yaml = YAML(typ="rt")
    yaml.allow_duplicate_keys = False
    with path.open(encoding="utf-8") as file:
        return yaml.load(file)
