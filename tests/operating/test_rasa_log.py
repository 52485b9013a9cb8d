"""Of what Rasa prints only what cannot be a customer's words is kept; that it fell back is heard."""

import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from serve import rasa as rasa_server
from serve.rasa import RasaServer
from serve.rasa_log import Line, RasaLog, reduced
from tests.builders import ROOT
from tests.web.gateway.chat import some_settings

CANARY = "my dog is called Kanarienvogel"
UP = "2026-03-11 10:00:00 INFO     root  - Rasa server is up and running."
MEMORY = (
    "Error happened when trying to save conversation tracker to 'SQLTrackerStore'. Falling back to use the "
    "'InMemoryTrackerStore'. Please investigate the following error: (sqlite3.OperationalError) disk error"
)
WRITTEN_IN_A_CRASH = [
    json.dumps({"event": "processor.message.crash", "text": CANARY, "level": "error", "event_info": CANARY}),
    json.dumps(
        {
            "event": f"could not parse {CANARY}",
            "level": "error",
            "exception": [
                {
                    "exc_type": "ValueError",
                    "exc_value": CANARY,
                    "frames": [
                        {
                            "filename": "/rasa/core/processor.py", "lineno": 12, "name": "handle_message",
                            "line": "", "locals": {"message": CANARY},
                        }
                    ],
                }
            ],
        }
    ),
    f"[parameters: ('cnv_1.0', 'user', '{CANARY}')]",
    "Traceback (most recent call last):",
    '  File "/rasa/engine/graph.py", line 12, in __call__',
    f'    raise ValueError("{CANARY}")',
    f"ValueError: {CANARY}",
    f"rasa.shared.exceptions.RasaException: {CANARY}",
    f"/lib/x.py:12: UserWarning: The sentence '{CANARY}' has no tokens",
    CANARY,
    f"ERROR sanic.error - An exception occurred while handling uri: '/webhooks/rest/{CANARY}'",
    f"  File \"/x.py\", line 3, in {CANARY}",
    "{" + CANARY,
]  # fmt: skip


def kept(*lines: str) -> list[Line]:
    reader = RasaLog()
    return [line for printed in lines for line in reader.read(printed + "\n")] + list(reader.rest())


def test_no_line_of_a_crash_gives_a_customers_words_away() -> None:
    text = "\n".join(line.text or "" for line in kept(UP, *WRITTEN_IN_A_CRASH))
    assert "Kanarienvogel" not in text
    for told in (
        "ValueError", "/rasa/core/processor.py:12 handle_message", 'File "/rasa/engine/graph.py", line 12',
        "processor.message.crash", "rasa.shared.exceptions.RasaException", "left out",
    ):  # fmt: skip
        assert told in text, told


def test_until_rasa_is_up_it_has_seen_no_customer_and_all_is_kept() -> None:
    start = ["ModuleNotFoundError: No module named 'safetensors'", "anything else"]
    assert [line.text for line in kept(*start)] == start


def test_what_is_left_out_is_counted() -> None:
    texts = [line.text for line in kept(UP, CANARY, CANARY, "Traceback (most recent call last):", CANARY)]
    assert texts[1:] == [
        "[2 lines left out that may hold a customer's words]",
        "Traceback (most recent call last):",
        "[a line left out that may hold a customer's words]",
    ]


@pytest.mark.parametrize("before", [(), (UP,)])
def test_the_fall_back_to_memory_is_heard_whenever_it_is_said(before: tuple[str, ...]) -> None:
    found = [line for line in kept(*before, MEMORY) if line.fell_back]
    assert len(found) == 1
    assert "(sqlite3.OperationalError)" in (found[0].text or "")


def test_the_sentence_that_tells_the_fall_back_is_still_rasas_own() -> None:
    """An update of Rasa that words it differently must not make us deaf."""
    (source,) = (ROOT / ".venv-rasa").glob("lib/python3.*/site-packages/rasa/core/tracker_store.py")
    text = source.read_text()
    for said in (
        "Error happened when trying to save conversation tracker to ",
        "Error happened when trying to retrieve conversation tracker from ",
        "'{InMemoryTrackerStore.__name__}'",
    ):
        assert said in text


def test_a_server_that_falls_back_is_reported_once_a_minute_and_written_without_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    program = f"print({UP!r}); print({MEMORY!r}); print({CANARY!r}); print({MEMORY!r})"

    async def start(self: RasaServer) -> Any:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    async def run() -> None:
        address = "http://127.0.0.1:9"
        settings = some_settings(tmp_path, rasa_urls=(address,))
        server = RasaServer(settings, tmp_path / "model", address, lambda: told.append("told"))
        process = await server._start()
        await server._log(process.stdout)
        await process.wait()

    monkeypatch.setattr(rasa_server.RasaServer, "_start", start)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()
    assert told == ["told"]
    log = (tmp_path / "logs" / "rasa.log").read_text()
    assert "Kanarienvogel" not in log
    assert log.count("Error happened when trying to save conversation tracker") == 2


def test_a_known_sentence_ends_where_a_value_could_begin() -> None:
    line = f"ERROR  rasa.core.processor  - Failed to run custom action 'action_x'. {CANARY}"
    assert reduced(line) == "ERROR  rasa.core.processor  - Failed to run custom action 'action_x'"
