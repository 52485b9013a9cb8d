"""Trains the assistant when, and only when, what it learns from has changed."""

import contextlib
import fcntl
import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from crmcore.settings import ROOT
from serve.children import die_with_parent
from serve.errors import CannotStart

RASA_PYTHON = ROOT / ".venv-rasa" / "bin" / "python"
KEPT_MODELS = 3  # A product that runs may start its Rasa again with an older model.
TAUGHT_BY = (
    "config.yml",
    "domain.yml",
    "data/nlu",
    "data/rules",
    "data/stories",
    "data/heldout",
    "understanding",
)


def rasa_environment() -> dict[str, str]:
    """What every Rasa process is given: no telemetry, no GPU search, one thread for the small matrices.

    None of our own settings: where the database and the mail server are is not Rasa's to know.
    """
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")},
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "OPENBLAS_NUM_THREADS": "1",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "PYTHONWARNINGS": "ignore",
        "PYTHONPATH": str(ROOT),
    }


def model_path() -> Path:
    """Where the model for today's dialogue is, whether or not it has been trained."""
    digest = hashlib.sha256()
    for path in _taught_by():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return ROOT / "models" / f"rapport-{digest.hexdigest()[:16]}.tar.gz"


def train_when_stale() -> Path:
    """The model for today's dialogue, trained now when it is not there yet.

    Raises ``CannotStart`` with the last lines of the training log when the dialogue does not train.
    """
    model = model_path()
    if not model.exists():
        with _alone(model.parent):
            if not model.exists():
                _train(model)
    return model


@contextlib.contextmanager
def _alone(models: Path) -> Iterator[None]:
    """Two processes that start at once train once: the second waits for the first."""
    models.mkdir(exist_ok=True)
    with (models / ".training").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Given back with the file, whatever ends the process.
        yield


def _train(model: Path) -> None:
    log = model.parent / "training.log"
    print("Training the assistant, because its dialogue changed (about a minute) …", flush=True)
    with log.open("w") as output:
        finished = subprocess.run(
            [
                str(RASA_PYTHON), "-m", "rasa", "train", "--domain", "domain.yml", "--config", "config.yml",
                "--data", "data/nlu", "data/rules", "data/stories",
                "--out", "models", "--fixed-model-name", f".{model.name}",
            ],
            cwd=ROOT, env=rasa_environment(), stdout=output, stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent, check=False,
        )  # fmt: skip
    unfinished = model.with_name(f".{model.name}")
    if finished.returncode != 0 or not unfinished.exists():
        tail = "\n  ".join(log.read_text(errors="replace").strip().splitlines()[-8:])
        raise CannotStart(
            f"The assistant could not be trained; the whole log is in {log}, and it ends with:\n  {tail}"
        )
    unfinished.rename(model)  # A half-written model never has the final name.
    by_age = sorted(model.parent.glob("rapport-*.tar.gz"), key=lambda path: path.stat().st_mtime)
    for old in by_age[:-KEPT_MODELS]:
        old.unlink()


def _taught_by() -> Iterator[Path]:
    for name in TAUGHT_BY:
        path = ROOT / name
        if path.is_file():
            yield path
        else:
            yield from sorted(file for file in path.rglob("*") if file.suffix in (".yml", ".py", ".json"))
