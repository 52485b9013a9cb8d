"""Budgets in English: amounts with their bounds, ranges, slang, and levels such as "not too dear"."""

import re
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from crmcore.language.numbers_en import Number, numbers
from crmcore.needs.language import Level, Money

Role = Literal["min", "max", "target"]

_SIGNS = {"$": "USD", "£": "GBP", "€": "EUR", "¥": "CNY", "₹": "INR"}
_NAMES = {
    "usd": "USD", "us$": "USD", "dollar": "USD", "buck": "USD", "gbp": "GBP", "pound": "GBP", "quid": "GBP",
    "sterling": "GBP", "eur": "EUR", "euro": "EUR", "rupee": "INR", "inr": "INR", "rs": "INR", "chf": "CHF",
    "franc": "CHF", "yuan": "CNY", "rmb": "CNY", "zloty": "PLN", "peso": "MXN", "kr": "NOK",
}  # fmt: skip
_SIGN_BEFORE = re.compile(r"(?:(us\$|[$£€¥₹])|\b(usd|gbp|eur|inr|chf|rs\.?))\s?$", re.IGNORECASE)
_NAME_AFTER = re.compile(
    r"\s?(?:([$£€¥₹])|(usd|gbp|eur|inr|chf|rmb|kr|rs)\b|(dollar|buck|pound|quid|euro|rupee|franc|yuan"
    r"|peso)s?\b)",
    re.IGNORECASE,
)
# Words before an amount, nearest first; a filler such as "about" may stand between.
_MAX_BEFORE = re.compile(
    r"\b(under|below|less than|lower than|cheaper than|up to|upto|at most|no more than|not more than"
    r"|maximum(?: of)?"
    r"|max(?: of)?|within|not over|go over|exceed|exceeding|above that of|top of|tops at|limit(?: is"
    r"| of)?|capped at"
    r"|cap of|afford|inside)\s*[:=]?\s*$",
    re.IGNORECASE,
)
_MIN_BEFORE = re.compile(
    r"\b(over|above|more than|at least|minimum(?: of)?|min|from|starting(?: at| from)?|upwards of"
    r"|no less than"
    r"|not less than|not under)\s*[:=]?\s*$",
    re.IGNORECASE,
)
_ABOUT_BEFORE = re.compile(
    r"(?:\b(around|about|roughly|approximately|approx\.?|circa|near(?:ly)?|close to|ish|somewhere around"
    r"|in the region of)|~)\s*$",
    re.IGNORECASE,
)
_BUDGET_BEFORE = re.compile(
    r"\b(budget(?:'s)?(?: is| of| would be| for \w+ is)?|spend(?:ing)?|pay(?:ing)?|have|got|price(?: is"
    r"| of| range(?: is| of)?)?"
    r"|cost(?:ing)?|for)\s*(?:of|is|:|=|only|just)?\s*$",
    re.IGNORECASE,
)
_MONEY_WORD = re.compile(
    r"\b(budget|spend|spending|pay|price|cost|costs|afford|cheap\w*|per month|a month|worth)\b", re.IGNORECASE
)
_AFTER_MAX = re.compile(
    r"\s*(?:or (?:less|below|under|cheaper)|tops|max(?:imum)?|at (?:the )?most|and under|limit)\b",
    re.IGNORECASE,
)
_AFTER_MIN = re.compile(
    r"\s*(?:\+|(?:or (?:more|above|over|up)|and (?:up|over|above)|at least|minimum|plus)\b)", re.IGNORECASE
)
_AFTER_ABOUT = re.compile(r"\s*-?(?:ish|or so|give or take|more or less)\b", re.IGNORECASE)
_JOIN = re.compile(r"\s*(?:-|–|to|and|till|or)\s*[$£€¥₹]?\s*$", re.IGNORECASE)
# A number with one of these behind it counts something that is no money.
_UNIT = re.compile(
    r"(?:\s|-)?(?:%|°|\"|'|st\b|nd\b|rd\b|th\b|am\b|pm\b|a\.m|p\.m|o'?clock|gb\b|tb\b|mb\b|ghz|mhz|hz\b"
    r"|inch|in\b|cm\b|mm\b"
    r"|m\b|km\b|metre|meter|mile|ft\b|feet|foot|kg\b|g\b|gram|lb\b|lbs\b|oz\b|ml\b|l\b|litre|liter|watt"
    r"|w\b|volt|amp|mp\b"
    r"|megapixel|people|person|guest|adult|child|kid|pax|piece|pcs|unit|item|copies|copy|ticket|seat"
    r"|room|bed|star|day"
    r"|night|week|month|year|yr|hour|hr|min\b|minute|second|sec\b|time|key|string|bit|fps|page|degree"
    r"|calorie|cal\b"
    r"|percent|of\b|x\b|gauge|door|cylinder|cores?\b|litres)",
    re.IGNORECASE,
)

