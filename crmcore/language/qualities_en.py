"""What a wanted thing must be like, where it is not said before its name: "with …", "without …",
"that has …", "must be …", measures such as "15 inch", and sizes."""

import re
from collections.abc import Sequence

from crmcore.language import words_en as w
from crmcore.language.tokens_en import Token, joined

_MAX_ATTRIBUTES = 8
_MAX_IN_A_LIST = 4
_PART_WORDS = 5

SPECIFICATION = re.compile(
    r"(?<!\w)(?:"
    r"\d{1,4}(?:[.,]\d)?(?:\s|-)?(?:gb|tb|mb)(?:\s+of\s+[a-z]+)?"
    r"|\d{1,4}(?:[.,]\d)?(?:\s|-)?(?:mbps|ghz|inch(?:es)?|in|cm|mm|metres?|meters?|kg|g|lbs?|oz|ml"
    r"|litres?|liters?"
    r"|watts?|w|volts?|mp|megapixels?|seater|seats?|doors?|keys?|strings?|speed|fps|bedrooms?|beds?"
    r"|bathrooms?"
    r"|rooms?|stars?)"
    r"|(?:one|two|three|four|five|six|seven|eight)(?:\s|-)(?:stars?|seater|bedrooms?|beds?|doors?"
    r"|bathrooms?)"
    r"|size\s(?:\d{1,3}(?:[./]\d)?|x{0,3}[sml]|small|medium|large)"
    r"|(?:king|queen|full|half|double|single|twin|three-quarter|small|medium|large|family|travel)[ -]sized?"
    r")(?!\w)",
    re.IGNORECASE,
)
_CLASS = re.compile(
    r"\b(?:(?:economy|business|first|premium(?: economy)?|second) class|economy)\b", re.IGNORECASE
)
_PREFER = re.compile(
    r"\b(?:prefer(?:ably)?|ideally)\s+(?:(?:it|them|one|something)\s+)?(?:to be\s+)?", re.IGNORECASE
)
_MODAL = r"(?:must|should|has to|have to|needs? to)"
_VERB = (
    r"(?:has|have|is|are|comes? with|offers?|includes?|can be|accepts?|serves?|sells?|speaks?|fits?"
    r"|works? with"
    r"|supports?|plays?|seats?|allows?)"
)
_FEATURE = re.compile(
    rf"\b(?P<lead>with(?: no)?(?:out)?|w/o|w/|starring|(?:directed|written|sung|made|painted) by|add"
    rf"|not|{_MODAL}\s+(?:be|have|come with)|(?:that|which"
    rf"|who)(?:\s+also)?\s+{_VERB}"
    rf"|make (?:it|them|that)|(?:it|they)(?:'s|'re| is| are)? {_MODAL} (?:be|have)|hold the|no|extra"
    rf"|seats|seating"
    r"|serving|serves|made (?:of|from|out of)|including|featuring)\s+",
    re.IGNORECASE,
)
_NOT_WITHOUT = re.compile(
    r"(?:more|less|later|problem|thanks?|idea|worries|rush|need|matter)\b", re.IGNORECASE
)
_IN_QUALITY = re.compile(
    r"\bin (?:a |an |the )?([a-z]+(?: (?:colou?r|size|leather|wood|oak))?)\b", re.IGNORECASE
)
_LEAD_IN = re.compile(r"^(?:(?:a|an|the|some|any|my|very|really)\s+)+", re.IGNORECASE)
_DENIES = ("without", "with no", "w/o", "no", "hold the")
_NAMES_ITSELF = ("extra", "seats", "seating", "serves", "serving")
_BEFORE_PART = w.DETERMINERS | w.words("very really it also to at least")
_SILENT_VERBS = ("has", "have", "is", "are", "with", "be")


