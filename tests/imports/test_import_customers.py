"""Customers from a firm's own file: names, ways to reach them, consents, account managers."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from crmcore.conversations import Turn
from crmcore.crm import Crm
from crmcore.store import schema
from crmcore.store.database import raw_connection
from crmcore.usecases.customers import change_contact, withdraw_consent
from tests.builders import a_conversation, a_staff_member, a_turn
from tests.imports.files import a_file, imported

PEOPLE = """customer_id,name,email,phone,account manager,offers,consent_contact
anna,Anna Berg,Anna@Example.org,+44 7700 900123,,yes,no
ben,"None, Ben",,,,no,
"""


def contacts_of(crm: Crm, customer_id: str) -> list[tuple[str, str, bool]]:
    c = schema.contacts.c
    query = select(c.kind, c.value, c.current).where(c.customer_id == customer_id)
    with raw_connection(crm.store) as connection:
        return sorted(tuple(row) for row in connection.execute(query))


def consents_of(crm: Crm, customer_id: str) -> dict[str, bool]:
    with crm.store.read() as tx:
        return {c.purpose: c.granted for c in tx.consents.all_of(customer_id)}


def a_turn_of(crm: Crm, customer_id: str) -> Turn:
    """The customer is writing, and has proved who he is."""
    return a_turn(crm, a_conversation(crm, customer_id))


def test_customers_go_in_and_a_second_time_changes_nothing(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    path = a_file(tmp_path, PEOPLE)
    report = imported(crm, path, "customers")
    assert (report.read, report.imported, report.new_customers, report.total) == (2, 2, 2, None)
    with crm.store.read() as tx:
        anna, ben = tx.customers.get("anna"), tx.customers.get("ben")
        assert tx.contacts.owner_of("email", "anna@example.org") == "anna"
    assert anna is not None
    assert ben is not None
    assert (anna.name, anna.language, ben.name) == ("Anna Berg", "en", "None, Ben")
    assert contacts_of(crm, "anna") == [
        ("email", "Anna@Example.org", True),
        ("phone", "+44 7700 900123", True),
    ]
    assert consents_of(crm, "anna") == {"offers": True, "contact": False}
    again = imported(crm, path, "customers")
    assert (again.imported, again.updated, again.unchanged) == (0, 0, 2)


def test_what_a_later_file_tells_otherwise_is_corrected_and_what_it_leaves_out_stays(
    crm_on_both: Crm, tmp_path: Path
) -> None:
    crm = crm_on_both
    imported(crm, a_file(tmp_path, PEOPLE), "customers")
    later = "customer_id,name,email\nanna,Anna Ek,\nben,,ben@example.org\n"
    report = imported(crm, a_file(tmp_path, later), "customers")
    assert report.updated == 2
    with crm.store.read() as tx:
        anna, ben = tx.customers.get("anna"), tx.customers.get("ben")
    assert anna is not None
    assert ben is not None
    assert (anna.name, ben.name) == ("Anna Ek", "None, Ben")
    assert contacts_of(crm, "anna")[0] == ("email", "Anna@Example.org", True)
    assert contacts_of(crm, "ben") == [("email", "ben@example.org", True)]


def test_an_old_contact_stays_on_record(crm: Crm, tmp_path: Path) -> None:
    imported(crm, a_file(tmp_path, PEOPLE), "customers")
    imported(crm, a_file(tmp_path, "customer_id,email\nanna,anna@new.example\n"), "customers")
    assert contacts_of(crm, "anna")[:2] == [
        ("email", "Anna@Example.org", False),
        ("email", "anna@new.example", True),
    ]


def test_what_the_customer_said_here_himself_is_not_taken_back(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    path = a_file(tmp_path, PEOPLE)
    imported(crm, path, "customers")
    turn = a_turn_of(crm, "anna")
    change_contact(crm, turn, "email", "anna@home.example")
    withdraw_consent(crm, turn, ("offers",))
    report = imported(crm, path, "customers")
    assert (report.unchanged, report.stayed) == (2, 2)
    with crm.store.read() as tx:
        assert tx.contacts.owner_of("email", "anna@home.example") == "anna"
    assert consents_of(crm, "anna")["offers"] is False


def test_a_decision_with_a_later_day_counts(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    imported(crm, a_file(tmp_path, PEOPLE), "customers")
    withdraw_consent(crm, a_turn_of(crm, "anna"), ("offers",))
    old = "customer_id,offers,decided_at\nanna,yes,2020-01-01\n"
    assert imported(crm, a_file(tmp_path, old), "customers").stayed == 1
    assert consents_of(crm, "anna")["offers"] is False
    crm.clock.advance(days=2)  # type: ignore[attr-defined]
    new = f"customer_id,offers,decided_at\nanna,yes,{crm.clock():%Y-%m-%d}\n"
    assert imported(crm, a_file(tmp_path, new), "customers").updated == 1
    assert consents_of(crm, "anna")["offers"] is True


def test_an_account_manager_is_found_by_his_address(crm_on_both: Crm, tmp_path: Path) -> None:
    crm = crm_on_both
    manager = a_staff_member(crm)
    text = f"customer_id,account manager\nanna,{manager.email.upper()}\nben,nobody@example.org\n"
    report = imported(crm, a_file(tmp_path, text), "customers", keep_good=True)
    assert (report.imported, report.rejected) == (1, 1)
    assert "rapport staff add" in report.reasons[0].text
    with crm.store.read() as tx:
        assert tx.customers.account_manager_of("anna") == manager.staff_id


def test_a_refusal_names_the_line_and_never_the_person(crm: Crm, tmp_path: Path) -> None:
    text = PEOPLE + "eve,Eve,eve.at.example.org,,,maybe,\nanna,Anna Other,,,,,\nben,Ben,,,,,\nben,Ben,,,,,\n"
    report = imported(crm, a_file(tmp_path, text), "customers")
    assert report.outcome == "refused"
    told = " ".join(reason.text for reason in report.reasons)
    assert "email cannot be read" in told
    assert "a customer has one row" in told
    assert "eve.at" not in told
    assert "Anna" not in told
    assert report.rejected == 6


def test_a_name_that_no_database_keeps_is_refused(crm_on_both: Crm, tmp_path: Path) -> None:
    text = "customer_id,name\nanna,An\0na\nben,Ben\n"
    report = imported(crm_on_both, a_file(tmp_path, text), "customers", keep_good=True)
    assert (report.imported, report.rejected) == (1, 1)
    assert "NUL" in report.reasons[0].text


def test_the_day_of_a_decision_is_kept(crm: Crm, tmp_path: Path) -> None:
    text = "customer_id,offers,decided_at\nanna,yes,2025-06-01 12:00:00Z\n"
    imported(crm, a_file(tmp_path, text), "customers")
    with crm.store.read() as tx:
        consent = tx.consents.get("anna", "offers")
    assert consent is not None
    assert (consent.decided_at, consent.source) == (datetime(2025, 6, 1, 12, tzinfo=UTC), "import")
