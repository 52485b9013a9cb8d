"""What is wanted, from the grammar of an English sentence.

No list of goods is needed: the product is the noun phrase after words of wanting ("looking for a …",
"can I get …"), or the first noun phrase; the describing words before its head are attributes.
"""

import re
from collections.abc import Iterator, Sequence

from crmcore.language import words_en as w
from crmcore.language.places_en import find_places, find_purpose
from crmcore.language.qualities_en import SPECIFICATION, distinct, find_qualities
from crmcore.language.tokens_en import Token, joined, tokens
from crmcore.needs.language import Phrases, Slot

_PHRASE_WORDS = 7
_PRODUCT_WORDS = 3
_BARE_WORDS = 4
_ANSWER_WORDS = 6  # A longer text than this is more than the answer to a question.
_PASSED = w.words("me us you him her them for myself up also another out some any")
_AGE = re.compile(r"\b\d{1,2}[- ](?:years?|yrs?|months?)[- ]olds?\b", re.IGNORECASE)


def phrases(text: str, taken: Sequence[tuple[int, int]], asked: frozenset[Slot]) -> Phrases:
    """The product, attributes, purpose and places; ``taken`` are amounts, times and counts."""
    places = find_places(text, taken, asked)
    blocked = [*taken, *(span for _, span in places)]
    fixed = [m.span() for pattern in (SPECIFICATION, _AGE) for m in pattern.finditer(text)]
    words = tokens(text, blocked, fixed)
    phrase = _wanted(words)
    product, described = _split(text, phrase)
    attributes = [*described, *find_qualities(text, tokens(text, blocked), blocked)]
    if "attributes" in asked and not attributes and len(words) <= _ANSWER_WORDS:
        attributes = _answer(text, words)
    span = (phrase[0].start, phrase[-1].end) if phrase else None
    if len(words) <= _BARE_WORDS and _answers_only(words, asked):
        product = None
    return Phrases(
        product, distinct(attributes), find_purpose(text, blocked, span, asked), tuple(p for p, _ in places)
    )


def _answers_only(words: Sequence[Token], asked: frozenset[Slot]) -> bool:
    """Whether so short a text says no more than what was asked: "in Galway", "thin crust", "about 400"."""
    counts_or_wants = any(t.taken or t.low in w.WANT | w.OBTAIN for t in words)
    return bool(asked - {"product", "quantity"}) and not ("attributes" in asked and counts_or_wants)


def _wanted(words: Sequence[Token]) -> list[Token]:
    """The noun phrase that is wanted: after words of wanting, else the first that can be one."""
    for start in _after_wanting(words):
        if start < len(words) and words[start].low in ("something", "anything", "someone", "somebody"):
            return []
        if (phrase := _noun_phrase(words, start)) and _can_be_wanted(phrase):
            return phrase
    for after_preposition in (False, True):
        for phrase in _all_phrases(words, after_preposition):
            if _can_be_wanted(phrase):
                return phrase
    return []


def _can_be_wanted(phrase: Sequence[Token]) -> bool:
    return phrase[_head(phrase)].low not in w.NOT_GOODS and phrase[0].low not in w.OBTAIN | w.WANT


def _after_wanting(words: Sequence[Token]) -> list[int]:
    """Where a wanted thing may begin, the surest first: "looking for", "want to buy", "is there"."""
    sure, likely = [], []
    for i, token in enumerate(words):
        following = words[i + 1].low if i + 1 < len(words) else ""
        previous = words[i - 1].low if i else ""
        if (token.low in w.SEARCHING and following == "for") or (
            token.low == "interested" and following == "in"
        ):
            sure.append(i + 2)
        elif (
            token.low == "after"
            and following in ("a", "an", "some")
            and previous in ("i'm", "am", "im", "we're")
        ):
            sure.append(i + 1)
        elif token.low in w.WANT and previous not in ("if", "whatever", "as"):
            sure.append(_past_verbs(words, i + 1))
        elif token.low in ("is", "are") and following == "there":
            sure.append(i + 2)
        elif token.low in w.OBTAIN and previous not in w.DETERMINERS | {"with"}:
            likely.append(_past_verbs(words, i + 1))
    return sure + likely


