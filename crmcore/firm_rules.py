"""What must agree between the parts of ``firm.yml``; works on the raw document, so that a file with a
misspelt key still hears about everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crmcore.hours import WEEKDAYS

Path = tuple[str | int, ...]

COMMON_SLOTS = ("budget", "quantity", "timing", "purpose")


@dataclass(frozen=True)
class Problem:
    """Something wrong at ``path``, such as ``("offers", 2, "tiers", 0)``."""

    path: Path
    what: str

    @property
    def where(self) -> str:
        """The path in words; the index of a plain value in a list is left out, the message quotes it."""
        steps = self.path[:-1] if self.path and isinstance(self.path[-1], int) else self.path
        text = ""
        for step in steps or self.path:
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return text or "the file"


def check_references(document: Mapping[str, Any]) -> list[Problem]:
    """Duplicate ids, references to what is not there, zones, overlapping hours, dates, languages."""
    return [
        *_time_zone(document),
        *_hours(_mapping(document.get("opening_hours"))),
        *_duplicates(document),
        *_needs(document),
        *_products(document),
        *_offers(document),
        *_languages(document),
    ]


def _time_zone(document: Mapping[str, Any]) -> Iterator[Problem]:
    zone = document.get("time_zone")
    if not isinstance(zone, str):
        return
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Problem(("time_zone",), f"{zone!r} is not a time zone; write one such as 'Europe/Dublin'")


def _hours(week: Mapping[str, Any]) -> Iterator[Problem]:
    for day in WEEKDAYS:
        spans: list[tuple[str, str, str]] = []
        for index, text in enumerate(_list(week.get(day))):
            path = ("opening_hours", day, index)
            opens, _, closes = str(text).partition("-")
            if closes <= opens and closes != "00:00":
                yield Problem(path, f"{text!r} closes before it opens; a span ends by midnight (00:00)")
                continue
            end = "24:00" if closes == "00:00" else closes
            for other_opens, other_end, other in spans:
                if opens < other_end and other_opens < end:
                    yield Problem(path, f"{text!r} overlaps {other!r}")
            spans.append((opens, end, str(text)))
    for key in _mapping(week.get("closed_on")):
        try:
            date.fromisoformat(key if len(str(key)) == 10 else f"2024-{key}")
        except (ValueError, TypeError):
            yield Problem(("opening_hours", "closed_on", key), f"{key!r} is not a day of the calendar")


def _duplicates(document: Mapping[str, Any]) -> Iterator[Problem]:
    for part in ("needs", "products", "offers"):
        yield from _repeated(document.get(part), (part,))
    for index, need in _items(document.get("needs")):
        yield from _repeated(need.get("attributes"), ("needs", index, "attributes"))
        yield from _repeated(need.get("questions"), ("needs", index, "questions"))
        for a, attribute in _items(need.get("attributes")):
            yield from _repeated(attribute.get("values"), ("needs", index, "attributes", a, "values"))


def _repeated(items: Any, path: Path) -> Iterator[Problem]:
    seen: dict[Any, int] = {}
    for index, item in _items(items):
        name = item.get("id")
        if isinstance(name, str) and name in seen:
            first = Problem((*path, seen[name]), "")
            what = f"the id {name!r} is taken by entry {seen[name] + 1} of {first.where}"
            yield Problem((*path, index, "id"), what)
        elif isinstance(name, str):
            seen[name] = index


def _needs(document: Mapping[str, Any]) -> Iterator[Problem]:
    for index, need in _items(document.get("needs")):
        allowed = (*COMMON_SLOTS, *_ids(need.get("attributes")))
        for q, question in _items(need.get("questions")):
            if question.get("about") not in allowed:
                path = ("needs", index, "questions", q, "about")
                what = f"{question.get('about')!r} is not asked for here; allowed: {_listed(allowed)}"
                yield Problem(path, what)


def _products(document: Mapping[str, Any]) -> Iterator[Problem]:
    needs = {n.get("id"): n for _, n in _items(document.get("needs"))}
    for index, product in _items(document.get("products")):
        need = needs.get(product.get("category"))
        if need is None:
            path: Path = ("products", index, "category")
            what = f"{product.get('category')!r} is not a need category; allowed: {_listed(needs)}"
            yield Problem(path, what)
            continue
        attributes = {a.get("id"): _ids(a.get("values")) for _, a in _items(need.get("attributes"))}
        for name, value in _mapping(product.get("attributes")).items():
            path = ("products", index, "attributes", name)
            if name not in attributes:
                allowed = _listed(attributes) or "none"
                what = f"{need.get('id')!r} has no attribute {name!r}; allowed: {allowed}"
                yield Problem(path, what)
            elif value not in attributes[name]:
                what = f"{value!r} is not a value of {name!r}; allowed: {_listed(attributes[name])}"
                yield Problem(path, what)


def _offers(document: Mapping[str, Any]) -> Iterator[Problem]:
    needs, offers = _ids(document.get("needs")), _ids(document.get("offers"))
    for index, offer in _items(document.get("offers")):
        for key, allowed, what in (("needs", needs, "a need category"), ("excludes", offers, "an offer")):
            for i, name in enumerate(_list(offer.get(key))):
                if name not in allowed:
                    path: Path = ("offers", index, key, i)
                    yield Problem(path, f"{name!r} is not {what}; allowed: {_listed(allowed)}")
        terms = _mapping(offer.get("terms"))
        kind, path = terms.get("kind"), ("offers", index, "terms")
        for need_kind, key in (("percent_off", "percent"), ("amount_off", "amount")):
            if kind == need_kind and key not in terms:
                yield Problem(path, f"{kind!r} needs the key {key!r}")
            if kind != need_kind and key in terms:
                yield Problem((*path, key), f"{key!r} belongs to {need_kind!r}, and this is {kind!r}")
        starts, ends = offer.get("starts"), offer.get("ends")
        if isinstance(starts, date) and isinstance(ends, date) and ends < starts:
            what = f"the offer ends on {ends}, before it starts on {starts}"
            yield Problem(("offers", index, "ends"), what)


def _languages(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Every wording exists in each of the firm's languages."""
    languages = [str(x) for x in _list(document.get("languages"))]
    for path, value in _walk(document, ()):
        if path[-1] in ("wording", "title", "name", "about", "examples") and isinstance(value, Mapping):
            for language in languages:
                if language not in value:
                    yield Problem(path, f"the wording in {language!r} is missing")


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if path:
        yield path, value
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _walk(below, (*path, key))
    elif isinstance(value, list | tuple):
        for index, below in enumerate(value):
            yield from _walk(below, (*path, index))


def _items(value: Any) -> list[tuple[int, Mapping[str, Any]]]:
    return [(i, item) for i, item in enumerate(_list(value)) if isinstance(item, Mapping)]


def _ids(value: Any) -> list[str]:
    return [str(item.get("id")) for _, item in _items(value)]


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _listed(names: Any) -> str:
    return ", ".join(str(n) for n in names)
