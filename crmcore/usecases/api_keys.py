"""Making, showing, revoking and checking the keys of other programs."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from crmcore.api_keys import (
    ApiKey,
    InvalidKey,
    KeyRefused,
    check_name,
    check_scopes,
    digest_of,
    is_the_key,
    key_text,
    read_key,
)
from crmcore.crm import Crm

# Writing "used" for each request would make every read a write; once a minute is precise enough.
TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class NewKey:
    """``text`` is what the other program sends. It is shown now and can never be shown again."""

    key: ApiKey
    text: str


def create_key(crm: Crm, name: str, scopes: Sequence[str]) -> NewKey:
    """A new key. Raises InvalidKey for a name in use, or for a scope that there is not."""
    key = ApiKey(secrets.token_hex(10), check_name(name), check_scopes(scopes), crm.clock())
    text = key_text(key.key_id, secrets.token_urlsafe(32))
    with crm.store.write() as tx:
        if tx.api_keys.living(key.name) is not None:
            raise InvalidKey(f"a key named {key.name!r} is in use; revoke it first or choose another name")
        tx.api_keys.add(key, digest_of(text))
    return NewKey(key, text)


def list_keys(crm: Crm) -> list[ApiKey]:
    """Every key, revoked ones too, the oldest first."""
    with crm.store.read() as tx:
        return tx.api_keys.all()


def revoke_key(crm: Crm, name_or_id: str) -> ApiKey:
    """End a key at once. Raises InvalidKey when no key of that name or id is in use."""
    with crm.store.write() as tx:
        key = tx.api_keys.living(name_or_id)
        if key is None:
            raise InvalidKey(f"no key in use is named {name_or_id!r}; `rapport keys list` shows them")
        tx.api_keys.revoke(key.key_id, crm.clock())
        return key


def authenticate(crm: Crm, presented: str) -> ApiKey:
    """The key that another program shows. Raises KeyRefused, and says no more than that."""
    key_id, now = read_key(presented), crm.clock()
    with crm.store.read() as tx:
        found = tx.api_keys.with_digest(key_id)
    if found is None:
        raise KeyRefused
    key, digest = found
    if not is_the_key(presented, digest) or key.revoked_at is not None:
        raise KeyRefused
    if key.last_used_at is None or now - key.last_used_at >= TOUCH_EVERY:
        with crm.store.write() as tx:
            tx.api_keys.touch(key_id, now)
    return key
