"""What is wanted, and what it must be like, from the grammar of an English sentence.

No list of goods is needed: the product is the noun phrase after a verb of wanting ("looking for a …"),
or the first noun phrase; attributes are the describing words before its head, and what stands in
"with …", "without …", "that has …", "must be …"; places are names after a preposition of place.
"""

import re
from collections.abc import Sequence

from crmcore.language import words_en as w
from crmcore.language.tokens_en import Token, joined, tokens
from crmcore.needs.language import Phrases

_NP_WORDS = 7
_PRODUCT_WORDS = 3
_MAX_ATTRIBUTES = 8

_SPEC = re.compile(
    r"(?<!\w)(?:\d{1,4}(?:[.,]\d)?(?:\s|-)?(?:gb|tb|mb|mbps|ghz|inch(?:es)?|in|cm|mm|metres?|meters?|kg|g|lbs?|oz|ml|litres?"
    r"|liters?|watts?|w|volts?|mp|megapixels?|seater|seats?|doors?|keys?|strings?|speed|fps|bedrooms?|beds?|bathrooms?|rooms?|star|stars)"
    r"|(?:one|two|three|four|five|six|seven|eight)(?:\s|-)(?:stars?|seater|bedrooms?|beds?|doors?|bathrooms?)"
    r"|size\s(?:\d{1,3}(?:[./]\d)?|x{0,3}[sml]|small|medium|large)"
    r"|(?:king|queen|full|half|double|single|twin|three-quarter|small|medium|large|family|travel)[ -]sized?)(?!\w)",
    re.IGNORECASE,
)
_CLASS = re.compile(
    r"\b(economy|business|first|premium(?: economy)?|second)(?: class)\b|\b(economy)\b", re.IGNORECASE
)
_PREFER = re.compile(
    r"\b(?:prefer(?:ably)?|ideally)\s+(?:(?:it|them|one|something)\s+)?(?:to be\s+)?", re.IGNORECASE
)
_FEATURE = re.compile(
    r"\b(?P<lead>with(?:out)?|w/o|w/|(?:must|should|has to|have to|needs? to)\s+(?:be|have|come with)|(?:that|which|who)(?:\s+also)?"
    r"\s+(?:has|have|is|are|comes? with|offers?|includes?|can be|accepts?|serves?|sells?|speaks?|fits?|works? with|supports?|plays?|seats?|allows?)"
    r"|make (?:it|them|that)|(?:it|they|there)(?:'s|'re| is| are)? (?:must|should|has to|have to|needs? to) (?:be|have)"
    r"|hold the|no|extra|seats|seating|serving|serves|made (?:of|from|out of)|including|featuring|plus)\s+",
    re.IGNORECASE,
)
_IN_QUALITY = re.compile(
    r"\bin (?:a |an |the )?([a-z]+(?: (?:colou?r|size|leather|wood|oak))?)\b", re.IGNORECASE
)
_SAME_SIZE = re.compile(r"^(?:a |an |the |some |any |my |very |really )+", re.IGNORECASE)
_PURPOSE_TO = re.compile(
    r"\b(?:so (?:that )?(?:i|we|he|she|they) can|in order to|something to|anything to|want to (?=play|learn|record|practi[sc]e|listen)"
    r"|would like to (?=play|learn|record|listen)|to use (?:it )?(?:for|as|in))\s+([^.?!,;\d]{3,60})",
    re.IGNORECASE,
)
_PURPOSE_FOR = re.compile(
    r"\b(?:for|as)\s+((?:(?:my|our|his|her|their|a|an|the)\s+)?[a-z][a-z' -]{2,50})", re.IGNORECASE
)
_PLACE = re.compile(
    r"\b(?:in|to|from|near|around|at|into|towards|outside|close to|next to)\s+((?:the\s+)?(?:[A-Z][\w'’.-]*)(?:\s+(?:of\s+|de\s+|la\s+|the\s+)?[A-Z0-9][\w'’.-]*){0,4})"
)
_NEAR_ME = re.compile(
    r"\b(?:near(?:by| me| here)?|close by|around here|downtown|city cent(?:re|er))\b", re.IGNORECASE
)


