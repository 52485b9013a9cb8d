"""Where events are sent, how each is signed, and when it is tried again.

Pure. The signature is that of Standard Webhooks (https://www.standardwebhooks.com), symmetric variant:
``v1,`` and the base64 of HMAC-SHA256 over ``<webhook-id>.<webhook-timestamp>.<body>``.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal
from urllib.parse import urlsplit

from crmcore.errors import CrmError
from crmcore.events import KINDS, Event, EventKind

DeliveryStatus = Literal["waiting", "delivered", "dead"]

# Before the second attempt, the third and so on; eight attempts in about 28 hours.
PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
ATTEMPTS = len(PAUSES) + 1
FIRST_REST, LONGEST_REST = timedelta(seconds=5), timedelta(hours=1)
DISABLED_AFTER = timedelta(days=5)  # Without one success.
BOTH_SECRETS_FOR = timedelta(hours=24)  # After a rotation.
KEPT_FOR = timedelta(days=30)  # Events that nobody waits for any more.

# These say that the receiver as a whole is not there now; any other refusal is about one event.
OVERLOADED = frozenset({429, 502, 503, 504})
GONE = 410  # The receiver wants nothing any more.

LONGEST_URL = 2_000
# Addresses of other networks that may hide one of this network.
_TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"), ip_network("2002::/16"))


class InvalidEndpoint(CrmError):
    """An address or a list of events breaks a rule, or there is no such endpoint; the message says which."""


@dataclass(frozen=True)
class Endpoint:
    """One row of ``webhook_endpoints``. ``failures`` are in a row and of the receiver as a whole."""

    endpoint_id: str
    url: str
    events: tuple[EventKind, ...]
    created_at: datetime
    generation: int = 0  # Of the secret; each rotation raises it.
    previous_until: datetime | None = None  # How long the secret before is good, too.
    failing_since: datetime | None = None
    failures: int = 0
    retry_at: datetime | None = None  # Nothing is sent before.
    disabled_at: datetime | None = None


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one endpoint. ``round`` rises when somebody has it tried all over again."""

    delivery_id: int
    endpoint_id: str
    event_id: int
    status: DeliveryStatus
    attempts: int
    round: int
    last_error: str | None
    tried_at: datetime | None


@dataclass(frozen=True)
class Parcel:
    """A delivery with all that sending it needs."""

    delivery: Delivery
    endpoint: Endpoint
    event: Event


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after so many failed attempts; None: that was the last.

    >>> pause_after(1), pause_after(8)
    (datetime.timedelta(seconds=5), None)
    """
    return PAUSES[attempts - 1] if attempts < ATTEMPTS else None


def rest_after(failures: int) -> timedelta:
    """How long a receiver that could not be reached so many times in a row is left in peace.

    >>> rest_after(1), rest_after(3), rest_after(99)
    (datetime.timedelta(seconds=5), datetime.timedelta(seconds=20), datetime.timedelta(seconds=3600))
    """
    return min(FIRST_REST * (1 << min(failures - 1, 20)), LONGEST_REST)


def check_events(events: Sequence[str]) -> tuple[EventKind, ...]:
    """The kinds in the order of ``KINDS``; ``all`` means every one. Raises :class:`InvalidEndpoint`."""
    wanted = set(KINDS) if "all" in events else set(events)
    unknown = sorted(wanted - set(KINDS))
    if unknown or not wanted:
        what = f"{unknown[0]!r} is no event" if unknown else "name the events to send"
        raise InvalidEndpoint(f"{what}; choose all, or among {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in wanted)


def check_url(url: str, allow_private: bool) -> str:
    """The address, when events may be sent there. Raises :class:`InvalidEndpoint` with the rule it breaks."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidEndpoint(f"an address has at most {LONGEST_URL} printable ASCII characters, no blanks")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidEndpoint(f"{url!r} is no address: {error}") from error
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidEndpoint(
            "an address names a host and neither a user, a password nor a #fragment; "
            "the receiver knows us by our signature"
        )
    loopback = is_loopback(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise InvalidEndpoint("events are sent over https; http is allowed to this very machine alone")
    if not allow_private and (loopback or not _names_public(host)):
        raise InvalidEndpoint(
            f"{host} is an address of this machine or network; "
            "set RAPPORT_WEBHOOK_PRIVATE_ADDRESSES=allow if events may be sent there"
        )
    return url


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Whether an address belongs to the internet at large, and not to a machine or network of somebody's.

    >>> [is_public(a) for a in ("93.184.215.14", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1")]
    [True, False, False, False, False]
    """
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if any(found in network for network in _TRANSLATED) or found.teredo is not None:
            return False
        found = found.ipv4_mapped or found
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)


def _names_public(host: str) -> bool:
    """False for an address that is not public; what a name means is seen when it is connected to."""
    try:
        return is_public(host)
    except ValueError:
        return True


# --- signing -------------------------------------------------------------------------------------------


def secret_of(installation: bytes, endpoint_id: str, generation: int) -> str:
    """The endpoint's secret, ``whsec_…``. It follows from the installation's own, so it is stored nowhere."""
    key = hmac.digest(installation, f"webhook:{endpoint_id}:{generation}".encode(), sha256)
    return f"whsec_{base64.b64encode(key).decode()}"


def secrets_in_force(installation: bytes, endpoint: Endpoint, now: datetime) -> tuple[str, ...]:
    """The newest first; for a while after a rotation the one before, too."""
    generations = [endpoint.generation]
    if endpoint.previous_until is not None and now < endpoint.previous_until:
        generations.append(endpoint.generation - 1)
    return tuple(secret_of(installation, endpoint.endpoint_id, generation) for generation in generations)


def signed_headers(secrets: Sequence[str], webhook_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks, with one signature a secret."""
    timestamp = str(int(now.timestamp()))
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, webhook_id, timestamp, body) for secret in secrets),
    }


def _signature(secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, sha256)).decode()}"


def known_kinds(events: Sequence[str]) -> tuple[EventKind, ...]:
    """Stored kinds that this version knows."""
    return tuple(kind for kind in KINDS if kind in events)
