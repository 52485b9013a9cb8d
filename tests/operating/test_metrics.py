"""What the operator's monitor reads, who may read it, and that every name stands in the documentation."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count as counting
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from crmcore.conversations import Reply
from crmcore.crm import Crm
from crmcore.events import KINDS
from crmcore.logs import MaskPersonal
from crmcore.metrics import INSTALLATION, exposition, names
from crmcore.usecases.escalation import request_person
from crmcore.usecases.operating import note_incident, readings
from crmcore.usecases.planning import plan
from crmcore.webhooks import DeliveryStatus, Endpoint
from tests.builders import ROOT, Clock, a_conversation, a_customer, a_message, a_turn, answered
from tests.concurrency import in_a_loop_of_its_own
from tests.web.gateway.chat import FakeBrain, Gateway, gateway, some_settings, until
from web.app import create_app
from web.gateway.brain import BrainDown
from web.gateway.trackers import TrackerWatch
from web.live import Live

TOKEN = "t" * 64
PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")


@pytest.fixture
def chat(crm: Crm, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(crm, tmp_path) as running:
        yield running


def figures(address: str, **headers: str) -> dict[str, float]:
    """Every sample of the page by its name and labels."""
    answer = httpx.get(f"{address}/metrics", headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text
    return parsed(answer.text)


def parsed(text: str) -> dict[str, float]:
    return {
        sample.name + "".join(f"|{value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_figures_of_the_installation_come_from_the_database(crm_on_both: Crm, clock: Clock) -> None:
    crm = crm_on_both
    a_customer(crm, tier="MVC")
    answered(crm, a_conversation(crm))
    a_message(crm, a_conversation(crm))
    request_person(crm, a_conversation(crm).conversation_id)
    note_incident(crm, "tracker_in_memory")
    with crm.store.write() as tx:
        plan(tx, "letter", "letter:1", clock(), {})
    clock.advance(minutes=5)
    found = parsed(exposition(readings(crm)).decode())
    assert found["rapport_database_up"] == 1
    assert found["rapport_conversations|bot"] == 2
    assert found["rapport_conversations|account_manager"] == 0
    assert found["rapport_queue_length"] == 1
    assert found["rapport_queue_oldest_wait_seconds"] == 300
    assert found["rapport_pending_messages"] == 1
    assert found["rapport_pending_oldest_seconds"] == 300
    assert found["rapport_lost_messages"] == 0
    assert found["rapport_incidents|tracker_in_memory"] == 1
    assert found["rapport_jobs_oldest_due_seconds"] == 300
    assert found["rapport_value_age_seconds"] == timedelta(minutes=5).total_seconds()


def test_events_that_a_subscriber_never_took_are_counted(crm_on_both: Crm) -> None:
    crm = crm_on_both
    statuses: tuple[DeliveryStatus, ...] = ("dead", "dead", "waiting", "delivered")
    endpoint = Endpoint("whe_1", "https://crm.example.com/hook", KINDS, crm.clock())
    with crm.store.write() as tx:
        tx.webhooks.add_endpoint(endpoint)
        told = [{"order_id": str(number)} for number in range(len(statuses))]
        for event_id, status in zip(
            tx.events.add("order.recorded", crm.clock(), told), statuses, strict=True
        ):
            delivery = tx.webhooks.add_delivery(endpoint.endpoint_id, event_id, crm.clock())
            tx.webhooks.save_delivery(replace(delivery, status=status))
    assert readings(crm)["rapport_webhook_dead_letters"] == 2


def test_messages_turns_and_failures_are_counted_as_they_happen(chat: Gateway) -> None:
    before = figures(chat.url)
    visitor = chat.visitor()
    visitor.send("hello", as_client="c-same")
    visitor.send("hello", as_client="c-same")
    visitor.hears("bot")
    chat.brain.says = lambda _: BrainDown("gone")
    visitor.send("again")
    visitor.hears("bot", 2)

    def grown(name: str) -> float:
        return figures(chat.url)[name] - before.get(name, 0)

    until(lambda: grown("rapport_turns_total|brain_down") == 1, "the failed turn is counted")
    assert grown("rapport_turns_total|answered") == 1
    assert grown("rapport_messages_received_total|web") == 2
    assert grown("rapport_turn_seconds_count") == 2
    assert grown("rapport_requests_total|POST|200") >= 1


def test_metrics_tell_nothing_personal(chat: Gateway) -> None:
    visitor = chat.visitor()
    visitor.send("I am Kanarienvogel, canary@example.com")
    visitor.hears("bot")
    text = httpx.get(f"{chat.url}/metrics").text
    for secret in ("Kanarienvogel", "canary@", visitor.conversation_id, visitor.token):
        assert secret not in text


@pytest.mark.parametrize(
    "passed_on", [{"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}, {"Via": "1.1 proxy"}]
)
def test_what_a_proxy_passes_on_is_refused_although_it_comes_from_this_machine(
    chat: Gateway, passed_on: dict[str, str]
) -> None:
    answer = httpx.get(f"{chat.url}/metrics", headers=passed_on)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "metrics_refused")
    assert "RAPPORT_METRICS_TOKEN" in answer.text


def test_with_a_token_only_who_shows_it_may_look(crm: Crm, tmp_path: Path) -> None:
    from tests.web.gateway.chat import served

    settings = some_settings(tmp_path, metrics_token=TOKEN)
    with served(create_app(crm, FakeBrain(), Live(crm), settings)) as url:
        for wrong in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
            assert httpx.get(f"{url}/metrics", headers=wrong).status_code == 403
        shown = {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "203.0.113.9"}
        assert httpx.get(f"{url}/metrics", headers=shown).status_code == 200


def test_a_monitor_that_asks_often_asks_the_database_seldom(
    chat: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    from web import metrics

    asked: list[int] = []
    monkeypatch.setattr(metrics, "_read", lambda _: asked.append(1) or {"rapport_database_up": 1})
    for _ in range(5):
        figures(chat.url)
    assert len(asked) == 1


def test_without_its_database_the_page_still_answers_and_says_so(
    chat: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crmcore.errors import StoreUnavailable
    from web import metrics

    def gone(_: Crm) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(metrics, "readings", gone)
    found = figures(chat.url)
    assert found["rapport_database_up"] == 0
    assert "rapport_queue_length" not in found
    assert "rapport_turns_total|answered" in found


# --- the dialogue engine that forgets -------------------------------------------------------------------


def test_a_brain_that_forgets_what_it_has_just_answered_is_an_incident(crm: Crm, tmp_path: Path) -> None:
    brain = FakeBrain(has_consumed=lambda _sender, _message_id: False)
    with gateway(crm, tmp_path, brain) as chat:
        before = figures(chat.url)["rapport_trackers_in_memory_total|look"]
        visitor = chat.visitor()
        visitor.send("hello")
        visitor.hears("bot")
        until(lambda: readings(crm)["rapport_incidents"] == {"tracker_in_memory": 1}, "the incident is kept")
        assert figures(chat.url)["rapport_trackers_in_memory_total|look"] == before + 1


def test_a_brain_that_remembers_is_none_and_is_asked_once_a_while(chat: Gateway) -> None:
    looked: list[int] = []
    chat.brain.has_consumed = lambda _sender, message_id: looked.append(message_id) or True
    visitor = chat.visitor()
    for count in range(1, 4):
        visitor.send("hello")
        visitor.hears("bot", count)
    assert len(looked) == 1
    assert readings(chat.crm)["rapport_incidents"] == {}


def test_a_look_that_fails_is_no_alarm(crm: Crm, clock: Clock) -> None:
    class Away:
        async def consumed(self, sender: str, message_id: int) -> bool:
            raise BrainDown("away")

    assert in_a_loop_of_its_own(TrackerWatch(Away()).forgets(a_turn(crm, a_conversation(crm)))) is False


# --- the request's own name -----------------------------------------------------------------------------


def test_a_sane_request_id_travels_to_the_answer_and_the_log(
    chat: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="rapport.access"):
        answer = httpx.get(f"{chat.url}/health/live", headers={"X-Request-ID": "order-77.check_1"})
    assert answer.headers["X-Request-ID"] == "order-77.check_1"
    assert answer.json() == {"app": "ok"}


@pytest.mark.parametrize("forged", ["", "short", "a b c d e f g h", 'x"}{"level":"x"', "x" * 65, "ünsane-id"])
def test_any_other_request_id_is_replaced(chat: Gateway, forged: str) -> None:
    answer = httpx.get(f"{chat.url}/health/live", headers={"X-Request-ID": forged.encode()})
    assert re.fullmatch(r"req_[a-z]{20}", answer.headers["X-Request-ID"])


def test_the_line_of_a_slow_request_keeps_its_status_and_its_time(
    chat: Gateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The mask once took both together for a telephone number."""
    ticks = counting()
    monkeypatch.setattr("web.logs.time", SimpleNamespace(perf_counter=lambda: next(ticks) * 0.3625))
    with caplog.at_level("INFO", logger="rapport.access"):
        httpx.get(f"{chat.url}/health/live")
        (line,) = until(lambda: [r for r in caplog.records if r.name == "rapport.access"], "it is logged")
    MaskPersonal().filter(line)
    assert re.fullmatch(r"GET /health/live: 200 after \d{3,} ms", line.getMessage())
    assert vars(line)["status"] == 200


def test_the_log_of_a_request_and_of_its_turn_names_the_conversation(
    chat: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    chat.brain.says = lambda asked: [Reply("Good morning.")]
    visitor = chat.visitor()
    visitor.send("hello")
    visitor.hears("bot")
    until(lambda: [r for r in caplog.records if getattr(r, "event", "") == "turn"], "the turn is logged")
    events = [record for record in caplog.records if hasattr(record, "conversation_id")]
    assert {getattr(record, "event", "") for record in events} >= {"request", "turn"}
    assert {getattr(record, "conversation_id", "") for record in events} == {visitor.conversation_id}
    turn = next(record for record in caplog.records if getattr(record, "event", "") == "turn")
    assert (turn.outcome, turn.duration_ms >= 0) == ("answered", True)  # type: ignore[attr-defined]


# --- what is documented ---------------------------------------------------------------------------------


def test_the_page_of_metrics_lists_every_figure_and_no_other() -> None:
    documented = set(re.findall(r"^\| `(rapport_\w+)", PAGE, re.MULTILINE))
    assert documented == set(names())


def test_every_label_of_the_installations_figures_is_documented() -> None:
    for figure in INSTALLATION:
        if figure.label:
            assert f"`{figure.name}{{{figure.label}}}`" in PAGE
