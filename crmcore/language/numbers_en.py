"""English numbers in digits and in words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from price_parser import Price

_ONES = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: value
    for value, word in zip(
        range(20, 100, 10), "twenty thirty forty fifty sixty seventy eighty ninety".split(), strict=True
    )
}
_SCALES = {"hundred": 100, "thousand": 1000, "grand": 1000, "k": 1000, "million": 1_000_000}
_VAGUE = {"couple": 2, "dozen": 12, "dozens": 24}
_MAX_WORDS = 8

_WORD = re.compile(
    r"(?<![\w.,])(?P<digits>\d{1,3}(?:[,. ]\d{3})+(?:[.,]\d{1,2})?|\d{1,9}(?:[.,]\d{1,2})?)(?P<k>k"
    r"|m)?(?!(?!ish\b)\w|[.,]\d)"
    r"|(?<!\w)(?P<word>[a-z]+)(?!\w)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Number:
    start: int
    end: int
    value: Decimal


def numbers(text: str) -> list[Number]:
    """Every number of a text, in order; "two hundred and fifty", "1.5k", "half a dozen"."""
    found: list[Number] = []
    for digits, run in _runs(text):
        if digits:
            found.append(digits)
        elif (number := _from_words(text, run)) is not None:
            found.append(number)
    return _scaled(text, found)


def _runs(text: str) -> Iterator[tuple[Number | None, list[re.Match[str]]]]:
    """Digits one by one, and stretches of number words that belong together."""
    run: list[re.Match[str]] = []
    for match in _WORD.finditer(text):
        if match["digits"]:
            if run:
                yield None, run
                run = []
            if (value := _digits(match["digits"])) is not None:
                suffix = (match["k"] or "").lower()
                value *= 1000 if suffix == "k" else 1_000_000 if suffix == "m" else 1
                yield Number(match.start(), match.end(), value), []
            continue
        word = match["word"].lower()
        joins = word in _ONES or word in _TENS or word in _SCALES or word in _VAGUE
        near = not run or text[run[-1].end() : match.start()] in (" ", "-", "  ")
        if joins and near and len(run) < _MAX_WORDS:
            run.append(match)
            continue
        if word == "and" and run and near and run[-1]["word"].lower() in _SCALES:
            run.append(match)
            continue
        if run:
            yield None, run
        run = [match] if joins else []
    if run:
        yield None, run


def _digits(raw: str) -> Decimal | None:
    """price-parser knows "1,299.50", "1.299,50" and "1 299"."""
    return Price.fromstring(raw).amount


def _from_words(text: str, run: list[re.Match[str]]) -> Number | None:
    while run and run[-1]["word"].lower() == "and":
        run = run[:-1]
    words = [m["word"].lower() for m in run]
    if all(w in _SCALES for w in words):
        # "a hundred", "half a grand"; a bare "hundred" or "k" is no number.
        before = text[max(0, run[0].start() - 7) : run[0].start()].lower() if run else ""
        if not run or not re.search(r"\b(a|half a)\s$", before) or words[0] == "k":
            return None
    total, current = Decimal(0), Decimal(0)
    for word in words:
        if word in _SCALES:
            current = (current or Decimal(1)) * _SCALES[word]
            if _SCALES[word] >= 1000:
                total, current = total + current, Decimal(0)
        elif word != "and":
            current = _plus(current, word)
    value, start = total + current, run[0].start()
    half = re.search(r"\bhalf (?:a\s)?$", text[max(0, start - 7) : start], re.IGNORECASE)
    if half and words[0] in ("dozen", "grand", "million"):
        return Number(start - len(half[0]), run[-1].end(), value / 2)
    return Number(start, run[-1].end(), value)


def _plus(current: Decimal, word: str) -> Decimal:
    if word == "dozen":
        return (current or Decimal(1)) * 12
    value = _ONES.get(word, _TENS.get(word, _VAGUE.get(word, 0)))
    # "two fifty" and "nineteen ninety" are read side by side, as people say prices and years.
    if current and value >= 10 and current < 100 and not (current % 10 == 0 and current >= 20 and value < 10):
        return current * 100 + value
    return current + value


def _scaled(text: str, found: list[Number]) -> list[Number]:
    """Join "2 grand", "1.5 million" and "3 hundred", where the digits stand before the word."""
    result = []
    for number in found:
        follow = re.match(r"\s(hundred|thousand|grand|k|million|dozen)\b", text[number.end :], re.IGNORECASE)
        if follow and text[number.start].isdigit():
            scale = _SCALES.get(follow[1].lower(), 12)
            number = Number(number.start, number.end + follow.end(), number.value * scale)
        result.append(number)
    return result
