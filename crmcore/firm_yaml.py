"""YAML with the line of every key, and validation errors in words that a shop owner understands."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from crmcore.firm_rules import Path, Problem


@dataclass(frozen=True)
class Broken:
    """Where the text stops being YAML."""

    line: int
    what: str


def read_yaml(text: str) -> tuple[Any, Broken | None]:
    """The document as ruamel's mappings and lists, which know their lines."""
    yaml = YAML(typ="rt")
    try:
        document = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"this is not valid YAML: {error.problem or error.context}"
        return None, Broken(mark.line + 1 if mark else 1, what)
    except (YAMLError, ValueError) as error:
        return None, Broken(1, f"this is not valid YAML: {error}")
    if not isinstance(document, dict):
        return None, Broken(1, "expected keys and values such as `name: My shop`")
    return document, None


def locate(document: Any, path: Path) -> int:
    """The line (from 1) of the deepest part of ``path`` that is in the document."""
    line, here = 1, document
    for step in path:
        try:
            line = (here.lc.item(step)[0] if isinstance(step, int) else here.lc.key(step)[0]) + 1
            here = here[step]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


def explain(model: type[BaseModel], error: ErrorDetails) -> Problem:
    """One of pydantic's errors, said in terms of the file."""
    path = tuple(step for step in error["loc"] if step != "[key]")
    given, kind, context = error["input"], error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        allowed = _keys(model, path[:-1])
        near = difflib.get_close_matches(str(path[-1]), allowed, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        return Problem(path, f"unknown key {path[-1]!r}; {hint}allowed: {', '.join(allowed)}")
    if kind == "missing":
        return Problem(path, f"the key {path[-1]!r} is missing")
    if kind == "literal_error":
        expected = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        name = _singular(path)
        return Problem(path, f"{given!r} is not a {name}; allowed: {expected}")
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        return Problem(path, f"{given!r} is not of the form {_FORMS.get(pattern, pattern)}")
    message = error["msg"][0].lower() + error["msg"][1:]
    shown = f"{given!r}: " if isinstance(given, str | int | float | bool | NoneType) else ""
    return Problem(path, f"{shown}{message}")


# What the patterns of crmcore.catalogue and crmcore.firm mean.
_FORMS = {
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$": "small-letters-and-dashes",
    r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$": "09:00-18:00",
    r"^(\d{4}-)?\d{2}-\d{2}$": "12-25 (each year) or 2026-04-03",
    r"^https?://[^/\s]+$": "https://www.example.com (no path)",
    r"^\+[0-9 ]{6,20}$": "+353 1 555 0100",
    r"^[^@\s]+@[^@\s]+$": "someone@example.com",
    r"^[A-Z]{2}$": "a country's two capital letters, such as IE",
}


def _singular(path: Path) -> str:
    """``("offers", 2, "tiers", 0)`` is a tier, ``("voice", "tone")`` a tone."""
    name = next((str(s) for s in reversed(path) if isinstance(s, str)), "value")
    return name.removesuffix("s").replace("_", " ")


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys allowed at ``path``, found by walking the models' annotations."""
    here: Any = model
    for step in path:
        here = _below(_plain(here), step)
    here = _plain(here)
    return list(here.model_fields) if isinstance(here, type) and issubclass(here, BaseModel) else []


def _below(kind: Any, step: str | int) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_fields[str(step)].annotation
    arguments = get_args(kind)
    return arguments[0] if isinstance(step, int) else arguments[-1]


def _plain(kind: Any) -> Any:
    """The annotation without ``Annotated[…]`` and ``… | None``."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (UnionType, Union):
            kind = next(a for a in get_args(kind) if a is not NoneType)
        else:
            return kind
