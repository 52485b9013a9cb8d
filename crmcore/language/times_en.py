"""Dates, times of day and deadlines in English.

Our grammar finds the stretch of text; weekdays and relative spans are reckoned here, and a date with a
month's name is given to dateparser, which is slow and greedy and therefore never sees more than such a
stretch. An all-number date such as 03/04 is kept as said and not resolved: it has two readings.
"""

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal

import dateparser

from crmcore.needs.language import When

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = (
    r"(?:mon(?:day)?|tue(?:s|sday)?|wed(?:nesday|s)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?"
    r"|sun(?:day)?)s?"
)
_FULL_DAY = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)s?"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_PLAIN_MONTH = r"(?:january|february|april|june|july|august|september|october|november|december)"
_ORDINAL = r"\d{1,2}(?:st|nd|rd|th)?"
_TH = r"\d{1,2}(?:st|nd|rd|th)"
_WORD_TH = (
    r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|twelfth|fifteenth"
    r"|twentieth|thirtieth)"
)
_N = (
    r"(?:\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|a few|few"
    r"|a couple(?: of)?|couple(?: of)?|several)"
)
_UNIT = r"(?:minute|min|hour|hr|day|week|wk|fortnight|month|year)s?"
_PART = r"(?:morning|afternoon|evening|night|lunchtime|noon)"
_FEAST = (
    r"(?:christmas(?: eve| day)?|xmas|easter|new year'?s?(?: eve| day)?|halloween|thanksgiving"
    r"|valentine'?s?(?: day)?"
    r"|mother'?s day|father'?s day|black friday|st\.? patrick'?s day)"
)
_SEASON = r"(?:spring|summer|autumn|winter|term|holidays|semester|season)"
_HOUR = r"(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"

_PATTERNS = (
    # Dates of the calendar.
    rf"(?:the )?{_ORDINAL}(?: of)? {_MONTH}\b\.?(?:,? \d{{4}})?(?!\w)",
    rf"{_MONTH}\.? (?:the )?(?:{_ORDINAL}|{_WORD_TH})(?!\d|:|\s?(?:am|pm)\b)(?:,? \d{{4}})?",
    rf"(?:the )?{_WORD_TH} of {_MONTH}\b",
    r"\d{4}-\d{2}-\d{2}",
    r"\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{1,2}/\d{1,2}(?!\d)",
    # Parts of a period.
    rf"(?:the )?(?:first|second|third|last) (?:week|half|weekend|day) (?:of|in) (?:the (?:month|year)"
    rf"|next (?:month|year)|{_MONTH})\b",
    rf"(?:the )?(?:end|beginning|start|middle|mid) (?:of )?(?:(?:the|this|next) (?:week|month|year"
    rf"|{_SEASON})|{_MONTH})\b",
    rf"(?:early|late|mid)[ -](?:(?:this|next) (?:week|month|year)|{_PLAIN_MONTH}|march|may)\b",
    # Relative.
    rf"(?:the )?day after tomorrow|(?:today|tomorrow|tmrw|tmr|tomorow|tommorow|tommorrow"
    rf"|2moro)(?: {_PART})?|tonight|tonite",
    rf"(?:this|next|coming|following|last) (?:{_DAY}(?: {_PART})?|week(?:end)?(?: {_FULL_DAY})?|month"
    rf"|year|{_PART}|{_SEASON}|{_MONTH}|fortnight)\b",
    rf"{_FULL_DAY} (?:next week|week|{_PART})\b",
    rf"(?:in|within) (?:the )?(?:next |about )?{_N} {_UNIT}(?:'? time)?\b|{_N} {_UNIT} (?:from (?:now"
    rf"|today)|later)\b"
    rf"|(?:in|within) (?:the )?next {_UNIT}\b|(?:in|within) {_N} {_UNIT}\b",
    rf"{_FULL_DAY}\b",
    r"(?:(?<=on )|(?<=by )|(?<=until )|(?<=till )|(?<=for ))(?:mon|tues?|wed|thurs?|fri|sat|sun)\b",
    r"(?:the|this|every) weekends?\b|(?:(?<=on )|(?<=at )|(?<=for ))weekends?\b",
    rf"(?:the )?{_TH}(?! (?:floor|time|birthday|anniversary|grade|edition|gen|generation|century|street"
    rf"|avenue|row))(?!\w)",
    _FEAST,
    rf"{_PLAIN_MONTH}\b",
    rf"(?:(?<=in )|(?<=by )|(?<=until )|(?<=till )|(?<=before )|(?<=from )|(?<=since ))(?:march|may|mar"
    rf"|apr|aug|sept?|oct|nov|dec|jan|feb|{_SEASON}|the (?:spring|summer|autumn|winter|new year))\b",
    # Times of day.
    rf"(?:half past|half|quarter (?:past|to)|\d{{1,2}} (?:past|to)) {_HOUR}(?:\s?(?:am|pm|a\.m\.?"
    rf"|p\.m\.?))?(?: in the {_PART}| at night)?(?!\w)",
    rf"{_HOUR}(?:[:.]\d{{2}})?\s?(?:am|pm|a\.m\.?|p\.m\.?|o'?clock)(?: in the {_PART}| at night)?(?!\w)",
    rf"\d{{1,2}}:\d{{2}}(?: in the {_PART}| at night)?(?!\d)",
    rf"{_HOUR} (?:in the {_PART}|at night)",
    rf"(?<=\bat ){_HOUR}(?=\s*(?:$|[,.!?;]|and\b|please\b|pls\b|on\b|for\b|tomorrow\b|today\b|tonight\b))",
    rf"(?:noon|midnight|midday|(?:in|during) the {_PART}|(?:early|late) (?:morning|afternoon|evening)"
    rf"|lunchtime)\b",
    # Urgency.
    r"(?:as soon as possible|asap|a\.s\.a\.p\.?|right (?:away|now)|straight away|immediately|urgently"
    r"|at once|soon)\b",
)
_ALL = re.compile("|".join(rf"(?:(?<!\w)(?:{p}))" for p in _PATTERNS), re.IGNORECASE)
_BEFORE = re.compile(
    r"\b(by|before|until|till|no later than|not later than|latest|within|in time for)\s+(?:the )?$",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"\b(from|after|starting|starts|since|as of|not before|beginning)\s+(?:in |on |the )?$", re.IGNORECASE
)
_LEAD = re.compile(
    r"\b(?:by|before|until|till|no later than|from|after|since|starting(?: on| from)?|on|at|in"
    r"|during)\s(?:the )?$",
    re.IGNORECASE,
)
_ASKED = re.compile(rf"{_HOUR}(?:[:.]\d{{2}})?", re.IGNORECASE)
_MAX_STRETCHES = 8