def phrases(text: str, taken: Sequence[tuple[int, int]], asked: frozenset[str]) -> Phrases:
    words = tokens(text, taken)
    places = _places(text, words, taken, asked)
    blocked = [*taken, *(span for _, span in places)]
    words = tokens(text, blocked)
    phrase = _object(words)
    product, described = _split(text, phrase)
    attributes = [*described, *_features(text, words, blocked), *_specs(text, blocked)]
    if asked & {"attributes"} and not attributes and len(words) <= 6:
        attributes += _answer(text, words)
    purpose = _purpose(text, blocked, phrase, asked)
    if asked & {"attributes", "purpose", "location", "timing", "budget", "quantity"} and len(words) <= 4:
        product = None
    return Phrases(product, _distinct(attributes), purpose, tuple(p for p, _ in places))


def _object(words: Sequence[Token]) -> list[Token]:
    """The noun phrase that is wanted: after a verb of wanting or obtaining, else the first one."""
    for start in _after_triggers(words):
        if phrase := _noun_phrase(words, start):
            return phrase
    for start, token in enumerate(words):
        if token.is_word and not _skippable(token) and token.low not in w.BOUNDARY_VERBS:
            if start and words[start - 1].low in w.PREPOSITIONS - {"of", "about"}:
                continue
            if phrase := _noun_phrase(words, start):
                return phrase
    return []


def _after_triggers(words: Sequence[Token]) -> list[int]:
    """Where a wanted thing may begin, the surest first: after "want to buy", "looking for", "interested in"."""
    sure, likely = [], []
    for i, token in enumerate(words):
        following = words[i + 1].low if i + 1 < len(words) else ""
        previous = words[i - 1].low if i else ""
        if (
            token.low in ("looking", "searching", "hunting", "shopping", "hoping", "look", "search")
            and following == "for"
        ):
            sure.append(i + 2)
        elif token.low in ("interested", "after", "search", "mood") and following in (
            "in",
            "a",
            "an",
            "some",
            "for",
        ):
            sure.append(i + (2 if following in ("in", "for") else 1))
        elif token.low in w.WANT and previous not in ("if", "whatever"):
            sure.append(_past_verbs(words, i + 1))
        elif token.low in w.OBTAIN and previous not in ("the", "a", "my", "with"):
            likely.append(_past_verbs(words, i + 1))
    return sure + likely


def _past_verbs(words: Sequence[Token], start: int) -> int:
    """Step over "to order", "to look for", "me", "up": what stands between the wanting and the wanted."""
    i = start
    while i < len(words) and i < start + 6:
        low = words[i].low
        passes = low in (
            "to",
            "me",
            "us",
            "you",
            "him",
            "her",
            "them",
            "for",
            "myself",
            "up",
            "also",
            "another",
            "'d",
        )
        if passes or low in w.OBTAIN or low in w.POLITE:
            i += 1
        else:
            break
    return i


def _skippable(token: Token) -> bool:
    return token.low in w.PRONOUNS or token.low in w.AUXILIARIES or token.low in w.POLITE or token.taken


def _noun_phrase(words: Sequence[Token], start: int) -> list[Token]:
    """Content words from ``start`` on, without determiners and counts, to the next boundary."""
    i, phrase = start, list[Token]()
    while i < len(words) and (
        words[i].low in w.DETERMINERS or words[i].taken or words[i].low in w.POLITE or _is_count(words, i)
    ):
        i += 1
    while i < len(words) and len(phrase) < _NP_WORDS:
        token = words[i]
        if not token.is_word or token.taken:
            break
        if token.low == "of" and phrase and i + 1 < len(words):
            if phrase[-1].low in w.VAGUE_NOUNS:
                phrase = []
            else:
                phrase.append(token)
            i += 1
            while i < len(words) and words[i].low in w.DETERMINERS:
                i += 1
            continue
        ends = token.low in w.PREPOSITIONS or token.low in w.CONJUNCTIONS or token.low in w.PRONOUNS
        verb = token.low in w.AUXILIARIES or (token.low in w.BOUNDARY_VERBS and bool(phrase))
        if ends or verb or token.low in w.POLITE or token.low in w.DETERMINERS:
            break
        phrase.append(token)
        i += 1
    while phrase and phrase[-1].low == "of":
        phrase.pop()
    return phrase