# "up to 30 chairs" counts chairs.
_NOUN_AFTER = re.compile(
    r"\s+(?!(?:a|an|per|each|for|on|in|with|without|max|or|total|budget|at|to|and|tops|please|pls|if"
    r"|but|is|would|should"
    r"|will|the|so|limit|only|maximum|by|as|from|ish|give|from|including|incl|it|i|we|my|till|until"
    r"|minimum|plus)\b)[a-z]",
    re.IGNORECASE,
)
_NEGATED = (
    r"(?:not? |n't (?:be )?|isn't |never )(?:too |very |so |that |an? )?(?:expensive|dear|pricey|costly)"
)
_LEVELS: tuple[tuple[Level, re.Pattern[str]], ...] = (
    (
        "unlimited",
        re.compile(
            r"\b(?:money|price|cost|budget)(?:'s| is)? (?:no|not an?|isn't an?|doesn't) (?:object"
            r"|problem|issue|matter|concern)"
            r"|\b(?:no|any|unlimited) budget(?: limit)?\b|\b(?:no|don't have an?) (?:price "
            r"|budget )?limit\b"
            r"|\bany price\b|\bprice does(?: not|n't) matter\b",
            re.IGNORECASE,
        ),
    ),
    (
        "low",
        re.compile(
            rf"\b(?:cheap(?:er|est|ish|ly)?|inexpensive|low[- ](?:cost|price|priced|budget)"
            rf"|budget[- ]friendly|affordable"
            rf"|economical|bargain|on a (?:tight |small |low |limited )?budget|(?:tight|small|low"
            rf"|limited) budget"
            rf"|budget (?=[a-z]+(?:s)?\b)(?!is|of|would|for|around|about|under|between|max|range)\w+"
            rf"|least expensive"
            rf"|as little as possible|reasonably priced|{_NEGATED})\b",
            re.IGNORECASE,
        ),
    ),
    (
        "moderate",
        re.compile(
            r"\b(?:mid[- ]?(?:range|priced|price|tier|market)|middle of the range"
            r"|moderate(?:ly)?(?: priced)?"
            r"|medium (?:price|priced|budget)|average price|reasonable price)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "high",
        re.compile(
            r"\b(?:luxur(?:y|ious)|high[- ]end|upscale|premium|top[- ]of[- ]the[- ](?:range|line)"
            r"|expensive|fancy|pricey"
            r"|upmarket|deluxe|best money can buy)\b",
            re.IGNORECASE,
        ),
    ),
)


def money(text: str, asked: bool) -> Money | None:
    """The budget of a text, or None. ``asked``: the assistant had asked for it, so a bare number is one."""
    amounts: list[_Amount] = []
    for number in numbers(text):
        currency, start, end = _currency(text, number)
        continues = bool(amounts) and re.fullmatch(r"\s*(?:-|–|to)\s*", text[amounts[-1][3] : start])
        if continues or _is_money(text, number, currency is not None, asked):
            amounts.append((number, currency, start, end))
    if amounts:
        return _range(text, amounts) or _single(text, amounts[0])
    for level, pattern in _LEVELS:
        if match := pattern.search(text):
            return Money(match.start(), match.end(), match[0], level=level)
    return None


_Amount = tuple[Number, str | None, int, int]


def _currency(text: str, number: Number) -> tuple[str | None, int, int]:
    """The currency said beside a number, and where the amount with it starts and ends."""
    if before := _SIGN_BEFORE.search(text[max(0, number.start - 5) : number.start]):
        name = (before[1] or before[2]).lower().rstrip(".")
        return _SIGNS.get(name, _NAMES.get(name)), number.start - len(before[0]), number.end
    if after := _NAME_AFTER.match(text[number.end : number.end + 12]):
        name = (after[1] or after[2] or after[3]).lower()
        return _SIGNS.get(name, _NAMES.get(name)), number.start, number.end + after.end()
    return None, number.start, number.end


def _is_money(text: str, number: Number, has_currency: bool, asked: bool) -> bool:
    if has_currency:
        return True
    before, after = text[max(0, number.start - 40) : number.start], text[number.end : number.end + 14]
    if _UNIT.match(after) and not re.match(r"\s(?:a|per) (?:month|year|week|night)", after, re.IGNORECASE):
        return False
    if asked:
        return True
    if _AFTER_MAX.match(after) and number.value >= 10:
        return True
    if _NOUN_AFTER.match(after):
        return False
    bounded = _MAX_BEFORE.search(before) or _ABOUT_BEFORE.search(before) or _JOIN.search(before)
    if re.search(
        r"\b(?:budget|spend|spending|pay|paying|price|prices?|cost|afford)\b[^.?!]{0,24}$",
        before,
        re.IGNORECASE,
    ):
        return True
    if _MAX_BEFORE.search(before):
        return number.value >= 10
    if _MONEY_WORD.search(text) and (bounded or _MIN_BEFORE.search(before)):
        return True
    if re.search(r"\b(?:between|from)\s*$", before, re.IGNORECASE) or (bounded and _in_range(text, number)):
        return number.value >= 50
    return bool(_ABOUT_BEFORE.search(before)) and number.value >= 50


def _in_range(text: str, number: Number) -> bool:
    return bool(
        re.search(
            r"\b(?:between|from)\b[^.?!]{1,20}$",
            text[max(0, number.start - 28) : number.start],
            re.IGNORECASE,
        )
    )


def _range(text: str, amounts: list[_Amount]) -> Money | None:
    for (low, low_currency, start, end), (high, currency, high_start, high_end) in pairwise(amounts):
        between = text[end:high_start]
        if (
            not re.fullmatch(r"\s*(?:-|–|to|and|till|or)\s*", between, re.IGNORECASE)
            or low.value > high.value
        ):
            continue
        lead = re.search(r"\b(?:between|from)\s*$", text[max(0, start - 10) : start], re.IGNORECASE)
        if lead is None and re.fullmatch(r"\s*and\s*", between, re.IGNORECASE):
            continue
        begin = start - len(lead[0]) if lead else start
        return Money(
            begin, high_end, text[begin:high_end], low.value, high.value, None, currency or low_currency
        )
    return None


def _single(text: str, amount: _Amount) -> Money:
    number, currency, start, end = amount
    found = Money(start, end, text[start:end], currency=currency)
    before, after = text[max(0, start - 40) : start], text[end : end + 16]
    for pattern, role in ((_AFTER_MAX, "max"), (_AFTER_MIN, "min"), (_AFTER_ABOUT, "target")):
        if match := pattern.match(after):
            return _with(text, found, role, number.value, start, end + match.end())
    about = _ABOUT_BEFORE.search(before)
    if about:
        before = before[: about.start()]
        if not _MAX_BEFORE.search(before):
            return _with(text, found, "target", number.value, start - len(about[0]), end)
    if _negated_min(before):
        return _with(text, found, "max", number.value, start, end)
    for pattern, role in ((_MAX_BEFORE, "max"), (_MIN_BEFORE, "min"), (_BUDGET_BEFORE, "max")):
        if match := pattern.search(before):
            begin = start - len(match[0]) if not about else start
            return _with(text, found, role, number.value, begin, end)
    return _with(text, found, "target", number.value, start, end)


def _negated_min(before: str) -> bool:
    """ "can't go over", "nothing above", "not over": a bound from above said by its negation."""
    return bool(
        re.search(
            r"(?:can't|cannot|don't|won't|not|nothing|never)\b[^.?!]{0,16}\b(?:over|above|more than"
            r"|beyond)\s*$",
            before,
            re.IGNORECASE,
        )
    )


def _with(text: str, found: Money, role: str, value: Decimal, start: int, end: int) -> Money:
    placed = replace(found, start=start, end=end, raw=text[start:end].strip())
    if role == "max":
        return replace(placed, max=value)
    return replace(placed, min=value) if role == "min" else replace(placed, target=value)
