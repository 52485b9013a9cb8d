"""The parts of the product start apart from one another, each saying what it lacks."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from serve.errors import CannotStart
from serve.parts import require_startable
from tests.builders import ROOT
from tests.live.product import free_port
from tests.postgres import Cluster, find_binaries
from tests.web.gateway.chat import some_settings, until


def test_several_engines_without_a_common_memory_are_refused_with_the_setting_that_mends_it(
    tmp_path: Path,
) -> None:
    settings = some_settings(tmp_path, rasa_urls=("http://127.0.0.1:5005", "http://127.0.0.1:5006"))
    for part in ("gateway", "rasa"):
        with pytest.raises(CannotStart, match="RAPPORT_TRACKER_URL=postgresql"):
            require_startable((part,), settings)  # type: ignore[arg-type]
    require_startable(("worker",), settings)


def test_the_actions_never_listen_to_the_world(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="RAPPORT_ACTION_HOST"):
        require_startable(("actions",), some_settings(tmp_path, action_host="0.0.0.0"))


def test_the_demonstration_belongs_to_the_gateway(tmp_path: Path) -> None:
    ended = subprocess.run(
        [str(ROOT / "rapport"), "run", "--part", "worker", "--demo"],
        env={**os.environ, "RAPPORT_HOME": str(tmp_path)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "give --demo to that part" in ended.stderr


class Apart:
    """One part as a process of its own, with what it printed until it said that it runs."""

    def __init__(self, part: str, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [str(ROOT / "rapport"), "run", "--part", part],
            env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.said = ""

    def until_it_runs(self) -> str:
        return self.until_it_says("Ctrl-C stops everything")

    def until_it_says(self, words: str) -> str:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line
            if words in line:
                return self.said
        raise AssertionError(f"it ended: {self.said}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@pytest.fixture
def environment(postgres: Cluster, tmp_path: Path) -> Iterator[dict[str, str]]:
    name = postgres.create()
    yield {
        "RAPPORT_HOME": str(tmp_path),
        "RAPPORT_DATABASE_URL": postgres.url(name),
        "RAPPORT_PORT": str(free_port()),
        "RAPPORT_ACTION_PORT": str(free_port()),
        "RAPPORT_RASA_URL": f"http://127.0.0.1:{free_port()}",
    }
    postgres.drop(name)


def living_parts(environment: dict[str, str]) -> dict[str, float]:
    """What the gateway's metrics say once its figures are fresh."""
    address = f"http://127.0.0.1:{environment['RAPPORT_PORT']}/metrics"
    page = httpx.get(address, timeout=30, trust_env=False).text
    return {
        sample.labels["part"]: sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "rapport_processes"
    }


def test_parts_that_start_at_the_same_moment_on_an_empty_database_all_run(
    environment: dict[str, str],
) -> None:
    parts = [Apart(part, environment) for part in ("gateway", "actions", "worker")]
    try:
        said = [part.until_it_runs() for part in parts]
        assert "Running in this process: gateway." in said[0]
        health = httpx.get(f"http://127.0.0.1:{environment['RAPPORT_PORT']}/health", timeout=30)
        assert health.status_code == 200
        assert health.json()["brains"] == {"up": 0, "of": 1}
        refused = httpx.post(
            f"http://127.0.0.1:{environment['RAPPORT_ACTION_PORT']}/webhook", json={}, timeout=30
        )
        assert refused.status_code == 401
        each = {"gateway": 1, "actions": 1, "worker": 1}
        until(lambda: living_parts(environment) == each, "every part says that it lives")
    finally:
        ended = [part.stop() for part in parts]
    assert ended == [0, 0, 0]


def test_a_part_that_starts_before_its_database_waits_for_it(
    postgres: Cluster, environment: dict[str, str]
) -> None:
    binaries = find_binaries()
    assert binaries is not None  # The fixture ``postgres`` has found them.
    with Cluster(binaries) as late:
        url = late.url(late.create())
        late.kill()
        part = Apart("worker", {**environment, "RAPPORT_DATABASE_URL": url})
        try:
            part.until_it_says("the database is not available")
            late.start()
            assert "Running in this process: worker." in part.until_it_runs()
        finally:
            assert part.stop() == 0
