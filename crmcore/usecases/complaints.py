"""Complaints, and customers who leave the club."""

from datetime import date

from crmcore.complaints import Complaint, EndedContract, FiledComplaint, reference_of
from crmcore.conversations import Turn
from crmcore.crm import Crm
from crmcore.customers import Customer
from crmcore.errors import CrmError
from crmcore.ids import new_id
from crmcore.orders import last_day
from crmcore.spoken import spoken_day
from crmcore.store.transaction import Transaction
from crmcore.usecases.customers import verified_customer, write_to
from crmcore.usecases.events import emit, known_customer
from crmcore.usecases.orders import club_contract_of
from crmcore.usecases.ownership import guard
from crmcore.usecases.routing import oldest_value


class NoContract(CrmError):
    """The customer has no membership to end."""


def file_complaint(crm: Crm, turn: Turn, words: str) -> FiledComplaint:
    """Put a complaint on record; from now on nothing is offered in this conversation.

    Anybody may complain, known or not. What is said while a complaint is open is added to it.

    Raises
    ------
    StaleTurn : the turn is over.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        conversation = guard(tx, turn)
        tx.conversations.set_mood(turn.conversation_id, "upset")
        tx.conversations.set_open_case(turn.conversation_id, "complaint")
        key = f"message:{turn.message_id}:complaint"
        same_turn = tx.complaints.by_source(key)
        if same_turn is not None:
            return FiledComplaint(same_turn, is_new=True)
        known = tx.complaints.open_in(turn.conversation_id)
        if known is not None:
            tx.complaints.extend(known.complaint_id, f"{known.verbatim}\n{words}"[:4000])
            return FiledComplaint(known, is_new=False)
        complaint_id = new_id("cmp")
        complaint = Complaint(
            complaint_id=complaint_id,
            reference=reference_of(complaint_id),
            customer_id=conversation.customer_id,
            conversation_id=turn.conversation_id,
            source_key=key,
            verbatim=words,
            status="open",
            opened_at=now,
        )
        tx.complaints.add(complaint)
        emit(
            tx, "complaint.opened", now,
            complaint_id=complaint_id, reference=complaint.reference,
            customer_id=known_customer(conversation), conversation_id=turn.conversation_id,
        )  # fmt: skip
        return FiledComplaint(complaint, is_new=True)


def begin_cancelling(crm: Crm, turn: Turn) -> None:
    """The customer says that he wants to leave: nothing is offered while that is open."""
    with crm.store.write() as tx:
        if guard(tx, turn).open_case is None:
            tx.conversations.set_open_case(turn.conversation_id, "cancelling")


def keep_club(crm: Crm, turn: Turn) -> None:
    """He changed his mind; the case is closed."""
    with crm.store.write() as tx:
        if guard(tx, turn).open_case == "cancelling":
            tx.conversations.set_open_case(turn.conversation_id, None)


def club_would_end(crm: Crm, turn: Turn) -> tuple[str, date]:
    """The name of the customer's membership and its last day, if he ended it today.

    Raises
    ------
    NoContract, NotVerified.
    """
    with crm.store.read() as tx:
        conversation = tx.conversations.get(turn.conversation_id)
        if conversation is None:
            raise NoContract("there is no such conversation")
        ended = _ending(tx, crm, verified_customer(tx, conversation))
        return ended.name, ended.ends_on


def end_club(crm: Crm, turn: Turn, reason: str) -> EndedContract:
    """End the customer's membership as he asked, and keep why, when and what he was worth.

    Raises
    ------
    NoContract, NotVerified, StaleTurn.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        conversation = guard(tx, turn)
        customer = verified_customer(tx, conversation)
        ended = _ending(tx, crm, customer)
        contract = club_contract_of(tx, crm, customer)
        if contract is None or not ended.is_new:
            return ended
        key = f"message:{turn.message_id}:end_club"
        if not tx.orders.end_contract(contract.contract_id, now, ended.ends_on, reason[:400], key):
            return _ending(tx, crm, customer)
        value = tx.value.tier_of(customer.customer_id)
        termination = {
            "what": contract.product,
            "reason": reason[:400],
            "channel": conversation.channel,
            "decided_at": now.isoformat(),
            "ends_on": ended.ends_on.isoformat(),
            "tier_at_exit": value[0] if value else None,
        }
        tx.customers.set_termination(customer.customer_id, termination, now)
        day = spoken_day(ended.ends_on, customer.language, crm.firm.today(now))
        write_to(tx, crm, "club_ended", customer, club=ended.name, day=day)
        return ended


def _ending(tx: Transaction, crm: Crm, customer: Customer) -> EndedContract:
    contract = club_contract_of(tx, crm, customer)
    club = crm.firm.club
    if contract is None or club is None:
        raise NoContract(f"customer {customer.customer_id} has no running membership")
    today = crm.firm.today(crm.clock())
    return EndedContract(
        name=club.name,
        ends_on=contract.ends_on or last_day(contract, today, club.notice_days),
        is_new=contract.cancelled_at is None,
        offers_person=_is_worth_a_person(tx, crm, customer),
    )


def _is_worth_a_person(tx: Transaction, crm: Crm, customer: Customer) -> bool:
    value = tx.value.tier_of(customer.customer_id)
    fresh = value is not None and value[1] >= oldest_value(crm.firm, crm.clock())
    routing = crm.firm.routing
    return fresh and value is not None and value[0] in routing.tiers and "cancelling" in routing.situations