def _is_count(words: Sequence[Token], i: int) -> bool:
    return (words[i].low in ("x", "couple", "pair", "dozen") and i + 1 < len(words)) or words[i].low == "of"


def _split(text: str, phrase: Sequence[Token]) -> tuple[str | None, list[str]]:
    """The product, and the describing words before its head."""
    if not phrase:
        return None, []
    of = next((i for i, t in enumerate(phrase) if t.low == "of"), len(phrase))
    head = max(0, of - 1)
    modifiers = [i for i in range(head) if not phrase[i].text.isdigit()]
    described, i = [], 0
    while i < len(modifiers):
        token = phrase[modifiers[i]]
        follows = phrase[modifiers[i] + 1] if modifiers[i] + 1 < head else None
        if follows and _compound(token, follows):
            described.append(joined(text, [token, follows]))
            i += 2
            continue
        described.append(token.text)
        i += 1
    start = head
    while start > 0 and head - start < _PRODUCT_WORDS - 1 and not w.is_adjective(phrase[start - 1].text):
        start -= 1
    return joined(text, phrase[start:]), described


def _compound(first: Token, second: Token) -> bool:
    """Two words that describe together: "noise cancelling", "left handed", "gluten free", "pet friendly"."""
    low = second.low
    return low in (
        "free",
        "friendly",
        "handed",
        "size",
        "sized",
        "proof",
        "cancelling",
        "canceling",
        "hand",
    ) or (low.endswith(("ing", "ed")) and len(low) > 5 and not w.is_adjective(first.text))


def _features(text: str, words: Sequence[Token], blocked: Sequence[tuple[int, int]]) -> list[str]:
    found = []
    for match in _FEATURE.finditer(text):
        lead = re.sub(r"\s+", " ", match["lead"].lower())
        if _inside(match.start(), blocked) or (
            lead == "no"
            and re.match(r"(?:more|less|later|problem|thanks?|idea)\b", text[match.end() :], re.IGNORECASE)
        ):
            continue
        for part in _listed(text, words, match.end()):
            if lead in ("without", "w/o", "no", "hold the"):
                found.append(f"no {part}")
            elif lead in ("extra", "seats", "seating", "serves", "serving"):
                found.append(f"{lead} {part}")
            elif lead.startswith(("that ", "which ", "who ")) and lead.split()[-1] not in (
                "has",
                "have",
                "is",
                "are",
                "with",
                "be",
            ):
                found.append(f"{lead.split()[-1]} {part}")
            else:
                found.append(part)
    for match in _IN_QUALITY.finditer(text):
        first = match[1].split()[0].lower()
        if (first in w.COLOURS or first in w.SIZES) and not _inside(match.start(), blocked):
            found.append(match[1])
    for match in _PREFER.finditer(text):
        found += _listed(text, words, match.end())[:1]
    return found


def _listed(text: str, words: Sequence[Token], position: int) -> list[str]:
    """The phrases of a list such as "a pool, free wifi and parking", from a place in the text."""
    i = next((n for n, t in enumerate(words) if t.start >= position), len(words))
    parts: list[str] = []
    while i < len(words) and len(parts) < 4:
        phrase = list[Token]()
        while i < len(words) and words[i].low in w.DETERMINERS | {"very", "really", "it", "also", "to"}:
            i += 1
        while i < len(words) and words[i].is_word and len(phrase) < 5:
            token = words[i]
            stops = token.low in w.PREPOSITIONS | w.CONJUNCTIONS | w.PRONOUNS | w.AUXILIARIES | w.POLITE
            if stops and token.low not in ("of",):
                break
            if token.taken and not token.text.isdigit() and not phrase:
                break
            if phrase and token.low in w.BOUNDARY_VERBS:
                break
            phrase.append(token)
            i += 1
        if not phrase:
            break
        parts.append(joined(text, phrase))
        if i < len(words) and words[i].low in (",", "and", "or", "&"):
            i += 1
            if i < len(words) and words[i].low == "and":
                i += 1
            if i < len(words) and (
                words[i].low in w.PRONOUNS | w.AUXILIARIES | w.PREPOSITIONS | w.BOUNDARY_VERBS
                or words[i].taken
            ):
                break
            continue
        break
    return parts


