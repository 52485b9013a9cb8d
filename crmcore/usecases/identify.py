"""Proving who is writing: a one-time code to the contact on file, or the firm's own sign-in."""

import secrets
from datetime import datetime

from crmcore.conversations import Conversation, Turn
from crmcore.crm import Crm
from crmcore.customers import Contact
from crmcore.identify import (
    CODE_DIGITS,
    CODE_LIFETIME,
    PER_CONTACT,
    PER_CONVERSATION,
    Claim,
    CodeRefused,
    SentCode,
    TooManyCodes,
    Verified,
    judge,
    keyed_digest,
    may_send,
    read_claim,
    read_code,
)
from crmcore.letters import write_letter
from crmcore.store.transaction import Transaction
from crmcore.usecases.letters import post
from crmcore.usecases.ownership import guard, locked


def start(crm: Crm, turn: Turn, contact_or_order: str) -> datetime:
    """Send a code to the e-mail address on file; returns until when it works.

    Nothing tells whether anybody has that address or order: the answer, its limits and what is stored
    look the same. Sending again in the same turn changes nothing.

    Raises
    ------
    UnreadableClaim : the text holds neither an e-mail address nor an order number.
    TooManyCodes : the limits of :mod:`crmcore.identify` are used up.
    StaleTurn : the turn is over.
    """
    claim = read_claim(contact_or_order)
    now = crm.clock()
    with crm.store.write() as tx:
        conversation = guard(tx, turn)
        code_id = f"code_{turn.message_id:015d}"  # Sorts by time, also within one instant.
        earlier = tx.identify.get(code_id)
        if earlier is not None:
            return earlier.expires_at
        contact = _contact_on_file(tx, claim)
        subject = contact.normalized if contact else claim.value
        contact_digest = keyed_digest(crm.secret, "contact", subject)
        _require_within_limits(tx, conversation.conversation_id, contact_digest, now)
        code = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))
        sent = SentCode(
            code_id=code_id,
            conversation_id=conversation.conversation_id,
            customer_id=contact.customer_id if contact else None,
            contact_digest=contact_digest,
            code_digest=_code_digest(crm, conversation.conversation_id, code),
            created_at=now,
            expires_at=now + CODE_LIFETIME,
            attempts=0,
            used_at=None,
        )
        tx.identify.add(sent)
        if contact is not None:
            minutes = int(CODE_LIFETIME.total_seconds() // 60)
            post(
                tx,
                write_letter(
                    "verification_code", conversation.language, contact.value,
                    code=code, minutes=minutes, firm=crm.firm.name,
                ),
                now,
            )  # fmt: skip
        return sent.expires_at


def check_code(crm: Crm, turn: Turn, typed: str) -> Verified | CodeRefused:
    """Compare the typed code with the last one sent in this conversation, and link on success.

    What the visitor stated and complained about before is then the customer's. A code works once.

    Raises
    ------
    AnotherCustomer : the conversation already belongs to somebody else; it needs a new one.
    StaleTurn : the turn is over.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        conversation = guard(tx, turn)
        if conversation.verified_at is not None and conversation.customer_id is not None:
            return _verified(tx, conversation.customer_id)
        sent = tx.identify.latest(conversation.conversation_id)
        code = read_code(typed)
        if sent is None:
            return CodeRefused("none")
        verdict = judge(sent, _code_digest(crm, conversation.conversation_id, code or ""), now)
        if verdict == "right" and sent.customer_id is not None and tx.identify.use(sent.code_id, now):
            return _link(tx, conversation, sent.customer_id, now)
        if verdict in ("wrong", "spent"):
            tx.identify.count_attempt(sent.code_id)
        return CodeRefused("spent" if verdict == "spent" else "wrong" if verdict == "wrong" else "expired")


def link_signed_in(crm: Crm, conversation_id: str, customer_id: str) -> Verified:
    """The firm's own sign-in says who the visitor is; the gateway has checked the token.

    Raises
    ------
    AnotherCustomer : the conversation already belongs to somebody else.
    """
    with crm.store.write() as tx:
        return _link(tx, locked(tx, conversation_id), customer_id, crm.clock())


def _link(tx: Transaction, conversation: Conversation, customer_id: str, now: datetime) -> Verified:
    tx.conversations.link_customer(conversation.conversation_id, customer_id, now)
    tx.needs.attach(conversation.conversation_id, customer_id)
    tx.complaints.attach(conversation.conversation_id, customer_id)
    return _verified(tx, customer_id)


def _verified(tx: Transaction, customer_id: str) -> Verified:
    customer = tx.customers.get(customer_id)
    return Verified(customer_id, customer.first_name if customer else "")


def _contact_on_file(tx: Transaction, claim: Claim) -> Contact | None:
    if claim.kind == "order":
        order = tx.orders.get(claim.value)
        customer_id = order.customer_id if order else None
    else:
        customer_id = tx.contacts.owner_of("email", claim.value)
    return tx.contacts.current_of(customer_id, "email") if customer_id else None


def _require_within_limits(tx: Transaction, conversation_id: str, contact_digest: str, now: datetime) -> None:
    in_conversation = tx.identify.sent_to_conversation(conversation_id, now - PER_CONVERSATION[1])
    to_contact = tx.identify.sent_to_contact(contact_digest, now - PER_CONTACT[1])
    if not may_send(now, in_conversation, to_contact):
        raise TooManyCodes("enough codes were sent for now; wait a quarter of an hour or ask for a person")


def _code_digest(crm: Crm, conversation_id: str, code: str) -> str:
    # Bound to the conversation: a code read elsewhere is worth nothing here.
    return keyed_digest(crm.secret, f"code:{conversation_id}", code)
