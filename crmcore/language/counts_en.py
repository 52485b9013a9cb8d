"""How many things or people, in English."""

import re
from collections.abc import Sequence

from crmcore.language.numbers_en import Number, numbers
from crmcore.needs.language import Count

_MOST = 100_000
_UNIT = re.compile(
    r"(?:\s|-)?(?:%|°|\"|st\b|nd\b|rd\b|th\b|am\b|pm\b|o'?clock|gb\b|tb\b|mb\b|mbps\b|ghz|mhz|hz\b|inch"
    r"|cm\b|mm\b|metre|meter"
    r"|mile|km\b|ft\b|feet|foot|kg\b|g\b|gram|lb\b|lbs\b|oz\b|ml\b|l\b|litre|liter|watt|w\b|volt|mp\b"
    r"|megapixel|star|seater"
    r"|doors?\b|keys?\b|strings?\b|years?\b|yrs?\b|yo\b|months?\b|weeks?\b|hours?\b|hrs?\b|minutes?\b"
    r"|mins?\b|percent|fps"
    r"|speed|bed(?:room)?s?\b|bath(?:room)?s?\b|degrees?|calories|grand\b|class\b|floor\b|stops?\b"
    r"|gauge|cores?\b|piece\b)",
    re.IGNORECASE,
)
_ONE_AS_PRONOUN_BEFORE = re.compile(
    r"\b(this|that|the|which|another|new|cheap|good|better|a|each|every|any|first|second|last|no|big"
    r"|small)\s$",
    re.IGNORECASE,
)
_TAKES_ONE = re.compile(r"\b(?:just|only|take|order|get|add|for|need|want)\s$", re.IGNORECASE)
_NAMED = re.compile(
    r"\b(?:size|grade|no\.?|number|#|version|model|type|gen|generation|level|chapter|page|room|flat|apt"
    r"|order|mark"
    r"|volume|vol|seats|serves|seating|fits|sleeps|plays)\s?#?$",
    re.IGNORECASE,
)
# "she's 8", "my son is almost 12", "aged 9": somebody's age is no count.
_AGE_BEFORE = re.compile(
    r"\b(?:(?:s?he|who|kid|boy|girl|son|daughter|child|nephew|niece|grand\w{3,8})(?:['’]?s| is| will be)?"
    r"|aged?|turn(?:s|ed|ing))\s(?:just |only |about |almost |nearly |now )?$",
    re.IGNORECASE,
)
_PARTY = re.compile(
    r"\b(?:for|of|party of|x|we are|we're|be|group of|both|all|make it|make that)\s*$", re.IGNORECASE
)
# A word of naming before digits: "iphone 12 pro" names a thing. After these words digits count.
_COUNTING_WORD = re.compile(
    r"\b(?:need|want|order|get|have|me|like|buy|and|just|only|add|book|about|least|exactly|the|please"
    r"|take|us|to|with"
    r"|hire|rent|is|are|my|make|it|maybe|around|send|also|plus|then|or|these|those|reserve|purchase|try"
    r"|give|there"
    r"|another|these|prefer|want|looking|total|quantity|qty|quantity:|say|yes|ok|okay|sure|hi|hello)\s$",
    re.IGNORECASE,
)
_PLURAL_AFTER = re.compile(
    r"\s*-?\s*(?:[a-z-]+\s+){0,2}[a-z]{2,}[a-rt-z]s\b|\s+\d{1,2}[- ](?:inch|cm)\b", re.IGNORECASE
)
_PLURAL_BEFORE = re.compile(r"\b[a-z]{3,}s\s*[-:x]?\s*$", re.IGNORECASE)
# "-3" counts nothing; "2 -3" is a range, and "- 3" begins a line.
_MINUS = re.compile(r"(?:^|[^\d\s]\s|\()[-−]$|\bminus\s$", re.IGNORECASE)
_MODEL_NUMBERS = 10  # Digits from here on, after a noun, are part of a name more often than a count.
_ALONE = re.compile(
    r"\b(?:just|only)\s+(?:for\s+)?(?:me|myself)\b|\bfor (?:me|myself) (?:only|alone)\b|\bby myself\b"
    r"|\bon my own\b|\bfor myself\b|\balone\b|\bsolo\b"
    r"|\bsingle (?:ticket|person|seat|adult|passenger|item|piece)\b"
    r"|^\s*(?:me|myself)[.!]?\s*$",
    re.IGNORECASE,
)
_TWO = re.compile(
    r"\b(?:me and my|my (?:wife|husband|partner|friend|girlfriend|boyfriend|mum|mom|dad|sister|brother"
    r"|son|daughter)"
    r" and (?:i|me|myself)\b|both of us|us both|me and (?:her|him)\b|him and me|her and me)",
    re.IGNORECASE,
)
_WITH_OTHERS = re.compile(r"\b(?:me|i|myself) (?:and|plus|with)\s+(?:my\s+)?$", re.IGNORECASE)
_OTHERS = re.compile(r"\s*(?:friends?|others?|colleagues?|kids|children|people)\b", re.IGNORECASE)
_PEOPLE = re.compile(
    r"\s*(?:small |young |little )?(?:adults?|child(?:ren)?|kids?|people|persons?|guests?|infants?"
    r"|babies|seniors?"
    r"|students?)\b",
    re.IGNORECASE,
)
_A_CHILD = re.compile(r"\b(?:and|plus) (?:a|an|one) (?:child|kid|baby|infant|adult)\b", re.IGNORECASE)
_A_FEW = re.compile(r"\b(?:a |an )?(?:single|couple|pair)\b|\bboth\b|\b(?:a|an) [a-z]{3,}", re.IGNORECASE)
# Who orders "a" thing orders one; who looks for a thing has not said how many.
_ORDERS_ONE = re.compile(
    r"\b(?:order|get|have|take|add|gimme|bring me|give me|(?:'d|would) like|i'll do|can i do)"
    r"\s+(?:me\s+|to (?:order|get|buy|have|add|try)\s+)?an?\s+"
    r"(?!couple|few|lot|bit|pair|dozen|look|number|quick)",
    re.IGNORECASE,
)
_X = re.compile(r"(?<!\w)x\s?(\d{1,3})(?!\w)|(?<![\w.])(\d{1,3})\s?x(?!\w)", re.IGNORECASE)