def find_qualities(text: str, words: Sequence[Token], blocked: Sequence[tuple[int, int]]) -> list[str]:
    """The stretches of text that say what it must be like; a denied one begins with "no"."""
    return [
        *_features(text, words, blocked),
        *(m[0] for m in SPECIFICATION.finditer(text)),
        *(m[0] for m in _CLASS.finditer(text) if not inside(m.start(), blocked)),
    ]


def _features(text: str, words: Sequence[Token], blocked: Sequence[tuple[int, int]]) -> list[str]:
    found: list[str] = []
    for match in _FEATURE.finditer(text):
        lead = re.sub(r"\s+", " ", match["lead"].lower())
        if inside(match.start(), blocked) or (lead == "no" and _NOT_WITHOUT.match(text, match.end())):
            continue
        if lead == "not":
            described = next((t for t in words if t.start >= match.end()), None)
            if described and w.is_adjective(described.text):
                found.append(f"not {described.text}")
            continue
        found += [
            _said(lead, part) for part in _listed(text, words, match.end()) if not _is_doing(lead, part)
        ]
    for match in _IN_QUALITY.finditer(text):
        first = match[1].split()[0].lower()
        if (first in w.COLOURS or first in w.SIZES) and not inside(match.start(), blocked):
            found.append(match[1])
    for i, token in enumerate(words[1:-1], start=1):
        # "desk lamp, black, …": a describing word that stands by itself.
        ends = words[i + 1].low in (",", ".", "and") or words[i + 1].taken
        if words[i - 1].low == "," and ends and w.is_adjective(token.text) and not token.taken:
            found.append(token.text)
    for match in _PREFER.finditer(text):
        found += _listed(text, words, match.end())[:1]
    return found


def _said(lead: str, part: str) -> str:
    verb = lead.split()[-1]
    if lead in _DENIES:
        return f"no {part}"
    if lead in _NAMES_ITSELF:
        return f"{lead} {part}"
    if lead.startswith(("that ", "which ", "who ")) and verb not in _SILENT_VERBS:
        return f"{verb} {part}"
    return part


def _is_doing(lead: str, part: str) -> bool:
    """ "without waking the neighbours" says how, not what it is like."""
    return lead in ("without", "w/o") and part.split()[0].lower().endswith("ing")


def _listed(text: str, words: Sequence[Token], position: int) -> list[str]:
    """The phrases of a list such as "a pool, free wifi and parking", from a place in the text."""
    i = next((n for n, t in enumerate(words) if t.start >= position), len(words))
    parts: list[str] = []
    while len(parts) < _MAX_IN_A_LIST:
        while i < len(words) and words[i].low in _BEFORE_PART:
            i += 1
        begin = i
        while i < len(words) and i - begin < _PART_WORDS and _goes_on(words[i], i == begin):
            i += 1
        if i == begin:
            break
        parts.append(joined(text, words[begin:i]))
        if i >= len(words) or words[i].low not in (",", "and", "or", "&"):
            break
        i += 1
        if i < len(words) and words[i].low == "and":
            i += 1
        if i < len(words) and (words[i].low in w.NOT_IN_A_LIST or words[i].taken):
            break
    return parts


def _goes_on(token: Token, is_first: bool) -> bool:
    if not token.is_word or (token.low in w.ENDS_PHRASE and token.low != "of"):
        return False
    if is_first:
        return not token.taken or token.text.isdigit()
    return token.low not in w.BOUNDARY_VERBS


def inside(position: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in spans)


def distinct(attributes: Sequence[str]) -> tuple[str, ...]:
    """In order, without repetition and without what a longer one says already."""
    kept: list[str] = []
    for attribute in attributes:
        plain = _LEAD_IN.sub("", attribute).strip(" -'")
        said = set(plain.lower().split())
        if not said or plain.lower() in w.PRONOUNS or any(said <= set(k.lower().split()) for k in kept):
            continue
        kept = [k for k in kept if not set(k.lower().split()) < said]
        kept.append(plain)
    return tuple(kept[:_MAX_ATTRIBUTES])
