"""What an account manager is shown, and what stays locked."""

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from crmcore.store import schema
from crmcore.store.database import raw_connection
from crmcore.usecases import escalation
from tests.builders import a_conversation
from tests.staff.office import Office
from tests.workspace.shop import Morning, says


def _lists(office: Office, name: str = "Ana") -> Any:
    return office.browser_of(name).get("/workspace/api/lists").json()


def _card(office: Office, conversation_id: str) -> Any:
    return office.browser_of("Ana").get(f"/workspace/api/conversations/{conversation_id}/card").json()


def test_waiting_is_in_the_order_of_the_queue_with_the_breakdown_of_its_points(
    office: Office, morning: Morning
) -> None:
    shown = _lists(office)["waiting"]
    queue = escalation.waiting(office.crm)
    assert [entry["conversation_id"] for entry in shown] == [e.customer.conversation_id for e in queue]
    for entry in shown:
        assert entry["points"]["total"] == sum(part["points"] for part in entry["points"]["parts"])
    first = shown[0]
    assert first["conversation_id"] == morning.complaining.conversation_id
    assert {part["name"] for part in first["points"]["parts"]} == {
        "value MVC",
        "complaint",
        "upset",
        "waiting",
    }


def test_a_claimed_conversation_moves_from_waiting_to_mine_and_stays_in_all_open(
    office: Office, morning: Morning
) -> None:
    wanted = morning.leaving.conversation_id
    ana = office.browser_of("Ana")
    assert ana.post(f"/workspace/api/conversations/{wanted}/claim").status_code == 200
    hers, his = _lists(office, "Ana"), _lists(office, "Ben")
    assert [line["conversation_id"] for line in hers["mine"]] == [wanted]
    assert his["mine"] == []
    for lists in (hers, his):
        assert wanted not in [entry["conversation_id"] for entry in lists["waiting"]]
        assert wanted in [line["conversation_id"] for line in lists["open"]]


def test_mine_says_where_an_answer_is_due(office: Office, morning: Morning) -> None:
    wanted = morning.leaving.conversation_id
    ana = office.browser_of("Ana")
    ana.post(f"/workspace/api/conversations/{wanted}/claim")
    assert _lists(office)["mine"][0]["awaits_answer"] is True
    ana.post(
        f"/workspace/api/conversations/{wanted}/messages",
        json={"client_id": "a-1", "text": "Hello", "last_seen_seq": 99},
    )
    assert _lists(office)["mine"][0]["awaits_answer"] is False


def test_a_conversation_handed_to_its_own_account_manager_says_that_he_has_not_joined(
    office: Office, morning: Morning
) -> None:
    ana = office.browser_of("Ana")
    ana.post("/workspace/api/duty", json={"on_duty": True})
    with office.crm.store.read() as tx:
        ines = tx.conversations.get(morning.complaining.conversation_id)
    assert ines is not None
    again = a_conversation(office.crm, ines.customer_id)
    says(office.crm, again, "is Ana there?")
    escalation.request_person(office.crm, again.conversation_id)
    line = next(x for x in _lists(office)["mine"] if x["conversation_id"] == again.conversation_id)
    assert line["joined"] is False
    ana.post(f"/workspace/api/conversations/{again.conversation_id}/claim")
    line = next(x for x in _lists(office)["mine"] if x["conversation_id"] == again.conversation_id)
    assert line["joined"] is True
    # Given back and handed over once more, it is a new arrival: the old one does not count.
    ana.post(f"/workspace/api/conversations/{again.conversation_id}/give-back")
    escalation.request_person(office.crm, again.conversation_id)
    line = next(x for x in _lists(office)["mine"] if x["conversation_id"] == again.conversation_id)
    assert line["joined"] is False


def test_the_card_of_a_verified_customer_has_worth_needs_orders_and_consents(
    office: Office, morning: Morning
) -> None:
    card = _card(office, morning.complaining.conversation_id)
    assert card["customer"]["name"] == "Inês Marchetti"
    assert card["customer"]["account_manager"] == "Ana"
    assert card["value"]["tier"] == "MVC"
    assert card["value"]["clv"] == "1842.00"
    assert card["value"]["as_of"] == office.clock.now.date().isoformat()
    assert card["value"]["stale"] is False
    assert "1,842 EUR" in card["value"]["why"][0]
    assert [need["category"] for need in card["needs"]] == ["turntable", "lessons"]
    assert len(card["customer"]["orders"]) == 3
    assert {c["purpose"]: c["granted"] for c in card["customer"]["consents"]}["research"] is False
    assert card["complaints"][0]["reference"] == "C-7F3Q"


def test_old_value_data_are_labelled_stale(office: Office, morning: Morning) -> None:
    limit = office.crm.firm.value.stale_after_days
    with raw_connection(office.crm.store) as connection:
        old = office.clock.now.date() - timedelta(days=limit + 1)
        connection.execute(update(schema.value_snapshots).values(observed_until=old))
        connection.commit()
    assert _card(office, morning.complaining.conversation_id)["value"]["stale"] is True


def test_nothing_personal_is_shown_until_the_visitor_is_verified(office: Office, morning: Morning) -> None:
    """Even when the conversation is linked to a customer: a claim proves nothing."""
    with raw_connection(office.crm.store) as connection:
        connection.execute(update(schema.conversations).values(verified_at=None))
        connection.commit()
    card = _card(office, morning.complaining.conversation_id)
    assert (card["customer"], card["value"], card["needs"]) == (None, None, [])
    lists = _lists(office)
    lines = [line for name in ("waiting", "open", "callbacks") for line in lists[name]]
    assert lines
    assert {line["customer_name"] for line in lines} == {None}
    assert {line.get("tier") for line in lines} == {None}


def test_a_stranger_is_shown_with_the_needs_of_this_conversation_only(
    office: Office, morning: Morning
) -> None:
    card = _card(office, morning.stranger.conversation_id)
    assert card["customer"] is None
    assert [need["verbatim"] for need in card["needs"]] == ["do you repair accordions"]


def test_the_brief_says_why_what_was_tried_and_in_what_mood(office: Office, morning: Morning) -> None:
    brief = _card(office, morning.complaining.conversation_id)["brief"]
    assert brief["reason"] == "request"
    assert "the customer asked for a person" in brief["reasons"]
    assert brief["mood"] == "upset"
    assert brief["open_case"] == "complaint"
    assert brief["last_turns"][-1]["text"] == "Of course. I am fetching a colleague."
    assert len(brief["last_turns"]) == 6


def test_a_call_back_is_kept_once(office: Office, morning: Morning) -> None:
    browser = office.browser_of("Ana")
    owed = _lists(office)["callbacks"]
    assert [c["contact"] for c in owed] == ["+353 1 555 0117"]
    assert browser.post("/workspace/api/callbacks/cb_1/kept").json() == {"first": True}
    assert office.browser_of("Ben").post("/workspace/api/callbacks/cb_1/kept").json() == {"first": False}
    assert _lists(office)["callbacks"] == []


def test_an_unknown_conversation_is_not_found(office: Office) -> None:
    browser = office.browser_of("Ana")
    for path in ("card", "stream"):
        answer = browser.get(f"/workspace/api/conversations/cnv_none/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_conversation")
