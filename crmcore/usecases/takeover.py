"""The account manager's side of a conversation: claim, speak, give back, close, and drafts."""

from crmcore import conversations as transfers
from crmcore.conversations import (
    MAX_TEXT,
    AlreadyClaimed,
    Conversation,
    Message,
    NotTheOwner,
    StaleReply,
    UnacceptableClientId,
    check_client_id,
    clean_text,
)
from crmcore.crm import Crm
from crmcore.staff import StaffMember, UnknownStaff
from crmcore.store.messages import NewMessage
from crmcore.store.transaction import Transaction
from crmcore.usecases.events import add_message, tell_of_escalations
from crmcore.usecases.ownership import locked, mark, transfer
from crmcore.usecases.planning import plan_return
from crmcore.usecases.routing import record_takeover
from crmcore.usecases.service_costs import book_cost
from crmcore.usecases.value_refresh import refresh_value


def claim(crm: Crm, conversation_id: str, staff_id: str) -> Conversation:
    """Take the conversation: from the queue, from the bot, or as the one it was assigned to.

    Claiming what one has already changes nothing. The customer sees who joined.

    Raises
    ------
    AlreadyClaimed : another account manager has it; the error names him.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        member = _member(tx, staff_id)
        before = locked(tx, conversation_id)
        if before.owner_kind == "account_manager":
            if before.owner_id != staff_id:
                winner_id = before.owner_id or ""
                winner = tx.staff.get(winner_id)
                raise AlreadyClaimed(conversation_id, winner_id, winner.name if winner else winner_id)
            _join(tx, crm, before, member)
            return locked(tx, conversation_id)
        if tx.escalations.open_of(conversation_id) is None:
            record_takeover(tx, crm.firm, before, staff_id, now)
        after = transfer(tx, before, transfers.claim(before, staff_id))
        plan_return(tx, crm.firm, after, now)
        _join(tx, crm, after, member)
        return locked(tx, conversation_id)


def say_as_person(
    crm: Crm, conversation_id: str, staff_id: str, client_id: str, text: str, last_seen_seq: int
) -> Message:
    """The account manager speaks. His draft is spent, and a first word joins an assigned conversation.

    A repeated client id returns the message stored first.

    Raises
    ------
    NotTheOwner : somebody else owns the conversation, or nobody.
    StaleReply : the customer wrote after ``last_seen_seq``; the error holds what was missed.
    UnacceptableText, UnacceptableClientId : nothing is stored.
    """
    check_client_id(client_id)
    text = clean_text(text)
    now = crm.clock()
    with crm.store.write() as tx:
        member = _member(tx, staff_id)
        conversation = locked(tx, conversation_id)
        first = tx.messages.by_client_id(conversation_id, client_id)
        if first is not None:
            if first.sender_id != staff_id:
                raise UnacceptableClientId(f"the client id {client_id!r} is taken; send a new one")
            return first
        if conversation.owner_kind != "account_manager" or conversation.owner_id != staff_id:
            raise NotTheOwner(conversation, staff_id)
        newer = tx.messages.after(conversation_id, last_seen_seq, limit=200)
        if any(message.sender == "customer" for message in newer):
            raise StaleReply(conversation_id, tuple(newer))
        _join(tx, crm, conversation, member)
        tx.drafts.remove(conversation_id, staff_id)
        owed = tx.callbacks.open_of(conversation_id)
        if owed is not None and not owed.contact:  # The promise was to come back in this chat.
            tx.callbacks.mark_kept(owed.callback_id, staff_id, now)
        return add_message(
            tx,
            NewMessage(
                conversation_id=conversation_id,
                seq=tx.conversations.next_seq(conversation_id, now),
                client_id=client_id,
                sender="account_manager",
                sender_id=staff_id,
                sender_name=member.name,
                text=text,
                epoch=conversation.epoch,
                created_at=now,
            ),
        )


def give_back(crm: Crm, conversation_id: str, staff_id: str) -> Conversation:
    """The bot answers again, in a fresh session (open forms are closed) that is told what happened.

    What the customer wrote and nobody answered is now the bot's to answer, so nothing is left without
    a word.

    Raises
    ------
    NotTheOwner : it is not his to give.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        member = _member(tx, staff_id)
        before = _owned(tx, conversation_id, staff_id)
        after = transfer(tx, before, transfers.give_back(before))
        tx.messages.make_unanswered_pending(conversation_id)
        tell_of_escalations(tx, "escalation.ended", tx.escalations.resolve_all(conversation_id, now), now)
        tx.drafts.remove(conversation_id, staff_id)
        mark(tx, after, "mark:left", {"name": member.name}, now)
        return locked(tx, conversation_id)


def close(crm: Crm, conversation_id: str, staff_id: str) -> Conversation:
    """The case is done. A new message of the customer reopens the conversation to the bot.

    Raises
    ------
    NotTheOwner : it is not his to close.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        member = _member(tx, staff_id)
        before = _owned(tx, conversation_id, staff_id)
        after = transfer(tx, before, transfers.close(before, now))
        tell_of_escalations(tx, "escalation.ended", tx.escalations.resolve_all(conversation_id, now), now)
        tx.drafts.remove(conversation_id, staff_id)
        mark(tx, after, "mark:closed", {"name": member.name}, now)
        return locked(tx, conversation_id)


def save_draft(crm: Crm, conversation_id: str, staff_id: str, text: str) -> None:
    """Keep a half-written reply; an empty text forgets it.

    Raises
    ------
    NotTheOwner : only the owner writes here, so nobody keeps a draft elsewhere.
    """
    with crm.store.write() as tx:
        _owned(tx, conversation_id, staff_id)
        tx.drafts.save(conversation_id, staff_id, text.replace("\0", "")[: 2 * MAX_TEXT], crm.clock())


def draft(crm: Crm, conversation_id: str, staff_id: str) -> str:
    """The half-written reply, or an empty text."""
    with crm.store.read() as tx:
        return tx.drafts.get(conversation_id, staff_id)


def _owned(tx: Transaction, conversation_id: str, staff_id: str) -> Conversation:
    conversation = locked(tx, conversation_id)
    if conversation.owner_kind != "account_manager" or conversation.owner_id != staff_id:
        raise NotTheOwner(conversation, staff_id)
    return conversation


def _member(tx: Transaction, staff_id: str) -> StaffMember:
    member = tx.staff.get(staff_id)
    if member is None:
        raise UnknownStaff(f"nobody with the id {staff_id!r} works here")
    return member


def _join(tx: Transaction, crm: Crm, conversation: Conversation, member: StaffMember) -> None:
    """Say once in an epoch that the account manager is here, and put the open escalations in his hands."""
    client_id = f"mark:joined:{conversation.epoch}"
    if tx.messages.by_client_id(conversation.conversation_id, client_id) is None:
        now = crm.clock()
        claimed = tx.escalations.claim_all(conversation.conversation_id, member.staff_id, now)
        tell_of_escalations(tx, "escalation.claimed", claimed, now, staff_id=member.staff_id)
        mark(tx, conversation, "mark:joined", {"name": member.name}, now, client_id)
        if conversation.customer_id is not None and conversation.verified_at is not None:
            book_cost(tx, crm.firm, conversation.customer_id, "contact", crm.firm.value.contact_cost, now)
            refresh_value(tx, crm.firm, conversation.customer_id, now)