def times(text: str, today: date, asked: bool) -> tuple[When, ...]:
    """Every stretch about time. ``asked``: the assistant had asked when, so a short bare answer counts."""
    found: list[When] = []
    for match in _ALL.finditer(text):
        if len(found) == _MAX_STRETCHES:
            break
        before = text[max(0, match.start() - 20) : match.start()]
        within = match[0].lower().startswith("within ")
        bound: Literal["by", "from", "on"]
        bound = "by" if within or _BEFORE.search(before) else "from" if _FROM.search(before) else "on"
        raw = re.sub(r"^(?:in|within|during) (?:the (?!next))?", "", match[0], flags=re.IGNORECASE).strip()
        earliest, latest = span(raw, today)
        if bound == "by":
            earliest = None if latest else earliest
        elif bound == "from":
            latest = None
        lead = _LEAD.search(before)
        start = match.start() - (len(lead[0]) if lead else 0)
        found.append(When(start, match.end(), raw, bound, earliest, latest))
    if not found and asked and (bare := _ASKED.search(text)):
        found.append(When(bare.start(), bare.end(), bare[0]))
    return tuple(found)


@lru_cache(maxsize=512)
def span(raw: str, today: date) -> tuple[date | None, date | None]:
    """First and last day meant by a stretch such as "next week"; (None, None) when it names no day."""
    text = raw.lower().strip()
    for rule in (_relative, _weekday, _period, _month, _feast):
        if (found := rule(text, today)) is not None:
            return found
    return _calendar(text, today)


_Span = tuple[date | None, date | None]


def _relative(text: str, today: date) -> _Span | None:
    if text in ("asap", "now", "immediately", "urgently", "at once") or re.match(
        r"as soon|right |straight|a\.s", text
    ):
        return today, today
    if re.match(r"today|tonight|tonite|this (?:morning|afternoon|evening|night)", text):
        return today, today
    if re.match(r"(?:the )?day after tomorrow", text):
        return today + timedelta(2), today + timedelta(2)
    if re.match(r"tom|tmr|2moro", text):
        return today + timedelta(1), today + timedelta(1)
    if match := re.match(rf"(?:the )?(?:next )?(?:about )?({_N}) ({_UNIT})", text):
        days = {"da": 1, "we": 7, "wk": 7, "fo": 14, "mo": 30, "ye": 365}.get(match[2][:2])
        if days is not None:
            end = today + timedelta(days=_count(match[1]) * days)
            return today, end
        return today, today
    return None


