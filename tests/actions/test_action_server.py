"""The action server: who may call it, and what it answers when an action cannot run."""

import logging
import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient
from rasa_sdk.interfaces import ActionExecutionRejection

from actions.app import all_actions, create_action_app
from actions.courtesy import BotChallenge
from crmcore.conversations import Reply
from crmcore.crm import Crm
from crmcore.logs import AddContext
from crmcore.usecases.conversations import finish_turn
from tests.actions.calls import DOMAIN, SECRET, Caller
from tests.builders import a_conversation, a_turn

CALL: dict[str, Any] = {
    "next_action": "action_bot_challenge",
    "tracker": {"sender_id": "cnv_1.0", "slots": {}, "latest_message": {}, "events": []},
    "domain": DOMAIN,
}


@pytest.mark.parametrize("headers", [{}, {"X-Rapport-Secret": "guess"}, {"X-Rapport-Secret": "é".encode()}])
def test_who_does_not_show_the_secret_runs_nothing(crm: Crm, headers: dict[str, Any]) -> None:
    with TestClient(create_action_app(crm, SECRET)) as client:
        assert client.post("/webhook", json=CALL, headers=headers).status_code == 401
        assert client.get("/docs").status_code == 404


def test_an_unknown_action_is_404_and_a_missing_domain_449(crm: Crm) -> None:
    with TestClient(create_action_app(crm, SECRET), headers={"X-Rapport-Secret": SECRET}) as client:
        assert client.post("/webhook", json={**CALL, "next_action": "action_fly"}).status_code == 404
        no_domain = {name: value for name, value in CALL.items() if name != "domain"}
        assert client.post("/webhook", json=no_domain | {"domain_digest": "x"}).status_code == 449


def test_an_action_that_declines_to_run_is_400(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    def declines(*_: object) -> None:
        raise ActionExecutionRejection("action_bot_challenge")

    monkeypatch.setattr(BotChallenge, "respond", declines)
    with TestClient(create_action_app(crm, SECRET), headers={"X-Rapport-Secret": SECRET}) as client:
        assert client.post("/webhook", json=CALL).status_code == 400


def test_a_slow_action_holds_up_no_other(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call waits until the second has been answered; a blocked event loop would never get there."""
    answered = threading.Event()
    waited: list[bool] = []

    def waits(action: BotChallenge, dispatcher: Any, tracker: Any, turn: Any) -> list[Any]:
        if tracker.sender_id == "slow.0":
            waited.append(answered.wait(10))
        return []

    monkeypatch.setattr(BotChallenge, "respond", waits)
    with TestClient(create_action_app(crm, SECRET), headers={"X-Rapport-Secret": SECRET}) as client:
        slow = CALL | {"tracker": CALL["tracker"] | {"sender_id": "slow.0"}}
        thread = threading.Thread(target=client.post, args=("/webhook",), kwargs={"json": slow})
        thread.start()
        assert client.post("/webhook", json=CALL).status_code == 200
        answered.set()
        thread.join(10)
    assert waited == [True]


def test_a_turn_that_is_over_says_and_writes_nothing(crm: Crm) -> None:
    visit = a_conversation(crm)
    turn = a_turn(crm, visit)
    finish_turn(crm, turn, [Reply("done")])
    answer = Caller(crm, visit).runs("action_complain", turn, "it is broken", "complain")
    assert (answer.status, answer.said, answer.events) == (200, [], [])
    with crm.store.read() as tx:
        assert tx.complaints.open_in(visit.conversation_id) is None


def test_every_action_of_the_domain_is_registered_once(crm: Crm) -> None:
    assert sorted(action.name() for action in all_actions(crm)) == sorted(DOMAIN["actions"])


def test_each_call_is_one_log_line_that_names_the_conversation_and_the_request(
    crm: Crm, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="actions.app")
    written: list[str] = []
    names = ("event", "conversation_id", "request_id")
    message = {"metadata": {"message_id": 7, "request_id": "req_abc"}}
    call = CALL | {"next_action": "action_fly", "tracker": CALL["tracker"] | {"latest_message": message}}

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found = vars(record)
            written.append(" ".join([record.getMessage(), *(str(found.get(name)) for name in names)]))

    handler = Collect()
    handler.addFilter(AddContext())
    logging.getLogger("actions.app").addHandler(handler)
    try:
        with TestClient(create_action_app(crm, SECRET), headers={"X-Rapport-Secret": SECRET}) as client:
            client.post("/webhook", json=call)
            client.post("/webhook", json={"next_action": "action_fly"})
    finally:
        logging.getLogger("actions.app").removeHandler(handler)
    assert len(written) == 2
    assert written[0].startswith("action_fly: 404 after ")
    assert written[0].endswith(" action cnv_1 req_abc")
    assert written[1].endswith(" action  None")
