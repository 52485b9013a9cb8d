"""A request that is sent again must not be done again: which key it came with, and what it said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from crmcore.errors import CrmError

KEPT_FOR = timedelta(days=7)  # Whoever tries again later than that has his order's own id.


@dataclass(frozen=True)
class Claim:
    """One use of an idempotency key, by one program. Both digests are SHA-256, hexadecimal."""

    key_id: str
    key_digest: str
    request_digest: str


class IdempotencyKeyReused(CrmError):
    """The same idempotency key came with another request."""

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was sent with another request before; make a new one for each")
