"""Processes are killed while customers write: nothing acknowledged is lost, doubled or out of order.

The long run, with real Rasa too, is ``python -m bench.endurance``.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Cluster, find_binaries
from tests.processes.fleet import Fleet, fleet
from tests.processes.havoc import run_under_fire
from tests.processes.load import Load
from tests.processes.verdict import judge
from tests.redis_server import RedisServer

MESSAGES, CUSTOMERS, KILLS, SEED = 400, 8, 5, 7


@pytest.fixture
def processes(postgres: Cluster, redis_server: RedisServer, tmp_path: Path) -> Iterator[Fleet]:
    binaries = find_binaries()
    assert binaries is not None  # The fixture ``postgres`` has found them.
    with Cluster(binaries, durable=True) as own, fleet(own, redis_server, tmp_path, "fake", SEED) as running:
        yield running


def test_nothing_acknowledged_is_lost_doubled_or_out_of_order_whoever_is_killed(processes: Fleet) -> None:
    rng = random.Random(SEED)
    load = Load(processes.gateways, CUSTOMERS, MESSAGES, ["This is number {number} of {name}."], rng)
    kills = run_under_fire(processes, load, MESSAGES, KILLS, rng)
    assert kills == dict.fromkeys(processes.kinds, 1)
    verdict = judge(processes.database_url, load.customers, echoes=True)
    assert verdict.wrong == []
    assert load.progress.acknowledged == MESSAGES
    assert verdict.answered + verdict.apologised + verdict.covered == MESSAGES
    assert verdict.answered >= MESSAGES * 8 // 10
