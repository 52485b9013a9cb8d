"""Complaints, and customers who leave."""

from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Literal

ComplaintStatus = Literal["open", "resolved"]

# Letters and digits that nobody confuses when reading them out.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class Complaint:
    """One row of ``complaints``; ``verbatim`` grows when the customer adds to it."""

    complaint_id: str
    reference: str
    customer_id: str | None
    conversation_id: str
    source_key: str
    verbatim: str
    status: ComplaintStatus
    opened_at: datetime
    resolved_at: datetime | None = None


@dataclass(frozen=True)
class FiledComplaint:
    """``is_new`` is false when the words were added to the complaint already open in this chat."""

    complaint: Complaint
    is_new: bool


@dataclass(frozen=True)
class EndedContract:
    """A contract that its customer ended; ``offers_person``: his value calls for a person, if he likes."""

    name: str
    ends_on: date
    is_new: bool  # False when it had been ended before.
    offers_person: bool


def reference_of(complaint_id: str) -> str:
    """A short number that a customer can read out on the phone; the same id gives the same one.

    >>> len(reference_of("cmp_1"))
    8
    """
    number = int.from_bytes(sha256(complaint_id.encode()).digest()[:8])
    letters = []
    for _ in range(6):
        number, place = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "C-" + "".join(letters)


def summary_line(verbatim: str, limit: int = 160) -> str:
    """The first words of a complaint for the account manager's list."""
    flat = " ".join(verbatim.split())
    return flat if len(flat) <= limit else flat[: limit - 1].rsplit(" ", 1)[0] + "…"
