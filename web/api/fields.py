"""The kinds of values that the API speaks of, each with its rule, so that the description is true.

Types that are named here appear under their name in the OpenAPI document. ``web.api.description`` narrows two
of them to the firm: which currency it has, and how many decimals.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from crmcore.paging import CURSOR_PATTERN

AMOUNT = r"^[0-9]{1,12}(\.[0-9]{1,3})?$"
SIGNED_AMOUNT = r"^-?[0-9]{1,16}(\.[0-9]{1,3})?$"

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# The one that the last second of year 9999 in any offset still has in UTC, and the first of year 1.
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


class Body(BaseModel):
    """Exactly these fields and types; anything else is refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Answer(BaseModel):
    """What the API says; a field that has no value is null."""

    model_config = ConfigDict(extra="forbid")


def _read_moment(given: Any) -> datetime:
    """RFC 3339 with an offset. What lies before year 1 or after 9999 in UTC is moved to the edge."""
    if isinstance(given, datetime):
        return given  # Ours, on its way out: JSON has no such value.
    found = _MOMENT.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise ValueError(
            "a moment is written like 2026-03-11T10:00:00+01:00 or 2026-03-11T09:00:00Z, with its offset; "
            "in a URL write the + as %2B"
        )
    day, minute, second, fraction, offset = found.groups()
    leap = second == "60"  # A leap second, which Python does not know, is the second after the 59th.
    text = f"{day}T{minute}:{'59' if leap else second}{(fraction or '')[:7]}{offset.upper()}"
    try:
        moment = datetime.fromisoformat(text)
        if not 2 <= moment.year <= 9998:
            return min(max(moment.replace(tzinfo=UTC), _FIRST), _LAST)
        return moment.astimezone(UTC) + timedelta(seconds=leap)
    except ValueError as error:
        raise ValueError("there is no such day, time or offset") from error


def _read_day(given: Any) -> date:
    if isinstance(given, date):
        return given
    if not (isinstance(given, str) and _DAY.fullmatch(given)):
        raise ValueError("a day is written like 2026-03-11")
    return date.fromisoformat(given)


def _read_whole(given: Any) -> Any:
    """JSON has one kind of number: 2.0 is the whole number 2."""
    return int(given) if isinstance(given, float) and given.is_integer() else given


Quantity = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(_read_whole)]

type Moment = Annotated[
    datetime,
    BeforeValidator(_read_moment),
    PlainSerializer(lambda moment: moment.astimezone(UTC).isoformat().replace("+00:00", "Z")),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": "ISO 8601 with an offset; a time without one is refused. Answers are in UTC.",
            "examples": ["2026-03-11T10:00:00+01:00"],
        }
    ),
]
type Day = Annotated[
    date,
    BeforeValidator(_read_day),
    PlainSerializer(lambda day: day.isoformat()),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-03-13"]}),
]
type Amount = Annotated[
    str,
    Field(
        pattern=AMOUNT,
        description="Money as a decimal text, never a number: numbers lose cents on the way.",
        examples=["129.90"],
    ),
]
type SignedAmount = Annotated[str, Field(pattern=SIGNED_AMOUNT, examples=["-12.50"])]
type Currency = Annotated[
    str, Field(pattern="^[A-Z]{3}$", description="ISO 4217; the firm's own.", examples=["EUR"])
]

# No slash, because the id is a part of an address, and no control characters.
type Id = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f/]+$", examples=["A-1001"])
]
Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
type Cursor = Annotated[
    str,
    Field(
        pattern=CURSOR_PATTERN,
        max_length=528,
        description="`next_cursor` of the page before; its inside may change.",
    ),
]
