"""What an import did, in rows of the file."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from crmcore.imports.fields import Kind

Outcome = Literal["imported", "refused", "tried"]
# What the file did to customers' values: nothing, they were refreshed at once, or the next scoring does it.
Values = Literal["unchanged", "refreshed", "next_scoring"]


@dataclass(frozen=True)
class Reason:
    """Why rows were rejected, how many, and the first line of them."""

    text: str
    rows: int
    first_line: int


@dataclass(frozen=True)
class ImportReport:
    """``read`` is the sum of all that became of rows.

    ``total`` is the signed sum of the good rows in ``currency``, whether they were there before or not;
    None for a kind of file that has no amounts. ``tried`` (--dry-run) says what would have happened.
    """

    kind: Kind
    outcome: Outcome
    read: int
    imported: int
    updated: int
    unchanged: int
    rejected: int
    duplicates: int  # Dropped, because the operator wanted it.
    excluded: int
    repeats: int  # Rows that say the same as an earlier one, kept or dropped.
    rounded: int
    customers: int
    new_customers: int
    stayed: int  # Contacts and consents that the file did not replace, because customers gave them here.
    total: Decimal | None
    currency: str
    values: Values
    valued: int  # Customers whose values were refreshed.
    reasons: tuple[Reason, ...]
    rejects_file: Path | None
    described: str
    mapping: dict[str, str]
    guessed: tuple[str, ...]
