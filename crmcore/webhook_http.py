"""Sends one event over HTTP, to nobody but the receiver that was checked.

A name is resolved once, every address that it has is checked, and the checked address is the one that is
connected to: a name that changes between the two changes nothing. Redirects are not followed, proxies are
not used, and the whole exchange has one deadline.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpcore

from crmcore.errors import CrmError
from crmcore.logs import mask
from crmcore.webhooks import is_public

DEADLINE_SECONDS = 10.0
MOST_READ = 2_048  # Bytes of an answer; the rest is not worth waiting for.
EXCERPT = 160  # Characters of it that are kept.


@dataclass(frozen=True)
class Answered:
    """``excerpt`` is the beginning of what the receiver said, masked, on one line."""

    status: int
    excerpt: str

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


class Unreachable(CrmError):
    """Nobody answered in time, or the address is not one that may be connected to."""


Post = Callable[[str, Mapping[str, str], bytes], Answered]


def to_public_addresses(url: str, headers: Mapping[str, str], body: bytes) -> Answered:
    """Send it, unless the receiver is on this machine or network. Raises :class:`Unreachable`."""
    return _post(url, headers, body, _Checked(time.monotonic() + DEADLINE_SECONDS, allow_private=False))


def to_any_address(url: str, headers: Mapping[str, str], body: bytes) -> Answered:
    """Send it, wherever the receiver is. Raises :class:`Unreachable`."""
    return _post(url, headers, body, _Checked(time.monotonic() + DEADLINE_SECONDS, allow_private=True))


def _post(url: str, headers: Mapping[str, str], body: bytes, network: httpcore.NetworkBackend) -> Answered:
    sent = {**headers, "Content-Type": "application/json", "User-Agent": "Rapport", "Connection": "close"}
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), DEADLINE_SECONDS)
    try:
        with (
            httpcore.ConnectionPool(_trusted(), network_backend=network) as pool,
            pool.stream(
                "POST", url, headers=list(sent.items()), content=body, extensions={"timeout": timeouts}
            ) as answer,
        ):
            return Answered(answer.status, _excerpt(answer.iter_stream()))
    except (
        httpcore.NetworkError,
        httpcore.TimeoutException,
        httpcore.ProtocolError,
        httpcore.UnsupportedProtocol,
        OSError,
    ) as error:
        raise Unreachable(f"{type(error).__name__}: {mask(str(error))[:EXCERPT]}") from error


@cache
def _trusted() -> ssl.SSLContext:
    """Reading the machine's list of authorities takes longer than most exchanges."""
    return ssl.create_default_context()


def _excerpt(parts: Iterable[bytes]) -> str:
    read = b""
    for part in parts:
        read += part
        if len(read) >= MOST_READ:
            break
    said = " ".join(read[:MOST_READ].decode(errors="replace").split())
    return mask("".join(c for c in said if c.isprintable()))[:EXCERPT]


class _Checked(httpcore.SyncBackend):
    """Connects to checked addresses only, and lets nothing take longer than the deadline."""

    def __init__(self, deadline: float, *, allow_private: bool) -> None:
        self._deadline = deadline
        self._allow_private = allow_private

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *further: Any, **options: Any
    ) -> httpcore.NetworkStream:
        addresses = [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        if not self._allow_private and not all(is_public(address) for address in addresses):
            raise Unreachable(f"{host} leads to this machine or network, where no event may be sent")
        connected = super().connect_tcp(addresses[0], port, _left(self._deadline), *further, **options)
        return _Hurried(connected, self._deadline)


class _Hurried(httpcore.NetworkStream):
    """A connection on which a receiver that trickles has no more time than one that is silent."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._inner.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _Hurried(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout(f"no whole answer within {DEADLINE_SECONDS:.0f} s")
    return left
