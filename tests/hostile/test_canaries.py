"""What a customer types stays in the log of messages, on his profile and in Rasa's memory, and nowhere else.

Canaries are typed in every state of the running product, and then everything that it writes or answers is
searched for them: logs, standard output, metrics, health, exports, the command lines of its processes.
"""

import re
import sqlite3
import time
from pathlib import Path

import httpx
import pytest

from bench.hostile.doors import Widget, WidgetTalk
from tests.live.product import RunningProduct

NAME, STREET = "Zebulon Quackenbush", "Kittiwakestraat 77"
EMAIL, PHONE = "zebulon.quackenbush@canary.example", "+353 87 555 7731"
CARD, IBAN, PASSWORD, PASSPORT = "4539 5787 6362 1486", "AT61 1904 3002 3457 3201", "Heronfly77", "L898902C3"
CANARIES = (NAME, "Quackenbush", "Kittiwake", EMAIL, PHONE, "5557731", "555 7731", CARD, "453957876362",
            IBAN, "3002 3457", "30023457", PASSWORD, PASSPORT)  # fmt: skip
SECRETS = (CARD, CARD.replace(" ", ""), PASSWORD)
SENTENCES = (
    f"I am {NAME}, I live at {STREET}",
    f"write to {EMAIL} or ring {PHONE}",
    f"my card is {CARD}, cvv 907, and the password is {PASSWORD}",
    f"pay it back to {IBAN}, my passport no. is {PASSPORT}",
)


def types_everything(talk: WidgetTalk) -> None:
    for sentence in SENTENCES:
        talk.say(sentence)


@pytest.fixture(scope="module")
def typed(attacked: RunningProduct) -> str:
    """Canaries in every state; returns a one-time code that was used."""
    widget = Widget(attacked.url)
    types_everything(widget.begin())  # Nothing is asked.
    form = widget.begin()
    form.say("I want to return something")  # Asked who he is.
    types_everything(form)
    code = _verified(attacked, widget)
    waiting = widget.begin()
    waiting.say("talk to a person")
    types_everything(waiting)  # In the queue, or asked for a call-back.
    broken = widget.begin()
    attacked.kill_rasa()
    types_everything(broken)  # While nobody can answer.
    attacked.wait_until(brain="ok")
    broken.say("hello again")
    for path, body in (
        ("/chat/session", {"language": NAME, "signed_in_token": EMAIL}),
        ("/chat/nothing", {}),
    ):
        httpx.post(attacked.url + path, json=body, timeout=20)
    httpx.get(f"{attacked.url}/chat/messages", params={"after": EMAIL, "name": NAME}, timeout=20)
    httpx.post(
        f"{attacked.url}/sign-in", data={"email": EMAIL, "password": PASSWORD}, timeout=20,
        headers={"Sec-Fetch-Site": "same-origin"},
    )  # fmt: skip
    return code


def _verified(product: RunningProduct, widget: Widget) -> str:
    """A customer proves who he is with the code from his letter, and then tells what he should not."""
    database = sqlite3.connect(product.home / "rapport.db")
    (email,) = database.execute(
        "SELECT value FROM contacts WHERE kind = 'email' AND current ORDER BY customer_id LIMIT 1"
    ).fetchone()
    talk = widget.begin()
    talk.say("where is my order?")
    talk.say(email)
    code = ""
    deadline = time.monotonic() + 20
    while not code and time.monotonic() < deadline:
        rows = database.execute(
            "SELECT body FROM outbox WHERE recipient = ? ORDER BY outbox_id DESC LIMIT 1", (email,)
        ).fetchall()
        code = next(iter(re.findall(r"\b\d{6}\b", rows[0][0] if rows else "")), "")
    assert code, "no code came"
    database.close()
    heard = talk.say(f"here it is: {code}")
    assert "isn't the code" not in heard.words
    types_everything(talk)
    return code


def test_no_canary_is_in_any_log_export_figure_or_command_line(typed: str, attacked: RunningProduct) -> None:
    places = {
        "the screen": "".join(attacked.output),
        "metrics": httpx.get(f"{attacked.url}/metrics", timeout=20).text,
        "health": httpx.get(f"{attacked.url}/health", timeout=20).text,
        "firm export": attacked.command("firm", "export"),
        "decisions replay": attacked.command("decisions", "replay"),
        "keys": attacked.command("keys", "list", "--json"),
        "command lines": _command_lines(),
    }
    logs = [path for path in (attacked.home / "logs").rglob("*") if path.is_file()]
    assert logs
    places |= {str(path): path.read_text(errors="replace") for path in logs}
    found = [(place, word) for place, text in places.items() for word in (*CANARIES, typed) if word in text]
    assert found == []


def test_no_card_and_no_password_is_kept_in_any_file(typed: str, attacked: RunningProduct) -> None:
    """The databases too, Rasa's and ours, with their write-ahead logs."""
    files = [path for path in attacked.home.rglob("*") if path.is_file()]
    found = [(path.name, word) for path in files for word in SECRETS if word.encode() in path.read_bytes()]
    assert found == []


def test_a_used_code_and_account_numbers_are_not_in_rasas_memory(
    typed: str, attacked: RunningProduct
) -> None:
    """Rasa keeps what customers type; these it was never told."""
    memory = b"".join(path.read_bytes() for path in attacked.home.glob("tracker.db*"))
    assert b"Quackenbush" in memory, "the search looks in the wrong place"
    assert [word for word in (typed, IBAN, PASSPORT) if word.encode() in memory] == []


def test_the_words_are_where_they_belong(typed: str, attacked: RunningProduct) -> None:
    database = sqlite3.connect(attacked.home / "rapport.db")
    said = " ".join(text for (text,) in database.execute("SELECT text FROM messages"))
    database.close()
    assert NAME in said
    assert IBAN in said


def _command_lines() -> str:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # It ended meanwhile.
    return "\n".join(lines)
