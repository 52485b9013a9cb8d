"""How many things or people, in English."""

import re
from collections.abc import Sequence

from crmcore.language.numbers_en import Number, numbers
from crmcore.needs.language import Count

_UNIT = re.compile(
    r"(?:\s|-)?(?:%|°|\"|st\b|nd\b|rd\b|th\b|am\b|pm\b|o'?clock|gb\b|tb\b|mb\b|mbps\b|ghz|mhz|hz\b|inch|cm\b|mm\b|metre|meter"
    r"|mile|km\b|ft\b|feet|foot|kg\b|g\b|gram|lb\b|lbs\b|oz\b|ml\b|l\b|litre|liter|watt|w\b|volt|mp\b|megapixel|star|seater"
    r"|doors?\b|keys?\b|strings?\b|years?\b|yrs?\b|yo\b|months?\b|weeks?\b|hours?\b|hrs?\b|minutes?\b|mins?\b|percent|fps"
    r"|speed|bed(?:room)?s?\b|bath(?:room)?s?\b|degrees?|calories|grand\b|class\b|floor\b|stops?\b|gauge|cores?\b|piece\b)",
    re.IGNORECASE,
)
_ONE_AS_PRONOUN_BEFORE = re.compile(
    r"\b(this|that|the|which|another|new|cheap|good|better|a|each|every|any|first|second|last|no|big|small)\s$",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\b(?:size|grade|no\.?|number|#|version|model|type|gen|generation|level|chapter|page|room|flat|apt|order|mark|volume|vol)\s?#?$",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"\b(?:just|only)\s+(?:for\s+)?(?:me|myself)\b|\bby myself\b|\bon my own\b|^\s*(?:me|myself)[.!]?\s*$",
    re.IGNORECASE,
)
_TWO = re.compile(
    r"\b(?:me and my|my (?:wife|husband|partner|friend|girlfriend|boyfriend|mum|mom|dad|sister|brother|son|daughter) and (?:i|me)\b"
    r"|both of us|us both|me and (?:her|him)\b|him and me|her and me)",
    re.IGNORECASE,
)
_PEOPLE = re.compile(
    r"\s*(?:small |young |little )?(?:adults?|child(?:ren)?|kids?|people|persons?|guests?|infants?|babies|seniors?|students?)\b",
    re.IGNORECASE,
)
_A_CHILD = re.compile(r"\b(?:and|plus) (?:a|an|one) (?:child|kid|baby|infant|adult)\b", re.IGNORECASE)


def count(text: str, taken: Sequence[tuple[int, int]], asked: bool) -> Count | None:
    """The first number that counts things or people; groups of people are added up."""
    free = [
        n
        for n in numbers(text)
        if not any(s < n.end and n.start < e for s, e in taken) and _counts(text, n, asked)
    ]
    people = [n for n in free if _PEOPLE.match(text[n.end : n.end + 24])]
    if people:
        total = sum(int(n.value) for n in people) + len(_A_CHILD.findall(text))
        return Count(people[0].start, people[0].end, total)
    if free:
        return Count(free[0].start, free[0].end, int(free[0].value))
    if match := re.search(r"(?<!\w)x\s?(\d{1,3})(?!\w)|(?<![\w.])(\d{1,3})\s?x(?!\w)", text, re.IGNORECASE):
        return Count(match.start(), match.end(), int(match[1] or match[2]))
    for pattern, value in ((_ALONE, 1), (_TWO, 2)):
        if match := pattern.search(text):
            return Count(match.start(), match.start(), value)
    if asked and (match := re.search(r"\b(?:a |an )?(?:single|couple|pair)\b|\bboth\b", text, re.IGNORECASE)):
        return Count(match.start(), match.end(), 1 if "single" in match[0].lower() else 2)
    return None


def _counts(text: str, number: Number, asked: bool) -> bool:
    before, after = text[max(0, number.start - 16) : number.start], text[number.end : number.end + 16]
    if (
        number.value != int(number.value)
        or not 0 < number.value <= 100_000
        or _UNIT.match(after)
        or _NAMED.search(before)
    ):
        return False
    if asked:
        return True
    said = text[number.start : number.end].lower()
    if said == "one":
        return not _ONE_AS_PRONOUN_BEFORE.search(before) and bool(
            re.match(r"\s+(?!of (?:the|your|those|these|my))[a-z]", after, re.IGNORECASE)
        )
    if re.search(r"\b(?:for|of|party of|x|we are|we're|be|group of|both|all)\s*$", before, re.IGNORECASE):
        return True
    # "iphone 12 pro" names a thing; "12 red roses" counts one.
    named = re.search(
        r"\b(?!(?:need|want|order|get|have|me|like|buy|and|just|only|add|book|about|least|exactly|the|please|take|us|to|with|need|hire|rent|least|is|are|my|make|it|maybe|around|send|also|plus|then|or)\b)[a-z]{3,}\s$",
        before,
        re.IGNORECASE,
    )
    follows = re.match(r"\s*-?\s*[a-z]", after, re.IGNORECASE)
    return bool(follows) and not (named and text[number.start].isdigit())
