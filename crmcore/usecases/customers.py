"""Who a visitor is, how he is reached, and what he agreed to."""

from collections.abc import Sequence

from crmcore.conversations import Conversation, Turn
from crmcore.crm import Crm
from crmcore.customers import ADVERTISING, Consent, Contact, ContactKind, Customer, Purpose, read_contact
from crmcore.identify import NotVerified
from crmcore.ids import new_id
from crmcore.letters import Letter, write_letter
from crmcore.store.transaction import Transaction
from crmcore.usecases.letters import post
from crmcore.usecases.ownership import guard


def visitor(crm: Crm, turn: Turn) -> Customer | None:
    """The customer who is writing, or None while he has not proved who he is."""
    with crm.store.read() as tx:
        conversation = tx.conversations.get(turn.conversation_id)
        if conversation is None or conversation.verified_at is None or conversation.customer_id is None:
            return None
        return tx.customers.get(conversation.customer_id)


def change_contact(crm: Crm, turn: Turn, kind: ContactKind, text: str) -> Contact:
    """Replace the customer's contact of one kind, and tell the old e-mail address about it.

    Raises
    ------
    NotVerified, UnreadableContact, StaleTurn.
    """
    value, normalized = read_contact(kind, text)
    now = crm.clock()
    with crm.store.write() as tx:
        customer = verified_customer(tx, guard(tx, turn))
        key = f"message:{turn.message_id}:contact:{kind}"
        existing = tx.contacts.by_source(key)
        if existing is not None:
            return existing
        old_email = tx.contacts.current_of(customer.customer_id, "email")
        tx.contacts.retire(customer.customer_id, kind)
        contact = Contact(new_id("con"), customer.customer_id, kind, value, normalized, True, now, key)
        tx.contacts.add(contact)
        if old_email is not None:
            post(tx, firm_letter(crm, "contact_changed", customer, old_email.value), now)
        return contact


def note_preference(crm: Crm, turn: Turn, words: str) -> str:
    """Keep how the customer likes to be contacted, in his words; returns what was kept.

    Raises
    ------
    NotVerified, StaleTurn.
    """
    with crm.store.write() as tx:
        customer = verified_customer(tx, guard(tx, turn))
        kept = " ".join(words.split())[:200]
        tx.customers.remember(customer.customer_id, "contact_preference", kept)
        return kept


def withdraw_consent(crm: Crm, turn: Turn, purposes: Sequence[Purpose] = ADVERTISING) -> None:
    """Switch purposes off at once; the customer's word is enough, no reason is asked.

    Raises
    ------
    NotVerified, StaleTurn.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        customer = verified_customer(tx, guard(tx, turn))
        for purpose in purposes:
            tx.consents.decide(
                Consent(customer.customer_id, purpose, False, now, f"message:{turn.message_id}")
            )


# --- parts of other use cases' transactions ---------------------------------------------------------


def verified_customer(tx: Transaction, conversation: Conversation) -> Customer:
    """The customer of a conversation whose visitor has proved who he is; raises NotVerified."""
    customer = None
    if conversation.verified_at is not None and conversation.customer_id is not None:
        customer = tx.customers.get(conversation.customer_id)
    if customer is None:
        raise NotVerified(conversation.conversation_id)
    return customer


def write_to(tx: Transaction, crm: Crm, kind: str, customer: Customer, **values: object) -> None:
    """Queue a letter to the customer's e-mail address, if he has one."""
    email = tx.contacts.current_of(customer.customer_id, "email")
    if email is not None:
        post(tx, firm_letter(crm, kind, customer, email.value, **values), crm.clock())


def firm_letter(crm: Crm, kind: str, customer: Customer, recipient: str, **values: object) -> Letter:
    """A letter with the firm's own details filled in."""
    policies = crm.firm.policies
    return write_letter(
        kind, customer.language, recipient,
        name=customer.first_name, firm=crm.firm.name, phone=policies.phone, email=policies.email,
        address=policies.address, **values,
    )  # fmt: skip