def count(text: str, taken: Sequence[tuple[int, int]], asked: bool) -> Count | None:
    """The first number that counts things or people; groups of people are added up.

    ``asked``: the assistant had asked how many, so any number that is no measure is one.
    """

    def is_free(number: Number) -> bool:
        return not any(start < number.end and number.start < end for start, end in taken)

    free = [n for n in numbers(text) if is_free(n) and _counts(text, n, asked)]
    people = [
        n
        for n in free
        if not _WITH_OTHERS.search(text[: n.start]) and _PEOPLE.match(text[n.end : n.end + 24])
    ]
    if people:
        total = sum(int(n.value) for n in people) + len(_A_CHILD.findall(text))
        return Count(people[0].start, people[0].end, total)
    if free:
        with_me = _WITH_OTHERS.search(text[: free[0].start]) and _OTHERS.match(text, free[0].end)
        return Count(free[0].start, free[0].end, int(free[0].value) + bool(with_me))
    if match := _X.search(text):
        return Count(match.start(), match.end(), int(match[1] or match[2]))
    for pattern, value in ((_ALONE, 1), (_TWO, 2)):
        if match := pattern.search(text):
            return Count(match.start(), match.start(), value)
    if asked and (match := _A_FEW.search(text)):
        two = re.search(r"couple|pair|both", match[0], re.IGNORECASE)
        return Count(match.start(), match.start(), 2 if two else 1)
    if match := _ORDERS_ONE.search(text):
        return Count(match.start(), match.start(), 1)
    return None


def _counts(text: str, number: Number, asked: bool) -> bool:
    before, after = text[max(0, number.start - 16) : number.start], text[number.end : number.end + 40]
    whole = number.value == int(number.value) and 0 < number.value <= _MOST
    if not whole or _UNIT.match(after) or _NAMED.search(before) or _MINUS.search(before):
        return False
    if _AGE_BEFORE.search(text[max(0, number.start - 32) : number.start]):
        return False
    if asked:
        return True
    if text[number.start : number.end].lower() == "one":
        if _TAKES_ONE.search(before):
            return not re.match(r"\s+(?:that|which|with|who|of)\b", after, re.IGNORECASE)
        follows = re.match(
            r"\s+(?!of (?:the|your|those|these|my)|way\b|stop\b|day\b|time\b)[a-z]", after, re.IGNORECASE
        )
        return not _ONE_AS_PRONOUN_BEFORE.search(before) and follows is not None
    if _PARTY.search(before) or _PLURAL_AFTER.match(after):
        return True
    in_words = not text[number.start].isdigit()
    begins = (
        not before.strip() or _COUNTING_WORD.search(before) is not None or before.rstrip()[-1:] in ".,;:("
    )
    follows = re.match(r"\s*-?\s*[a-z]", after, re.IGNORECASE)
    ends = re.match(r"\s*(?:$|[.,!?)])", after)
    if follows:
        named = before.rstrip()[-1:].isupper() or re.search(r"\b[A-Z]\w*\s$", before[1:])
        return in_words or begins or (number.value < _MODEL_NUMBERS and not named)
    return ends is not None and (begins or _PLURAL_BEFORE.search(before) is not None)