def _past_verbs(words: Sequence[Token], start: int) -> int:
    """Step over "to order", "to look for", "me", "up": what stands between the wanting and the wanted."""
    i, end = start, min(len(words), start + 6)
    while i < end:
        low = words[i].low
        if low == "to":
            i += 2  # A verb follows, whichever it is.
        elif low in _PASSED or low in w.OBTAIN or low in w.POLITE:
            i += 1
        else:
            break
    return min(i, len(words))


def _all_phrases(words: Sequence[Token], after_preposition: bool) -> Iterator[list[Token]]:
    """Noun phrases from left to right, those after a preposition or the others."""
    i = 0
    while i < len(words):
        token = words[i]
        previous = words[i - 1].low if i else ""
        if not token.is_word or token.taken or token.measured or token.low in w.NO_PHRASE:
            i += 1
            continue
        phrase = _noun_phrase(words, i)
        governed = any(words[k].low in w.PREPOSITIONS - {"of"} for k in range(max(0, i - 2), i))
        if phrase and previous not in w.BEFORE_A_DOING and governed == after_preposition:
            yield phrase
        i += max(1, len(phrase))


def _noun_phrase(words: Sequence[Token], start: int) -> list[Token]:
    """Content words from ``start`` on, without determiners and counts, to the next boundary."""
    i, phrase = start, list[Token]()
    while i < len(words) and _introduces(words, i):
        i += 1
    while i < len(words) and len(phrase) < _PHRASE_WORDS:
        token = words[i]
        if not token.is_word or token.taken:
            break
        if token.measured:
            # "firm queen size mattress" goes on after the size; "running shoes size 43" is over.
            if not all(w.is_adjective(t.text) for t in phrase):
                break
            i += 1
            continue
        if token.low == "of" and phrase:
            # "a bottle of water" is one thing; in "a kind of tea" the tea is meant.
            phrase = [] if phrase[-1].low in w.VAGUE_NOUNS else [*phrase, token]
            i += 1
            while i < len(words) and words[i].low in w.DETERMINERS:
                i += 1
            continue
        if token.low in w.ENDS_PHRASE or (phrase and token.low in w.BOUNDARY_VERBS):
            break
        phrase.append(token)
        i += 1
    while phrase and phrase[-1].low == "of":
        phrase.pop()
    return phrase


def _introduces(words: Sequence[Token], i: int) -> bool:
    token = words[i]
    counts = token.low in ("x", "couple", "pair", "dozen", "of") and i + 1 < len(words)
    return token.low in w.DETERMINERS or token.low in w.POLITE or token.taken or token.measured or counts


def _split(text: str, phrase: Sequence[Token]) -> tuple[str | None, list[str]]:
    """The product (the head and the nouns that name its kind) and the describing words before it."""
    if not phrase:
        return None, []
    head = _head(phrase)
    start = head
    while start > 0 and head - start < _PRODUCT_WORDS - 1 and not w.is_adjective(phrase[start - 1].text):
        if start > 1 and _describe_together(phrase[start - 2], phrase[start - 1]):
            break
        start -= 1
    described, i = [], 0
    while i < start:
        pair = i + 1 < start and _describe_together(phrase[i], phrase[i + 1])
        described.append(joined(text, phrase[i : i + 1 + pair]))
        i += 1 + pair
    return joined(text, phrase[start:]), described


def _head(phrase: Sequence[Token]) -> int:
    """The last word, or the one before "of": in "a side of fries" it is the side."""
    return max(0, next((i for i, t in enumerate(phrase) if t.low == "of"), len(phrase)) - 1)


def _describe_together(first: Token, second: Token) -> bool:
    """Two words that describe together: "noise cancelling", "left handed", "gluten free", "pet friendly"."""
    if second.low in w.SECOND_HALVES:
        return True
    return second.low.endswith(("ing", "ed")) and len(second.low) > 5 and not w.is_adjective(first.text)


def _answer(text: str, words: Sequence[Token]) -> list[str]:
    """A short answer to a question about the thing is an attribute as a whole."""
    kept = [t for t in words if t.is_word and t.low not in w.POLITE | w.PRONOUNS]
    while kept and kept[0].low in w.DETERMINERS | w.AUXILIARIES | w.PREPOSITIONS | w.WANT:
        kept = kept[1:]
    return [joined(text, kept)] if kept else []