def _specs(text: str, blocked: Sequence[tuple[int, int]]) -> list[str]:
    found = [m[0] for m in _SPEC.finditer(text)]
    for match in _CLASS.finditer(text):
        if not _inside(match.start(), blocked):
            found.append(match[0])
    return found


def _answer(text: str, words: Sequence[Token]) -> list[str]:
    """A short answer to a question about the thing is an attribute as a whole."""
    kept = [t for t in words if t.is_word and t.low not in w.POLITE | w.PRONOUNS and not t.taken]
    while kept and kept[0].low in w.DETERMINERS | w.AUXILIARIES | w.PREPOSITIONS:
        kept = kept[1:]
    return [joined(text, kept)] if kept else []


def _purpose(
    text: str, blocked: Sequence[tuple[int, int]], phrase: Sequence[Token], asked: frozenset[str]
) -> str | None:
    if match := _PURPOSE_TO.search(text):
        return _trim(match[1])
    for match in _PURPOSE_FOR.finditer(text):
        lead = text[max(0, match.start() - 12) : match.start()].lower()
        if re.search(
            r"\b(?:look|looking|search|searching|hunting|ask|pay|hoping|shopping|wait|waiting)\s$", lead
        ):
            continue
        if _inside(match.start(1), blocked) or (
            phrase and phrase[0].start < match.end(1) and match.start(1) <= phrase[0].start
        ):
            continue
        stop = min([s for s, _ in blocked if s >= match.start(1)], default=len(text))
        if cleaned := _trim(text[match.start(1) : min(match.end(1), stop)]):
            return cleaned
    if "purpose" in asked and len(text) <= 80:
        return _trim(text)
    return None


def _trim(raw: str) -> str | None:
    """Cut at the first word that begins something else."""
    kept: list[str] = []
    for word in raw.split()[:8]:
        if (
            word.lower()
            in (
                "please",
                "pls",
                "thanks",
                "and",
                "but",
                "or",
                "who",
                "that",
                "around",
                "under",
                "from",
                "by",
                "with",
            )
            and kept
        ):
            break
        kept.append(word)
    while kept and kept[-1].lower() in w.PREPOSITIONS | w.DETERMINERS | w.AUXILIARIES | w.PRONOUNS:
        kept.pop()
    text = " ".join(kept).strip(" -'")
    return text if len(text) > 2 and text.lower() not in w.PRONOUNS | w.POLITE else None


def _places(
    text: str, words: Sequence[Token], taken: Sequence[tuple[int, int]], asked: frozenset[str]
) -> list[tuple[str, tuple[int, int]]]:
    found = []
    for match in _PLACE.finditer(text):
        if not _inside(match.start(1), taken) and match[1].lower() not in w.PRONOUNS:
            found.append((match[1].rstrip(".'"), (match.start(), match.end())))
    for match in _NEAR_ME.finditer(text):
        if (
            match[0].lower() in ("near me", "nearby", "around here", "close by", "downtown", "near here")
            or "city" in match[0].lower()
        ):
            found.append((match[0], (match.start(), match.end())))
    if not found and "location" in asked and len(words) <= 8:
        kept = [
            t
            for t in words
            if t.is_word and not t.taken and t.low not in w.POLITE | w.PRONOUNS | w.AUXILIARIES
        ]
        while kept and kept[0].low in w.PREPOSITIONS | w.DETERMINERS:
            kept = kept[1:]
        if kept:
            found.append((joined(text, kept), (kept[0].start, kept[-1].end)))
    return found[:4]


def _inside(position: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in spans)


def _distinct(attributes: Sequence[str]) -> tuple[str, ...]:
    """In order, without repetition and without what a longer one says already."""
    kept: list[str] = []
    for attribute in attributes:
        plain = _SAME_SIZE.sub("", attribute).strip(" -'").lower()
        words = set(plain.split())
        if not plain or plain in w.PRONOUNS or any(words <= set(k.lower().split()) for k in kept):
            continue
        kept = [k for k in kept if not set(k.lower().split()) < words]
        kept.append(_SAME_SIZE.sub("", attribute).strip(" -'"))
    return tuple(kept[:_MAX_ATTRIBUTES])
