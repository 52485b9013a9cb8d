"""What browsers are told, what is written into logs, and what the operator's monitor sees."""

import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from crmcore.crm import Crm
from crmcore.logs import MaskPersonal, mask, mask_logs
from crmcore.store.database import Store
from tests.builders import a_crm
from tests.web.gateway.chat import FakeBrain, Gateway, Visitor, gateway
from web.gateway.brain import BrainDown


def directives(answer: httpx.Response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in parts}


PATHS = ["/chat/messages", "/widget", "/widget.js", "/health", "/sign-in", "/static/tokens.css", "/nothing"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_forbids_inline_scripts_foreign_origins_and_guessing(shared: Gateway, path: str) -> None:
    answer = httpx.get(shared.url + path, headers={"Origin": "https://evil.example"})
    policy = directives(answer)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["base-uri"] == "'none'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_only_the_firms_origins_may_embed_the_widget_and_nobody_anything_else(shared: Gateway) -> None:
    widget = directives(httpx.get(shared.url + "/widget"))
    assert widget["frame-ancestors"].split() == ["'self'", *shared.crm.firm.origins]
    for path in ("/sign-in", "/health", "/nothing"):
        answer = httpx.get(shared.url + path)
        assert directives(answer)["frame-ancestors"] == "'none'"
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_a_foreign_page_gets_no_permission_to_ask(shared: Gateway) -> None:
    ask = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = httpx.options(shared.url + "/chat/session", headers=ask)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_personal_answers_are_not_kept_by_browsers(shared: Gateway) -> None:
    visitor = shared.visitor()
    for path in ("/chat/messages", "/health"):
        answer = visitor.http.get(path, headers=visitor.headers)
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_bare_address_leads_on(shared: Gateway) -> None:
    assert httpx.get(shared.url + "/").headers["Location"] == "/sign-in"


def test_an_unforeseen_error_is_one_sentence_with_all_the_headers(
    crm: Crm, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with gateway(crm, tmp_path) as chat:
        visitor = chat.visitor()
        chat.app.state.limits = None
        answer = visitor.send("hello")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "Traceback" not in answer.text
    assert "NoneType" not in answer.text
    assert directives(answer)["default-src"] == "'none'"
    assert any(record.exc_info for record in caplog.records)


# --- logs -----------------------------------------------------------------------------------------------


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that any logger writes, through the mask that the product puts on its handlers."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    mask_logs([handler])
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


CANARIES = ["canary@example.com", "4111 1111 1111 1111", "+353 1 555 0142", "493817"]


def test_no_text_token_or_query_gets_into_the_logs(crm: Crm, tmp_path: Path, log: io.StringIO) -> None:
    brain = FakeBrain(says=lambda asked: BrainDown(f"cannot reach: {asked.text}"))
    with gateway(crm, tmp_path, brain) as chat:
        visitor = chat.visitor()
        for count, canary in enumerate(CANARIES, 1):
            visitor.send(f"please use {canary}")
            visitor.hears("bot", count)
        visitor.http.get("/chat/messages", params={"after": 0, "x": "query-canary"}, headers=visitor.headers)
        Visitor(chat, "forged." + visitor.token).send("text-canary")
    written = log.getvalue()
    assert "GET /chat/messages: 200" in written
    assert "POST /chat/messages: 201" in written
    ours = "\n".join(line for line in written.splitlines() if "HTTP Request:" not in line)
    for secret in (*CANARIES, "query-canary", "text-canary", visitor.token):
        assert secret not in ours


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("mail to jo.doe+x@mail.example.co.uk now", "mail to [e-mail] now"),
        ("code 493817 sent", "code [number] sent"),
        ("card 4111-1111-1111-1111.", "card [number]."),
        ("call +353 1 555 0142", "call [number]"),
        ("Authorization: Bearer abc.def", "Authorization: [token]"),
        ("GET /chat/messages: 200 after 1200 ms", "GET /chat/messages: 200 after 1200 ms"),
        ("message 123 of cnv_0123456789abcdef0123", "message 123 of cnv_0123456789abcdef0123"),
        ("8 conversations, 12345 ms, 10:00:01", "8 conversations, 12345 ms, 10:00:01"),
    ],
)
def test_the_mask_takes_the_personal_and_leaves_the_rest(line: str, masked: str) -> None:
    assert mask(line) == masked


def test_a_trace_is_masked_too() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(MaskPersonal())
    logger = logging.getLogger("trace")
    logger.addHandler(handler)
    try:
        raise ValueError("canary@example.com")
    except ValueError:
        logger.exception("it failed for %s", "493817")
    logger.removeHandler(handler)
    assert "canary" not in written.getvalue()
    assert "493817" not in written.getvalue()
    assert "Traceback" in written.getvalue()


# --- health ---------------------------------------------------------------------------------------------


def test_health_says_how_every_part_is(crm: Crm, tmp_path: Path) -> None:
    with gateway(crm, tmp_path) as chat:
        answer = httpx.get(chat.url + "/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "app": "ok",
        "database": "ok",
        "brain": "ok",
        "brains": {"up": 1, "of": 1},
        "streams": 0,
        "database_failures": 0,
        "incidents_last_hour": {},
    }


def test_a_brain_that_is_down_is_said_and_the_chat_goes_on(crm: Crm, tmp_path: Path) -> None:
    with gateway(crm, tmp_path, FakeBrain(is_ready=False)) as chat:
        answer = httpx.get(chat.url + "/health")
        assert chat.visitor().send("hello").status_code == 201
    assert (answer.status_code, answer.json()["brain"]) == (200, "down")


def test_without_its_database_the_chat_says_so_and_comes_back(
    migrated_sqlite: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = tmp_path / "rapport.db"
    database.write_bytes(migrated_sqlite.read_bytes())
    store = Store(f"sqlite:///{database}")
    with gateway(a_crm(store), tmp_path) as chat:
        visitor = chat.visitor()
        visitor.send("before")
        visitor.hears("bot")
        with visitor.listen(after=3) as events:
            next(events)
            for file in tmp_path.glob("rapport.db*"):
                file.rename(tmp_path / f"gone-{file.name}")
            store.dispose()
            os.mkdir(database)  # Nothing can be opened at that path.
            answer: Any = visitor.send("meanwhile")
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
            assert str(tmp_path) not in answer.text
            gone = httpx.get(chat.url + "/health")
            assert (gone.status_code, gone.json()["database"]) == (503, "down")
            assert gone.json()["database_failures"] >= 1
            chat.app.state.live.wake(visitor.conversation_id)
            assert [name for name, _ in events if name != "ping"] == []
        store.dispose()
        os.rmdir(database)
        for file in tmp_path.glob("gone-*"):
            file.rename(tmp_path / file.name.removeprefix("gone-"))
        assert visitor.send("after").status_code == 201
        visitor.hears("bot", 2)
    store.dispose()
    assert not [record for record in caplog.records if record.exc_info]