def _count(text: str) -> int:
    if text.isdigit():
        return int(text)
    words = ["", "a", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "", "twelve"]
    vague = {"an": 1, "one": 1, "few": 3, "a few": 3, "several": 4}
    plain = text.removesuffix(" of")
    if plain.endswith("couple"):
        return 2
    return vague.get(plain) or (words.index(plain) if plain in words else 1)


def _weekday(text: str, today: date) -> _Span | None:
    match = re.search(rf"\b({_DAY})\b", text)
    if not match or re.search(r"black friday", text):
        return None
    index = next((i for i, day in enumerate(_DAYS) if day.startswith(match[1][:3])), None)
    if index is None:
        return None
    ahead = (index - today.weekday()) % 7
    monday = today - timedelta(today.weekday())
    if "next" in text or text.endswith(" week"):
        day = monday + timedelta(7 + index)
    else:
        day = today + timedelta(ahead or (0 if text.startswith("this") else 7))
    return day, day


def _period(text: str, today: date) -> _Span | None:
    monday = today - timedelta(today.weekday())
    if "weekend" in text and "of" not in text:
        saturday = monday + timedelta(5 + (7 if "next" in text else 0))
        return saturday, saturday + timedelta(1)
    if re.fullmatch(r"(?:this|next|coming|following) week", text):
        start = monday if text.startswith("this") else monday + timedelta(7)
        return max(start, today), start + timedelta(6)
    if match := re.search(r"(this|next|the|coming|following) (month|year)$", text):
        first = _first(today, match[2], 1 if match[1] in ("next", "following", "coming") else 0)
        last = _first(first, match[2], 1) - timedelta(1)
        return _part(text, max(first, today) if match[1] != "next" else first, last)
    return None


def _first(day: date, unit: str, ahead: int) -> date:
    if unit == "year":
        return date(day.year + ahead, 1, 1)
    months = day.year * 12 + day.month - 1 + ahead
    return date(months // 12, months % 12 + 1, 1)


def _part(text: str, first: date, last: date) -> _Span:
    if re.search(r"\b(end|late|last)\b", text):
        return last - timedelta(6), last
    if re.search(r"\b(beginning|start|early|first)\b", text):
        return first, min(last, first + timedelta(6))
    if re.search(r"\b(middle|mid)\b", text):
        middle = first + (last - first) / 2
        return middle - timedelta(3), middle + timedelta(3)
    return first, last


def _month(text: str, today: date) -> _Span | None:
    """A month without a day of it, or a part of one."""
    match = re.search(rf"\b({_MONTH})$", text)
    if not match or re.search(
        r"\d|\b" + _WORD_TH + r" of", text.replace("first week", "").replace("second week", "")
    ):
        return None
    names = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    month = names.index(match[1][:3]) + 1
    first = date(today.year + (month < today.month or text.startswith("next")), month, 1)
    return _part(text, max(first, today), _first(first, "month", 1) - timedelta(1))


_FEASTS = {
    "christmas eve": (12, 24),
    "christmas": (12, 25),
    "xmas": (12, 25),
    "new year's eve": (12, 31),
    "new year": (1, 1),
    "halloween": (10, 31),
    "valentine": (2, 14),
    "st patrick": (3, 17),
    "st. patrick": (3, 17),
}


def _feast(text: str, today: date) -> _Span | None:
    for name, (month, day) in _FEASTS.items():
        if text.startswith(name):
            on = date(today.year, month, day)
            on = on if on >= today else date(today.year + 1, month, day)
            return on, on
    return None


def _calendar(text: str, today: date) -> _Span:
    """A day with a month's name, a day of this month ("the 23rd"), or ISO; anything else is unclear."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            return (date.fromisoformat(text),) * 2
        except ValueError:
            return None, None
    alone = re.fullmatch(rf"(?:the )?({_TH})", text)
    if not alone and not (re.search(rf"\b{_MONTH}\b", text) and re.search(r"\d", text)):
        return None, None
    return _parse(text.removeprefix("the ").replace(" of ", " "), today)


def _parse(text: str, today: date) -> _Span:
    settings = {
        "PREFER_DATES_FROM": "future",
        "RELATIVE_BASE": datetime.combine(today, time()),
        "PARSERS": ["absolute-time"],
    }
    found = dateparser.parse(text, languages=["en"], settings=settings)
    return (found.date(), found.date()) if found else (None, None)
