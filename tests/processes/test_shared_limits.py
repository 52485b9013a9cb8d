"""One contract for limits in memory and in Redis, and what happens when Redis goes away."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis import Redis

from crmcore.crm import Crm
from tests.processes.conftest import two_gateways
from tests.redis_server import RedisServer
from web.gateway.limits import Buckets, Limits, TooMany
from web.gateway.shared_limits import SharedBuckets, SharedTokens, shared

Make = Callable[[int, float], Buckets]


@pytest.fixture(params=["memory", "redis"])
def buckets(request: pytest.FixtureRequest) -> Make:
    if request.param == "memory":
        return Buckets
    server: RedisServer = request.getfixturevalue("redis_server")
    tokens = SharedTokens(server.url, b"secret")
    return lambda burst, per_second: SharedBuckets("test", Buckets(burst, per_second), tokens)


def taken(bucket: Buckets, name: str, times: int) -> int:
    count = 0
    for _ in range(times):
        try:
            bucket.take(name)
        except TooMany:
            continue
        count += 1
    return count


def test_a_burst_is_allowed_and_no_more(buckets: Make) -> None:
    assert taken(buckets(5, 0.001), "somebody", 20) == 5


def test_each_name_has_its_own(buckets: Make) -> None:
    bucket = buckets(2, 0.001)
    assert [taken(bucket, name, 5) for name in ("one", "other")] == [2, 2]


def test_who_waits_as_told_is_let_in(buckets: Make) -> None:
    bucket = buckets(1, 10.0)
    with pytest.raises(TooMany) as refused:
        [bucket.take("somebody") for _ in range(50)]
    assert 0 < refused.value.retry_after <= 0.1
    time.sleep(refused.value.retry_after + 0.01)
    bucket.take("somebody")


def test_a_long_pause_gives_no_more_than_a_burst(buckets: Make) -> None:
    bucket = buckets(3, 1_000.0)
    taken(bucket, "somebody", 3)
    time.sleep(0.05)
    began = time.monotonic()
    allowed = taken(bucket, "somebody", 4)
    assert 3 <= allowed <= 3 + 1_000 * (time.monotonic() - began)


def test_many_at_the_same_moment_get_exactly_the_burst(buckets: Make) -> None:
    bucket = buckets(20, 0.001)
    gate = threading.Barrier(8)

    def take(_: int) -> int:
        gate.wait()
        return taken(bucket, "somebody", 10)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 20


def test_two_processes_share_one_bucket(redis_server: RedisServer) -> None:
    one, other = (
        SharedBuckets("messages", Buckets(10, 0.001), SharedTokens(redis_server.url, b"secret"))
        for _ in range(2)
    )
    assert taken(one, "somebody", 7) + taken(other, "somebody", 7) == 10


def test_redis_is_told_neither_who_it_is_nor_keeps_it_longer_than_needed(redis_server: RedisServer) -> None:
    bucket = SharedBuckets("writes", Buckets(10, 5.0), SharedTokens(redis_server.url, b"secret"))
    bucket.take("203.0.113.7")
    with Redis.from_url(redis_server.url, decode_responses=True) as redis:
        (key,) = redis.keys("*")
        assert "203" not in key
        assert 0 < redis.pttl(key) <= 1_300


def test_without_redis_each_process_counts_for_itself_and_nobody_waits(redis_server: RedisServer) -> None:
    tokens = SharedTokens(redis_server.url, b"secret")
    bucket = SharedBuckets("messages", Buckets(5, 0.001), tokens)
    redis_server.kill()
    began = time.monotonic()
    assert taken(bucket, "somebody", 20) == 5
    assert time.monotonic() - began < 5
    assert tokens.away


def test_redis_is_used_again_when_it_is_back(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.gateway.shared_limits.AWAY_SECONDS", 0.05)
    tokens = SharedTokens(redis_server.url, b"secret")
    bucket = SharedBuckets("messages", Buckets(5, 0.001), tokens)
    redis_server.kill()
    assert taken(bucket, "somebody", 20) == 5
    redis_server.start()
    time.sleep(0.1)
    assert taken(bucket, "somebody", 20) == 5, "the bucket in Redis is full again, because it was lost"


def test_every_limit_of_requests_is_shared_and_none_of_streams(redis_server: RedisServer) -> None:
    usual = Limits()
    found = shared(usual, SharedTokens(redis_server.url, b"secret"))
    for name, bucket in vars(usual).items():
        assert isinstance(getattr(found, name), SharedBuckets) == isinstance(bucket, Buckets)


def test_a_visitor_cannot_write_twice_as_much_by_using_two_processes(
    crm: Crm, tmp_path: Path, redis_server: RedisServer
) -> None:
    few = Limits(messages=Buckets(burst=4, per_second=0.001))
    with two_gateways(crm, tmp_path, redis_server, few) as (one, other):
        visitor = one.visitor()
        answers = []
        for _ in range(4):
            for gateway in (one, other):
                visitor.http.base_url = gateway.url  # type: ignore[assignment]
                answers.append(visitor.send("hello").status_code)
    assert sorted(answers) == [201] * 4 + [429] * 4
