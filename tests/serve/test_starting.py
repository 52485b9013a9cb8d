"""Whatever keeps the product from starting is one clear sentence, and training happens when it must."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from serve import training
from serve.errors import CannotStart
from serve.ports import require_free, require_private
from serve.training import KEPT_MODELS, rasa_environment, train_when_stale
from tests.builders import ROOT
from tests.live.product import free_port

# Trains nothing: counts how often it was called, and leaves a model where it was told to.
TRAINER = """#!/bin/sh
echo trained >> calls
for word; do last=$word; done
echo model > "models/$last"
"""


def a_program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def dialogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with a dialogue of its own and a trainer that only counts."""
    (tmp_path / "domain.yml").write_text("intents: []\n")
    monkeypatch.setattr(training, "ROOT", tmp_path)
    monkeypatch.setattr(training, "RASA_PYTHON", a_program(tmp_path / "rasa", TRAINER))
    return tmp_path


def test_a_taken_port_ends_the_start_with_a_sentence_that_names_the_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = {**os.environ, "RAPPORT_HOME": str(tmp_path), "RAPPORT_PORT": str(port)}
        ended = subprocess.run(
            [str(ROOT / "rapport"), "run"], env=environment, capture_output=True, text=True, timeout=60
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"rapport: Port {port} on 127.0.0.1, where the website")
    assert "RAPPORT_PORT=<port>" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "rapport.db").exists()


def test_a_free_port_is_no_obstacle() -> None:
    require_free("127.0.0.1", free_port(), "the website", "RAPPORT_PORT")


def test_a_missing_python_is_one_sentence_with_the_command_that_installs_it(tmp_path: Path) -> None:
    for name in ("scripts/setup", "uv.lock", "pyproject.toml", ".python-version"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    finds_only_ours = '#!/bin/sh\n[ "$2" = find ] && [ "$4" = 3.12 ] && echo /usr/bin/python3.12\n'
    a_program(tmp_path / "bin" / "uv", finds_only_ours)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    ended = subprocess.run(
        [str(tmp_path / "scripts" / "setup")],
        env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.startswith("setup: the dialogue engine Rasa needs Python 3.10, and none was found;")
    assert ended.stderr.count("\n") == 1


def test_the_assistant_is_trained_when_its_dialogue_changed_and_never_otherwise(dialogue: Path) -> None:
    first = train_when_stale()
    assert train_when_stale() == first
    (dialogue / "domain.yml").write_text("intents: [greet]\n")
    second = train_when_stale()
    assert second != first
    assert (dialogue / "calls").read_text().split() == ["trained"] * 2


def test_a_model_that_a_running_product_may_need_is_kept_for_a_while(dialogue: Path) -> None:
    trained = []
    for number in range(KEPT_MODELS + 1):
        (dialogue / "domain.yml").write_text(f"intents: [greet_{number}]\n")
        trained.append(train_when_stale())
        os.utime(trained[-1], (number, number))
    assert [model.exists() for model in trained] == [False] + [True] * KEPT_MODELS


def test_a_dialogue_that_does_not_train_shows_the_end_of_its_log(dialogue: Path) -> None:
    a_program(dialogue / "rasa", '#!/bin/sh\necho "domain.yml: no such intent"\nexit 1\n')
    with pytest.raises(CannotStart, match=r"could not be trained.*\n  domain.yml: no such intent"):
        train_when_stale()
    assert list((dialogue / "models").glob("*.tar.gz")) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "8.8.8.8", "rasa.example.com"])
def test_the_dialogue_engine_never_listens_to_the_world(host: str) -> None:
    with pytest.raises(CannotStart, match="RAPPORT_RASA_URL"):
        require_private(host, "The dialogue engine", "RAPPORT_RASA_URL")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.3.4", "192.168.1.9"])
def test_the_dialogue_engine_may_listen_privately(host: str) -> None:
    require_private(host, "The dialogue engine", "RAPPORT_RASA_URL")


def test_the_dialogue_engine_sends_no_telemetry_and_is_told_none_of_our_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAPPORT_SECRET", "00" * 32)
    monkeypatch.setenv("RAPPORT_DATABASE_URL", "postgresql://rapport:hush@db/rapport")
    given = rasa_environment()
    assert given["RASA_TELEMETRY_ENABLED"] == "false"
    assert [name for name in given if name.startswith("RAPPORT_")] == []
