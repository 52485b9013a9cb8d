"""``rapport work`` as an operator starts and stops it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.builders import ROOT


def start(home: Path, *options: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "RAPPORT_HOME": str(home), "RAPPORT_ROOT": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "cli", "work", *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_worker_ends_in_good_order_when_it_is_told_to(tmp_path: Path) -> None:
    worker = start(tmp_path)
    assert worker.stdout is not None
    assert worker.stdout.readline().startswith("working")
    worker.send_signal(signal.SIGTERM)
    rest, _ = worker.communicate(timeout=60)
    assert (worker.returncode, rest) == (0, "")


def test_the_worker_can_run_what_is_due_and_end(tmp_path: Path) -> None:
    output, _ = start(tmp_path, "--once").communicate(timeout=120)
    assert output == "0 jobs done\n"
