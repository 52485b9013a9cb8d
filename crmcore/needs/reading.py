"""Reads a need from what a customer wrote."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from crmcore.catalogue import NeedCategory
from crmcore.firm import Firm
from crmcore.needs.categories import match_category
from crmcore.needs.language import LanguageTools, Money, When
from crmcore.needs.values import MAX_VERBATIM, NO_CATEGORY, Budget, ReadNeed, Timing

READ_CHARACTERS = 600  # A need is said at the beginning; the rest is kept as verbatim only.


def read_need(
    text: str,
    catalogue: Firm,
    language_tools: LanguageTools,
    today: date,
    previous_agent_turn: str | None = None,
    language: str = "en",
) -> ReadNeed:
    """What a text says that somebody needs; never raises, whatever the text.

    Parameters
    ----------
    text : the customer's words, of any length and any characters.
    catalogue : the firm, whose categories and attribute values are looked for by meaning and by word;
        product, budget, quantity, timing, purpose, location and details are read in any trade.
    today : the firm's day, to which "next friday" refers.
    previous_agent_turn : the question that was answered, which gives "two" or "about 400" its meaning.
    """
    verbatim = text[:MAX_VERBATIM]
    plain = _plain(text[:READ_CHARACTERS])
    recogniser = language_tools.recogniser(language)
    asked = recogniser.asked_for(_plain((previous_agent_turn or "")[:READ_CHARACTERS]))
    times = recogniser.times(plain, today, asked)
    money = recogniser.money(_blank(plain, [(t.start, t.end) for t in times]), asked)
    taken = [(t.start, t.end) for t in times] + ([(money.start, money.end)] if money else [])
    count = recogniser.count(plain, taken, asked)
    if count and count.end > count.start:
        taken.append((count.start, count.end))
    phrases = recogniser.phrases(plain, taken, asked)
    match = match_category(plain, phrases.product, catalogue, language, language_tools.embedder(language))
    category = catalogue.need(match.category) if match.category else None
    attributes, words = _catalogue_attributes(plain, category, language)
    return ReadNeed(
        verbatim=verbatim,
        category=category.id if category else NO_CATEGORY,
        confidence=match.confidence,
        product=phrases.product,
        attributes=attributes,
        details=tuple(d for d in phrases.attributes if not _covered(d, words)),
        budget=_budget(money),
        quantity=count.value if count else None,
        timing=_timing(times, plain),
        purpose=phrases.purpose,
        location=phrases.places,
    )


def _plain(text: str) -> str:
    """Compatibility forms and all white space made one; what has no meaning on screen is dropped."""
    normal = unicodedata.normalize("NFKC", text)
    visible = "".join(c for c in normal if c.isspace() or unicodedata.category(c)[0] != "C")
    return re.sub(r"\s+", " ", visible).strip()


def _blank(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with stretches made blank, so that no other reader takes them; places stay the same."""
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _catalogue_attributes(
    text: str, category: NeedCategory | None, language: str
) -> tuple[dict[str, str], list[str]]:
    """The category's attribute values whose name or words stand in the text, and those words; the
    longest words win."""
    found: dict[str, str] = {}
    said: list[str] = []
    low = text.lower()
    for attribute in category.attributes if category else ():
        best = 0
        for value in attribute.values:
            for word in (value.name.get(language, value.id), *value.words.get(language, ())):
                if len(word) > best and _says(low, word.lower()):
                    found[attribute.id], best = value.id, len(word)
                    said.append(word.lower())
    return found, said


def _covered(detail: str, said: list[str]) -> bool:
    """Whether a catalogue attribute says the same already: "left handed" beside ``hand: left``."""
    words = set(re.findall(r"\w+", detail.lower()))
    return any(words <= set(re.findall(r"\w+", s)) for s in said)


def _says(low: str, word: str) -> bool:
    """Whether the words stand in the text and are not denied there ("no belt drive")."""
    at = re.search(rf"(?<!\w){re.escape(word)}s?(?!\w)", low)
    return at is not None and not re.search(
        r"\b(?:no|not|without|isn't|don't want|not an?)\s$", low[: at.start()]
    )


def _budget(money: Money | None) -> Budget | None:
    if money is None:
        return None
    return Budget(money.raw.strip(), money.min, money.max, money.target, money.currency, money.level)


def _timing(times: tuple[When, ...], text: str) -> Timing | None:
    if not times:
        return None
    earliest = [t.earliest for t in times if t.earliest]
    latest = [t.latest for t in times if t.latest]
    raw = text[times[0].start : times[-1].end] if times[-1].end - times[0].start <= 80 else times[0].raw
    return Timing(
        raw=raw,
        earliest=min(earliest) if earliest else None,
        latest=max(latest) if latest else None,
        parts=tuple(t.raw for t in times),
    )
