"""Claiming, answering, drafting, giving back and closing, as the workspace's scripts do it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi.testclient import TestClient

from crmcore.staff import takes_customers
from crmcore.usecases import conversations as talk
from tests.builders import client_id
from tests.staff.office import Office
from tests.workspace.shop import Morning


def _post(browser: TestClient, conversation_id: str, what: str, **body: Any) -> Any:
    return browser.post(f"/workspace/api/conversations/{conversation_id}/{what}", json=body)


def _texts(office: Office, conversation_id: str) -> list[str]:
    return [m.text for m in talk.messages_after(office.crm, conversation_id, 0) if m.kind == "text"]


def test_of_two_who_claim_at_once_one_wins_and_one_is_told_who(office: Office, morning: Morning) -> None:
    wanted = morning.leaving.conversation_id
    browsers = [office.browser_of(name) for name in ("Ana", "Ben")]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda browser: _post(browser, wanted, "claim"), browsers))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    winner = ["Ana", "Ben"][[answer.status_code for answer in answers].index(200)]
    lost = next(answer.json() for answer in answers if answer.status_code == 409)
    assert lost["error"]["code"] == "already_claimed"
    assert winner in lost["error"]["message"]
    marks = [m for m in talk.messages_after(office.crm, wanted, 0) if m.kind == "mark:joined"]
    assert len(marks) == 1


def test_a_reply_written_before_the_customers_last_words_is_refused_with_them(
    office: Office, morning: Morning
) -> None:
    wanted = morning.leaving.conversation_id
    ana = office.browser_of("Ana")
    _post(ana, wanted, "claim")
    seen = talk.conversation(office.crm, wanted).last_seq
    talk.receive(office.crm, wanted, client_id(), "sorry, I meant the magazine")
    refused = _post(ana, wanted, "messages", client_id="a-1", text="Cancelled.", last_seen_seq=seen)
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "stale_reply"
    assert [m["text"] for m in refused.json()["missed"]] == ["sorry, I meant the magazine"]
    assert "Cancelled." not in _texts(office, wanted)
    again = _post(ana, wanted, "messages", client_id="a-2", text="Cancelled.", last_seen_seq=seen + 1)
    assert again.status_code == 201


def test_a_number_that_no_message_can_have_is_refused_before_the_database_sees_it(
    office: Office, morning: Morning
) -> None:
    wanted = morning.leaving.conversation_id
    ana = office.browser_of("Ana")
    _post(ana, wanted, "claim")
    sent = _post(ana, wanted, "messages", client_id="a-1", text="Hello", last_seen_seq=10**30)
    seen = ana.get(f"/workspace/api/conversations/{wanted}/stream", params={"after": 10**30})
    assert (sent.status_code, seen.status_code) == (422, 422)


def test_a_reply_sent_again_after_a_lost_answer_is_there_once(office: Office, morning: Morning) -> None:
    wanted = morning.leaving.conversation_id
    ana = office.browser_of("Ana")
    _post(ana, wanted, "claim")
    answers = [
        _post(ana, wanted, "messages", client_id="a-1", text="Good morning", last_seen_seq=99) for _ in "123"
    ]
    assert len({answer.json()["message"]["seq"] for answer in answers}) == 1
    assert _texts(office, wanted).count("Good morning") == 1


def test_who_does_not_lead_a_conversation_cannot_speak_draft_give_back_or_close_in_it(
    office: Office, morning: Morning
) -> None:
    wanted = morning.leaving.conversation_id
    _post(office.browser_of("Ana"), wanted, "claim")
    ben = office.browser_of("Ben")
    for answer in (
        _post(ben, wanted, "messages", client_id="b-1", text="Hello", last_seen_seq=99),
        _post(ben, wanted, "draft", text="Hel"),
        _post(ben, wanted, "give-back"),
        _post(ben, wanted, "close"),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_the_owner")


def test_a_half_written_reply_is_there_for_its_writer_after_signing_in_elsewhere(
    office: Office, morning: Morning
) -> None:
    wanted = morning.leaving.conversation_id
    ana = office.browser_of("Ana")
    _post(ana, wanted, "claim")
    assert _post(ana, wanted, "draft", text="Dear Tomás, about the cl").status_code == 204
    ana.post("/sign-out")
    path = f"/workspace/api/conversations/{wanted}/draft"
    assert office.browser_of("Ana").get(path).json() == {"text": "Dear Tomás, about the cl"}
    assert office.browser_of("Ben").get(path).json() == {"text": ""}


def test_sending_spends_the_draft(office: Office, morning: Morning) -> None:
    wanted = morning.leaving.conversation_id
    ana = office.browser_of("Ana")
    _post(ana, wanted, "claim")
    _post(ana, wanted, "draft", text="Good mor")
    _post(ana, wanted, "messages", client_id="a-1", text="Good morning", last_seen_seq=99)
    assert ana.get(f"/workspace/api/conversations/{wanted}/draft").json() == {"text": ""}


def test_given_back_the_assistant_has_it_and_the_customer_sees_that_the_person_left(
    office: Office, morning: Morning
) -> None:
    wanted = morning.leaving.conversation_id
    ana = office.browser_of("Ana")
    _post(ana, wanted, "claim")
    assert _post(ana, wanted, "give-back").status_code == 200
    assert talk.conversation(office.crm, wanted).owner_kind == "bot"
    assert office.app.state.turns.woken[-1] == wanted, "what nobody answered is the assistant's next turn"
    assert "mark:left" in [m.kind for m in talk.messages_after(office.crm, wanted, 0)]


def test_a_closed_conversation_leaves_every_list(office: Office, morning: Morning) -> None:
    wanted = morning.leaving.conversation_id
    ana = office.browser_of("Ana")
    _post(ana, wanted, "claim")
    assert _post(ana, wanted, "close").status_code == 200
    assert wanted not in ana.get("/workspace/api/lists").text


def test_duty_is_switched_and_kept(office: Office) -> None:
    ana = office.browser_of("Ana")
    assert ana.get("/workspace/api/lists").json()["on_duty"] is False
    assert ana.post("/workspace/api/duty", json={"on_duty": True}).json() == {"on_duty": True}
    assert office.browser_of("Ana").get("/workspace/api/lists").json()["on_duty"] is True


def test_presence_follows_the_heartbeat_and_ends_with_signing_out(office: Office) -> None:
    ana = office.browser_of("Ana")
    ana.post("/workspace/api/duty", json={"on_duty": True})
    office.clock.advance(minutes=5)
    assert _takes(office) is False
    ana.post("/staff/heartbeat")
    assert _takes(office) is True
    ana.post("/sign-out")
    assert _takes(office) is False


def _takes(office: Office) -> bool:
    with office.crm.store.read() as tx:
        member = tx.staff.get("staff_ana")
    assert member is not None
    return takes_customers(member, office.clock.now)
