"""Where it is needed, and what for, in English."""

import re
from collections.abc import Sequence

from crmcore.language import words_en as w
from crmcore.language.qualities_en import inside
from crmcore.language.tokens_en import joined, tokens
from crmcore.needs.language import Slot

_MAX_PLACES = 4
_ANSWER_WORDS = 8
_ANSWER_CHARACTERS = 80

_NAME = r"[A-Z][\w'’.-]*"
_PLACE = re.compile(
    r"\b(?:in|to|from|near|around|at|into|towards|outside|close to|next to)\s+"
    rf"((?:the\s+)?{_NAME}(?:\s+(?:of\s+|de\s+|la\s+|the\s+)?(?:{_NAME}|\d[\w-]*)){{0,4}})"
)
_NEAR_ME = re.compile(
    r"\b(?:near(?:by| me| here)|close by|around here|downtown|(?:the )?city cent(?:re|er))\b", re.IGNORECASE
)
_DOING = (
    r"(?:play|learn|record|practi[sc]e|listen|keep|make|use|work|study|celebrate|relax|exercise|protect"
    r"|store|carry"
    r"|replace|improve|teach|digiti[sz]e|stream|charge|clean)"
)
_TO_DO = re.compile(
    r"\b(?:so (?:that )?(?:i|we|he|she|they) can|in order to|(?:something|anything|one) to"
    rf"|(?:want|need|would like|'d like|like|hope|plan) to(?=\s+{_DOING}\b)|to use (?:it )?(?:for|as|in))"
    r"\s+([^.?!,;\d]{3,60})",
    re.IGNORECASE,
)
_FOR = re.compile(
    r"\b(?:for|as)\s+((?:(?:my|our|his|her|their|a|an|the)\s+)?(?:\d{1,2}[- ]years?[- ]olds?"
    r"|[a-z][a-z' -]{2,50}?))"
    r"(?=\s+(?:for|on|in|at|by|from|with|under|around|about|before|next|who|that|and|but|starting"
    r"|beginning)\b|[^a-z' -]|$)",
    re.IGNORECASE,
)
_NO_PURPOSE_BEFORE = re.compile(
    r"\b(?:look|looking|search|searching|hunting|ask|asking|pay|paying|hoping|shopping|wait|waiting|budget"
    r"|searched|looked|thanks|thank you|time|\w+ing up)\s$",
    re.IGNORECASE,
)
_STOPS = w.words("please pls thanks but who that around under from by starting beginning arriving thank")


def find_places(
    text: str, taken: Sequence[tuple[int, int]], asked: frozenset[Slot]
) -> list[tuple[str, tuple[int, int]]]:
    """Names after a preposition of place, each with its stretch of text; any words when asked where."""
    found: list[tuple[str, tuple[int, int]]] = []
    for match in _PLACE.finditer(text):
        if not inside(match.start(1), taken) and match[1].lower() not in w.PRONOUNS:
            found.append((match[1].rstrip(".'"), match.span()))
    found += [(m[0], m.span()) for m in _NEAR_ME.finditer(text)]
    if found or "location" not in asked:
        return found[:_MAX_PLACES]
    words = tokens(text, taken)
    kept = [
        t for t in words if t.is_word and not t.taken and t.low not in w.POLITE | w.PRONOUNS | w.AUXILIARIES
    ]
    while kept and kept[0].low in w.PREPOSITIONS | w.DETERMINERS:
        kept = kept[1:]
    if kept and len(words) <= _ANSWER_WORDS:
        found.append((joined(text, kept), (kept[0].start, kept[-1].end)))
    return found


def find_purpose(
    text: str,
    blocked: Sequence[tuple[int, int]],
    product: tuple[int, int] | None,
    asked: frozenset[Slot],
) -> str | None:
    """What or whom it is for: "for my wedding", "to play at home", "so I can …"."""
    if match := _TO_DO.search(text):
        return _trimmed(match[1])
    for match in _FOR.finditer(text):
        if inside(match.start(1), blocked) or _NO_PURPOSE_BEFORE.search(text[: match.start()]):
            continue
        if product and product[0] < match.end(1) and match.start(1) <= product[0]:
            continue
        stop = min([s for s, _ in blocked if s >= match.start(1)], default=len(text))
        if purpose := _trimmed(text[match.start(1) : min(match.end(1), stop)]):
            return purpose
    if "purpose" in asked and len(text) <= _ANSWER_CHARACTERS:
        return _trimmed(text)
    return None


def _trimmed(raw: str) -> str | None:
    """Cut at the first word that begins something else."""
    kept: list[str] = []
    for word in raw.split()[:8]:
        if kept and word.lower() in _STOPS:
            break
        kept.append(word)
    while kept and kept[-1].lower() in w.PREPOSITIONS | w.DETERMINERS | w.AUXILIARIES | w.PRONOUNS:
        kept.pop()
    text = " ".join(kept).strip(" -'")
    return text if len(text) > 2 and text.lower() not in w.PRONOUNS | w.POLITE else None
