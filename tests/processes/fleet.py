"""A whole installation of many processes on this machine, each of which can be killed and started again."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import httpx

from serve.children import die_with_parent
from tests.builders import ROOT
from tests.live.product import free_port
from tests.postgres import Cluster
from tests.redis_server import RedisServer

Brain = Literal["fake", "rasa"]
START_SECONDS = 300  # A process imports everything anew, also on a machine that is very busy.
NICE = 5


@dataclass
class Killable:
    """One process of the fleet. ``kill`` is without warning; ``until_usable`` waits after ``start``."""

    name: str
    kind: str
    kill: Callable[[], None]
    start: Callable[[], None]
    until_usable: Callable[[], None] = lambda: None


@dataclass
class Fleet:
    """Where customers write, and everything that may be killed."""

    gateways: list[str]
    database_url: str
    members: list[Killable] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[Killable]:
        return [member for member in self.members if member.kind == kind]

    @property
    def kinds(self) -> list[str]:
        return sorted({member.kind for member in self.members})


class Program:
    """A process of ours, with what it prints in a file."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str], output: Path) -> None:
        self._arguments = arguments
        self._environment = {**os.environ, **environment}
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                ["nice", "-n", str(NICE), *self._arguments], cwd=ROOT, env=self._environment,
                stdout=output, stderr=output, preexec_fn=die_with_parent,
            )  # fmt: skip

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process = None

    def require_running(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            raise AssertionError(f"a process ended by itself:\n{self._output.read_text()[-2000:]}")


@contextlib.contextmanager
def fleet(cluster: Cluster, redis: RedisServer, home: Path, brain: Brain, seed: int = 1) -> Iterator[Fleet]:
    """Two gateways, two dialogue engines (Rasa with actions of its own) and a worker, on these servers."""
    ports = [free_port() for _ in range(6)]
    gateways = [f"http://127.0.0.1:{port}" for port in ports[:2]]
    brains = [f"http://127.0.0.1:{port}" for port in ports[2:4]]
    database = cluster.url(cluster.create())
    environment = {
        "RAPPORT_HOME": str(home),
        "RAPPORT_DATABASE_URL": database,
        "RAPPORT_TRACKER_URL": cluster.url(cluster.create()),
        "RAPPORT_REDIS_URL": redis.url,
        "RAPPORT_RASA_URL": ",".join(brains),
        "RAPPORT_REQUEST_LIMIT_FACTOR": "1000",
    }
    running = Fleet(gateways, database)
    programs: list[Program] = []

    def part(name: str, more: dict[str, str]) -> Program:
        program = Program(
            [str(ROOT / "rapport"), "run", "--part", name],
            environment | more,
            home / f"{name}{len(programs)}.out",
        )
        programs.append(program)
        return program

    def member(
        name: str, kind: str, program: Program, until: Callable[[Program], None] = lambda _: None
    ) -> None:
        running.members.append(Killable(name, kind, program.end, program.begin, lambda: until(program)))

    for number, url in enumerate(gateways):
        program = part("gateway", {"RAPPORT_PORT": str(ports[number])})
        member(f"gateway {number}", "gateway", program, _until_healthy(url))
    member("worker 0", "worker", part("worker", {}))
    if brain == "fake":
        for number, url in enumerate(brains):
            arguments = [str(ports[2 + number]), str(home / "memory.db"), str(seed + number)]
            program = Program(
                [sys.executable, "-m", "tests.processes.fake_rasa_process", *arguments],
                {},
                home / f"fake{number}.out",
            )
            programs.append(program)
            member(f"fake {number}", "brain", program, _until_ready(url))
    else:
        for number, url in enumerate(brains):
            own = {"RAPPORT_RASA_URL": url, "RAPPORT_ACTION_PORT": str(ports[4 + number])}
            member(f"actions {number}", "actions", part("actions", own))
            running.members.append(_rasa(number, home, ports[2 + number], url, part("rasa", own)))
    running.members.append(Killable("redis", "redis", redis.kill, redis.start))
    running.members.append(Killable("postgres", "postgres", cluster.kill, cluster.start))
    try:
        for program in programs:
            program.begin()
        for each in running.members:
            each.until_usable()
        yield running
    finally:
        for program in programs[::-1]:
            program.end(signal.SIGTERM)


def _rasa(number: int, home: Path, port: int, url: str, keeper: Program) -> Killable:
    """A real Rasa; the part that keeps it starts it again by itself."""

    def kill() -> None:
        os.kill(int((home / f"rasa-{port}.pid").read_text()), signal.SIGKILL)

    return Killable(f"rasa {number}", "brain", kill, lambda: None, lambda: _until_ready(url)(keeper))


def _until_healthy(url: str) -> Callable[[Program], None]:
    return _until(f"{url}/health/live")


def _until_ready(url: str) -> Callable[[Program], None]:
    return _until(f"{url}/status")


def _until(url: str) -> Callable[[Program], None]:
    def wait(program: Program) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            program.require_running()
            try:
                if httpx.get(url, timeout=2, trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(f"{url} did not answer within {START_SECONDS} s")

    return wait
