"""What a log line holds, what it never holds, and where it goes."""

import io
import json
import logging
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmcore import logs
from crmcore.errors import StoreUnavailable
from crmcore.logs import PrivateRotatingFile, log_context, new_request_id, set_up_logs, words_of
from tests.builders import ROOT
from tests.web.gateway.chat import some_settings

CANARY = "my dog is called Kanarienvogel"


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, as it was before when the test is over."""
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    yield root
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook = hook
    logging.captureWarnings(False)


@pytest.fixture
def as_json(root_logger: logging.Logger, tmp_path: Path) -> None:
    """The whole process logs as JSON."""
    set_up_logs(some_settings(tmp_path, log_format="json"))


def written(home: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (home / "logs" / "rapport.log").read_text().splitlines()]


@pytest.mark.usefixtures("as_json")
def test_a_json_line_says_when_how_bad_where_what_and_in_which_request(tmp_path: Path) -> None:
    with log_context(request_id="req_abc"):
        logging.getLogger("web.test").info(
            "answered %s", 7, extra={"event": "turn", "conversation_id": "cnv_1", "duration_ms": 12.5}
        )
    (line,) = written(tmp_path)
    assert str(line.pop("time")).endswith("Z")
    assert line == {
        "level": "INFO", "logger": "web.test", "message": "answered 7", "pid": os.getpid(),
        "event": "turn", "conversation_id": "cnv_1", "duration_ms": 12.5, "request_id": "req_abc",
    }  # fmt: skip


@pytest.mark.usefixtures("as_json")
def test_no_field_and_no_trace_of_a_json_line_holds_what_a_customer_typed(tmp_path: Path) -> None:
    log = logging.getLogger("web.test")
    try:
        try:
            raise ValueError(f"cannot read {CANARY!r}")
        except ValueError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError:
        log.exception("it failed", extra={"who": "ruth@example.com", "more": ["4111 1111 1111 1111"]})
    (line,) = written(tmp_path)
    assert "Kanarienvogel" not in json.dumps(line)
    assert (line["who"], line["more"]) == ("[e-mail]", "['[number]']")
    trace = str(line["trace"])
    assert trace.count("Traceback (most recent call last):") == 2
    assert "builtins.ValueError" in trace
    assert f"{Path(__file__).name}" in trace


def test_what_a_programmer_or_the_system_said_stays_in_a_trace() -> None:
    error = StoreUnavailable("the database is not available: connection refused")
    assert "connection refused" in logs.trace_of(error)


def test_a_failed_job_is_described_without_what_it_could_not_read() -> None:
    assert words_of(ValueError(CANARY)) == "ValueError"
    assert words_of(ConnectionError("the mail server is away")) == "ConnectionError: the mail server is away"


def test_plain_lines_are_for_people_and_the_terminal_sees_only_what_matters(
    root_logger: logging.Logger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    set_up_logs(some_settings(tmp_path))
    logging.getLogger("web.test").info("a request", extra={"duration_ms": 3})
    logging.getLogger("web.test").warning("the database is slow")
    assert "the database is slow" in screen.getvalue()
    assert "a request" not in screen.getvalue()
    whole = (tmp_path / "logs" / "rapport.log").read_text().splitlines()
    assert whole[0].endswith(f"INFO web.test[{os.getpid()}] a request duration_ms=3")
    assert len(whole) == 2


def test_the_files_are_for_their_owner_alone_and_are_turned_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 2_000)
    handler = PrivateRotatingFile(tmp_path / "logs" / "a.log")
    for number in range(2000):
        handler.emit(logging.LogRecord("x", logging.INFO, "", 0, "line %s", (number,), None))
    handler.close()
    files = sorted((tmp_path / "logs").glob("a.log*"))
    assert len(files) == logs.KEPT_FILES
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o700
    assert max(file.stat().st_size for file in files) <= 2_000


def test_two_writers_of_one_file_lose_no_line_when_it_is_turned_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 10_000)
    monkeypatch.setattr(logs, "KEPT_FILES", 20)
    handlers = [PrivateRotatingFile(tmp_path / "a.log") for _ in range(2)]

    def write(which: int) -> None:
        for number in range(500):
            record = logging.LogRecord("x", logging.INFO, "", 0, "%s-%s", (which, number), None)
            handlers[which].handle(record)

    writers = [threading.Thread(target=write, args=(which,)) for which in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    for handler in handlers:
        handler.close()
    found = [line for file in tmp_path.glob("a.log*") for line in file.read_text().splitlines()]
    assert sorted(found) == sorted(f"{which}-{number}" for which in range(2) for number in range(500))


def test_a_process_that_ends_by_an_error_logs_where_and_not_what(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from crmcore.settings import read_settings\n"
        "from crmcore.logs import set_up_logs\n"
        "set_up_logs(read_settings())\n"
        f"raise ValueError({CANARY!r})\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={**os.environ, "RAPPORT_HOME": str(tmp_path), "RAPPORT_LOG_FORMAT": "json"},
    )  # fmt: skip
    assert ended.returncode == 1
    said = json.loads(ended.stderr)
    assert (said["level"], said["message"]) == ("CRITICAL", "the process ends")
    assert "ValueError" in said["trace"]
    assert "Kanarienvogel" not in ended.stderr
    assert written(tmp_path)[-1]["message"] == "the process ends"


def test_a_made_request_id_is_never_taken_for_a_number_by_the_mask() -> None:
    made = {new_request_id() for _ in range(200)}
    assert len(made) == 200
    assert all(logs.mask(name) == name for name in made)
