"""Orders bring customers along whose names nobody has told: everybody copes with that."""

from pathlib import Path

from crmcore.crm import Crm
from crmcore.letters import write_letter
from crmcore.usecases.identify import link_signed_in
from crmcore.usecases.workspace import card, lists
from tests.actions.calls import Caller
from tests.builders import a_conversation, a_message, a_staff_member, a_turn
from tests.imports.files import a_file, imported

ORDERS = "customer_id,date,amount\n00335,2019-03-01,12.50\n"


def test_staff_see_the_firms_own_identifier_and_how_long_he_has_been_a_customer(
    crm_on_both: Crm, tmp_path: Path
) -> None:
    crm = crm_on_both
    imported(crm, a_file(tmp_path, ORDERS))
    conversation = a_conversation(crm, "00335")
    a_message(crm, conversation)
    anna = a_staff_member(crm)
    shown = card(crm, conversation.conversation_id)
    assert shown.customer is not None
    assert shown.customer.name == "00335"
    assert shown.customer.since.year == 2019
    assert [line.customer_name for line in lists(crm, anna.staff_id).open] == ["00335"]


def test_the_assistant_greets_him_without_a_name(crm: Crm, tmp_path: Path) -> None:
    imported(crm, a_file(tmp_path, ORDERS))
    conversation = a_conversation(crm)
    assert link_signed_in(crm, conversation.conversation_id, "00335").first_name == ""
    said = Caller(crm, conversation).runs("action_identified", a_turn(crm, conversation, "it's me")).said
    assert said == ["utter_already_verified_nameless"]


def test_a_letter_greets_him_without_a_name() -> None:
    letter = write_letter(
        "contact_changed", "en", "x@example.org", name="", firm="Alder", phone="1", email="a@example.org"
    )
    assert letter.body.startswith("Hello,\n")
