"""Many processes, killed at random while customers write: what is lost, doubled, out of order, and how fast.

Two gateways, two dialogue engines, a worker, PostgreSQL and Redis run as processes of their own. Customers
write through both gateways, send again what was not acknowledged, and read their streams. Every kind of
process is killed without warning (SIGKILL) at seeded random moments and started again. In the end the
database is compared with what each customer was acknowledged and shown.

    python -m bench.endurance --brain fake --messages 20000
    python -m bench.endurance --brain rasa --messages 2000

``fake`` answers at once and measures the gateways; ``rasa`` is the real dialogue engine, and the same
customers then ask two plain Rasa servers of the same model over their own REST channel, without kills.
"""

import argparse
import itertools
import random
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from bench.latency import plain_rasa
from bench.results import percentile, read_figures, write_result
from tests.postgres import NOT_FOUND, Cluster, find_binaries
from tests.processes.fleet import Fleet, fleet
from tests.processes.havoc import run_under_fire
from tests.processes.load import Load
from tests.processes.verdict import Verdict, judge
from tests.redis_server import RedisServer

ECHO = ["This is number {number} of {name}."]
SENTENCES = [
    "hello there",
    "what can you do for me",
    "how long does delivery take",
    "do you sell violins",
    "thank you so much",
    "what are your opening hours",
]
CUSTOMERS = {"fake": 40, "rasa": 20}
MESSAGES_A_KILL = {"fake": 600, "rasa": 100}
QUIET_SHARE = 10  # One message of so many is sent before the first kill, to measure the speed.


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.endurance")
    parser.add_argument("--brain", choices=("fake", "rasa"), required=True)
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--dry", action="store_true", help="print the figures and write no file")
    given = parser.parse_args()
    binaries = find_binaries()
    if binaries is None or shutil.which("redis-server") is None:
        raise SystemExit(f"needs PostgreSQL and redis-server: {NOT_FOUND}")
    redis = RedisServer()
    redis.start()
    try:
        with tempfile.TemporaryDirectory() as home, Cluster(binaries, durable=True) as cluster:
            with fleet(cluster, redis, Path(home), given.brain, given.seed) as running:
                figures = _endure(running, given.brain, given.messages, given.seed)
            if given.brain == "rasa":
                figures["plain_rasa"] = _plain(Path(home), min(given.messages, 600))
    finally:
        redis.close()
    print(figures)
    if not given.dry:
        kept = read_figures("endurance")
        write_result(
            "endurance",
            "python -m bench.endurance --brain fake --messages 20000, then --brain rasa --messages 2000",
            {**kept, given.brain: figures},
            "Counts of messages; seconds. 'ack' is from the first attempt to the acknowledgement, all "
            "repeats included, 'reply' to the arrival of the answer on the stream, for messages that were "
            "sent when nothing else was open. 'quiet' is before the first kill. Customers share the two "
            "cores with all processes. 'plain_rasa' keeps its trackers in memory and stores no message.",
        )


def _endure(running: Fleet, brain: str, messages: int, seed: int) -> dict[str, Any]:
    rng = random.Random(seed)
    echoes = brain == "fake"
    texts = ECHO if echoes else SENTENCES
    customers = CUSTOMERS[brain]
    quiet = Load(running.gateways, customers, messages // QUIET_SHARE, texts, rng, "q")
    quiet.run()
    print(f"quiet: {messages // QUIET_SHARE} messages in {quiet.seconds:.0f} s", flush=True)
    rest = messages - messages // QUIET_SHARE
    load = Load(running.gateways, customers, rest, texts, rng)
    began = time.monotonic()
    kills = run_under_fire(
        running, load, rest, max(rest // MESSAGES_A_KILL[brain], len(running.kinds)), rng,
        lambda what: print(f"  {time.monotonic() - began:6.1f} s, {what}", flush=True),
    )  # fmt: skip
    print(f"under fire: {rest} messages in {load.seconds:.0f} s", flush=True)
    verdict = judge(running.database_url, [*quiet.customers, *load.customers], echoes)
    for wrong in verdict.wrong[:40]:
        print("WRONG:", wrong)
    return {
        "messages": messages,
        "customers": customers,
        "kills": dict(sorted(kills.items())),
        "acknowledged": quiet.progress.acknowledged + load.progress.acknowledged,
        **_counts(verdict),
        "retries": sum(customer.retries for customer in load.customers),
        "streams_opened": sum(customer.streams_opened for customer in load.customers),
        "waited_90_s_in_vain": sum(customer.waited_in_vain for customer in load.customers),
        "quiet": _speed(quiet),
        "under_fire": _speed(load),
        "incidents": dict(sorted(verdict.incidents.items())),
    }


def _counts(verdict: Verdict) -> dict[str, int]:
    return {
        "lost": verdict.lost,
        "doubled": verdict.doubled,
        "out_of_order": verdict.out_of_order,
        "unanswered": verdict.unanswered,
        "not_shown": verdict.not_shown,
        "answered": verdict.answered,
        "apologies": verdict.apologised,
        "covered_by_an_apology": verdict.covered,
        "to_a_person": verdict.to_a_person,
        "anomalies": len(verdict.wrong),
    }


def _speed(load: Load) -> dict[str, float]:
    acks = [sent.after_seconds for customer in load.customers for sent in customer.acknowledged]
    replies = [seconds for customer in load.customers for seconds in customer.replied_after]
    return {
        "seconds": round(load.seconds, 1),
        "messages_a_second": round(load.progress.acknowledged / load.seconds, 1),
        **{f"ack_p{p}_ms": round(percentile(acks, p) * 1000, 1) for p in (50, 95, 99)},
        "ack_worst_ms": round(max(acks) * 1000, 1),
        **{f"reply_p{p}_ms": round(percentile(replies, p) * 1000, 1) for p in (50, 95, 99)},
    }


def _plain(home: Path, messages: int) -> dict[str, float]:
    """The same sentences, by as many customers, to two plain Rasa servers of the same model."""
    servers: list[tuple[subprocess.Popen[bytes], str]] = []
    try:
        for number in range(2):
            directory = home / f"plain{number}"
            directory.mkdir()
            servers.append(plain_rasa(directory))
        urls = [url for _, url in servers]
        waited: list[float] = []
        began = time.perf_counter()
        with ThreadPoolExecutor(CUSTOMERS["rasa"]) as pool:
            shares = [messages // CUSTOMERS["rasa"]] * CUSTOMERS["rasa"]
            for found in pool.map(_ask, itertools.cycle(urls), shares):
                waited += found
        seconds = time.perf_counter() - began
    finally:
        for process, _ in servers:
            process.terminate()
            process.wait(30)
    return {
        "messages": len(waited),
        "seconds": round(seconds, 1),
        "messages_a_second": round(len(waited) / seconds, 1),
        **{f"reply_p{p}_ms": round(percentile(waited, p) * 1000, 1) for p in (50, 95)},
    }


def _ask(url: str, share: int) -> Sequence[float]:
    waited = []
    sender = uuid.uuid4().hex
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as http:
        for number in range(share):
            began = time.perf_counter()
            words = {"sender": sender, "message": SENTENCES[number % len(SENTENCES)]}
            http.post("/webhooks/rest/webhook", json=words).raise_for_status()
            waited.append(time.perf_counter() - began)
    return waited


if __name__ == "__main__":
    main()
