"""A throw-away Redis on a free port of loopback, that a test may kill and start again."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from serve.children import die_with_parent
from tests.live.product import free_port

NOT_FOUND = "redis-server was not found; install the redis-server package"


class RedisServer:
    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="rapport-redis-"))
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        options = {"port": self._port, "bind": "127.0.0.1", "dir": self._home, "save": "", "appendonly": "no"}
        arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(
            ["redis-server", *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent,
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while True:
            try:
                with Redis.from_url(self.url) as redis:
                    redis.ping()
                return
            except (RedisError, OSError):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("redis-server did not start") from None
                time.sleep(0.05)

    def kill(self) -> None:
        """Without warning; what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        if os.environ.get("CI"):
            pytest.fail(f"in CI nothing may be left out: {NOT_FOUND}")
        pytest.skip(f"not run with Redis: {NOT_FOUND}")
    server = RedisServer()
    server.start()
    yield server
    server.close()
