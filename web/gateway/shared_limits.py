"""Token buckets that several processes share in Redis, so that two of them do not allow twice as much.

When Redis is away each process counts for itself, with the same numbers: customers are never refused
because of Redis, and a flood is let through at most once for each process.
"""

import hashlib
import hmac
import logging
import threading
import time
from dataclasses import fields, replace
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from web.gateway.limits import Buckets, Limits, TooMany

ANSWER_SECONDS = 0.25  # A customer's message waits no longer for a limit.
AWAY_SECONDS = 5.0  # Redis is not asked again for so long after it failed.

log = logging.getLogger(__name__)

# One script is one atomic step, and the clock is the one of Redis, so the processes' clocks do not matter.
_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local burst, per_second = tonumber(ARGV[1]), tonumber(ARGV[2])
local held = redis.call('HMGET', KEYS[1], 'tokens', 'since')
local tokens, since = tonumber(held[1]) or burst, tonumber(held[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - since) * per_second)
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = (1 - tokens) / per_second end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'since', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - tokens) / per_second * 1000) + 1000)
return string.format('%.6f', wait)
"""


class RedisAway(Exception):
    """Redis did not answer in time; count in this process."""


class SharedTokens:
    """Takes tokens in Redis. Names (addresses, conversations) are stored as keyed digests only."""

    def __init__(self, url: str, secret: bytes) -> None:
        self._redis = Redis.from_url(
            url,
            socket_connect_timeout=ANSWER_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._take = self._redis.register_script(_TAKE)
        self._secret = secret
        self._lock = threading.Lock()
        self._away_until = 0.0

    @property
    def away(self) -> bool:
        return time.monotonic() < self._away_until

    def take(self, name: str, burst: int, per_second: float) -> float:
        """Take a token of this bucket; returns the seconds to wait when there is none, else 0.

        Raises
        ------
        RedisAway : at once, while the last failure is fresh.
        """
        if self.away:
            raise RedisAway
        digest = hmac.digest(self._secret, name.encode(), hashlib.sha256).hex()[:32]
        try:
            return float(self._take(keys=[f"rapport:limit:{digest}"], args=[burst, per_second]))
        except (RedisError, OSError) as error:
            with self._lock:
                if not self.away:
                    log.warning(
                        "limits are counted in each process: Redis is away (%s)", type(error).__name__
                    )
                self._away_until = time.monotonic() + AWAY_SECONDS
            raise RedisAway from error


class SharedBuckets(Buckets):
    """The buckets of one kind, in Redis while it answers and in memory while it does not."""

    def __init__(self, kind: str, local: Buckets, tokens: SharedTokens) -> None:
        super().__init__(local.burst, local.per_second)
        self._kind = kind
        self._tokens = tokens

    def take(self, name: str) -> None:
        """Take one token or raise ``TooMany``. It asks Redis: call it from a thread."""
        try:
            wait = self._tokens.take(f"{self._kind}:{name}", self.burst, self.per_second)
        except RedisAway:
            super().take(name)
            return
        if wait:
            raise TooMany(wait)


def shared(limits: Limits, tokens: SharedTokens) -> Limits:
    """The same limits, counted for all processes together; those of streams stay each process's own."""
    counted: dict[str, Any] = {}
    for field in fields(limits):
        local = getattr(limits, field.name)
        if isinstance(local, Buckets):
            counted[field.name] = SharedBuckets(field.name, local, tokens)
    return replace(limits, **counted)
