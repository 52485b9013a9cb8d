"""The dialogue alone, without its actions: what comes after what, as the test stories say."""

import subprocess
from pathlib import Path

from serve.training import RASA_PYTHON, rasa_environment, train_when_stale
from tests.builders import ROOT


def test_the_trained_dialogue_goes_as_the_test_stories_say(tmp_path: Path) -> None:
    ended = subprocess.run(
        [
            str(RASA_PYTHON), "-m", "rasa", "test", "core", "--fail-on-prediction-errors", "--no-plot",
            "--stories", str(ROOT / "tests" / "dialogue" / "test_stories.yml"),
            "--model", str(train_when_stale()), "--endpoints", "none.yml", "--out", str(tmp_path),
        ],
        cwd=ROOT, env=rasa_environment(), capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    failed = tmp_path / "failed_test_stories.yml"
    assert ended.returncode == 0, failed.read_text() if failed.exists() else ended.stderr[-2000:]
