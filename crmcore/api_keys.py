"""Keys with which other programs call Rapport, and what each of them may do.

Pure. A key is shown once, when it is made; what is kept is its digest. It has 256 random bits, so a plain
SHA-256 is enough: there is nothing to guess, and a slow hash would only slow every request down.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal, get_args

from crmcore.errors import CrmError

Scope = Literal[
    "orders:write",
    "orders:read",
    "customers:write",
    "customers:read",
    "needs:read",
    "conversations:read",
    "escalations:read",
    "offers:read",
    "value:read",  # What a customer is worth and his tier, wherever a customer is shown.
    "chat",  # Speak as a visitor through a channel of one's own.
]
SCOPES: tuple[Scope, ...] = get_args(Scope)

LONGEST_NAME = 80
_KEY = re.compile(r"rap_([0-9a-f]{20})_([\w-]{43})", re.ASCII)


class KeyRefused(CrmError):
    """No key, an unknown one or a revoked one: from outside they are all the same."""

    def __init__(self) -> None:
        super().__init__(
            "send 'Authorization: Bearer rap_…' with a key of this installation that was not revoked; "
            "`rapport keys add` makes one"
        )


class ScopeMissing(CrmError):
    """The key is good, but not for this."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(
            f"this key lacks the scope {scope}; `rapport keys add NAME --scope {scope}` makes one"
        )
        self.scope = scope


class InvalidKey(CrmError):
    """A new key's name or scopes break a rule, or there is no key to revoke; the message says which."""


@dataclass(frozen=True)
class ApiKey:
    """One row of ``api_keys``; the digest stays in the store."""

    key_id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes


def key_text(key_id: str, secret: str) -> str:
    """What the other program sends; ``key_id`` has 20 hexadecimal digits, ``secret`` 43 characters."""
    return f"rap_{key_id}_{secret}"


def read_key(presented: str) -> str:
    """The id inside of a key. Raises :class:`KeyRefused` for what does not look like one.

    >>> read_key("rap_00112233445566778899_" + "s" * 43)
    '00112233445566778899'
    """
    found = _KEY.fullmatch(presented)
    if found is None:
        raise KeyRefused
    return found.group(1)


def digest_of(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def is_the_key(presented: str, digest: str) -> bool:
    """Whether the digest is that of the key; takes as long for a wrong one as for the right one."""
    return hmac.compare_digest(digest_of(presented), digest)


def check_name(name: str) -> str:
    """The name without blanks around it; raises :class:`InvalidKey`."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidKey(
            f"a key's name says which program holds it, in 1 to {LONGEST_NAME} printable characters"
        )
    return name


def check_scopes(scopes: Sequence[str]) -> tuple[Scope, ...]:
    """The scopes, known to be ones, each once and in the order of ``SCOPES``; raises :class:`InvalidKey`."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise InvalidKey(f"{unknown[0]!r} is not a scope; choose among {', '.join(SCOPES)}")
    if not scopes:
        raise InvalidKey(f"a key without a scope opens nothing; choose among {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if scope in scopes)
