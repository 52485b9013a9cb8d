"""Visitors of other programs' channels: their conversations, and the answers to what they write."""

from dataclasses import replace

from crmcore.channels import WAITING, Answer, Stretch, check_sender, must_wait
from crmcore.conversations import Conversation, Message, Reply, mark_text, mark_values
from crmcore.crm import Crm
from crmcore.escalation import entry_of
from crmcore.ids import new_id
from crmcore.store.transaction import Transaction
from crmcore.usecases.conversations import add_conversation, conversation
from crmcore.usecases.ownership import locked, mark
from crmcore.usecases.routing import queue, staff_name

CHANNEL = "rest"


class _SomebodyWasQuicker(Exception):
    """Rolls the second conversation of one sender back."""


def conversation_of_sender(
    crm: Crm, key_id: str, sender: str, language: str, greeting: Reply
) -> Conversation:
    """The conversation of a program's visitor, begun with his first message; one, whatever the race.

    Raises
    ------
    UnacceptableSender : nothing is stored.
    """
    check_sender(sender)
    while True:
        with crm.store.read() as tx:
            found = tx.channels.conversation_of(key_id, sender)
        if found is not None:
            return conversation(crm, found)
        try:
            with crm.store.write() as tx:
                now = crm.clock()
                begun = add_conversation(tx, CHANNEL, new_id("vis"), language, now, greeting=greeting)
                if not tx.channels.add_sender(key_id, sender, begun.conversation_id, now):
                    raise _SomebodyWasQuicker
                return begun
        except _SomebodyWasQuicker:
            continue


def answer(crm: Crm, message: Message, *, last_chance: bool = False) -> Answer | None:
    """What the program gets for a visitor's message, or None while that is still to come.

    It is everything that was said since the last answer, up to what answers a later message. Asked again
    about the same message, the same comes again. With ``last_chance`` there is an answer in any case;
    what is said afterwards comes with the next one.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        owned = locked(tx, message.conversation_id)
        stretch = tx.channels.answer_of(message.id)
        if stretch is None or stretch.empty:
            pending = tx.messages.oldest_pending(message.conversation_id)
            unanswered = tx.channels.unanswered_before(message)
            if not last_chance and must_wait(message, pending, unanswered, now):
                return None
            stretch = _give(tx, owned, message)
            owned = locked(tx, message.conversation_id)
        length = stretch.up_to_seq - stretch.after_seq
        said = tx.messages.after(message.conversation_id, stretch.after_seq, length) if length else []
        said = [one for one in said if one.sender != "customer"]
        return Answer(owned, said, None if said else _standing(tx, crm, owned, message))


def give_up(crm: Crm, message: Message) -> None:
    """Nobody waits for this answer any more: what it would have carried comes with the next one."""
    with crm.store.write() as tx:
        locked(tx, message.conversation_id)
        if tx.channels.answer_of(message.id) is None:
            after = tx.channels.answered_up_to(message.conversation_id)
            tx.channels.set_answer(message, Stretch(after, after))


def _give(tx: Transaction, owned: Conversation, message: Message) -> Stretch:
    after = tx.channels.answered_up_to(owned.conversation_id)
    later = tx.channels.first_reply_to_later(message, after)
    if later is None and owned.owner_kind in ("queue", "account_manager"):
        _say_that_it_waits(tx, owned, message)
        owned = locked(tx, owned.conversation_id)
    up_to = owned.last_seq if later is None else later - 1
    stretch = Stretch(after, max(after, up_to))
    tx.channels.set_answer(message, stretch)
    return stretch


def _say_that_it_waits(tx: Transaction, owned: Conversation, message: Message) -> None:
    """Once while the same owner has it: a person reads the message, and how the answer will come."""
    client_id = f"{WAITING}:{owned.epoch}"
    if message.epoch != owned.epoch:
        return  # The owner changed because of this message, and marks say so.
    if tx.messages.by_client_id(owned.conversation_id, client_id) is None:
        name = staff_name(tx, owned.owner_id) if owned.owner_id else ""
        mark(tx, owned, WAITING, {"name": name}, message.created_at, client_id)


def _standing(tx: Transaction, crm: Crm, owned: Conversation, message: Message) -> Message | None:
    """The last mark while a person has the conversation, with the place in the queue as it is now; else
    the bot's last words, when they answered this message too. None while the bot still owes an answer."""
    if owned.owner_kind not in ("queue", "account_manager"):
        pending = tx.messages.oldest_pending(owned.conversation_id)
        if pending is not None and pending.id <= message.id:
            return None
        return tx.messages.last_of(owned.conversation_id, "bot")
    found = tx.messages.last_of(owned.conversation_id, "system", but_kind=WAITING)
    if found is None or owned.owner_kind != "queue" or "position" not in mark_values(found):
        return found
    entry = entry_of(queue(tx, crm.firm, crm.clock()), owned.conversation_id)
    if entry is None:
        return found
    place = {"position": entry.position, "wait_minutes": entry.wait_minutes}
    return replace(found, text=mark_text(mark_values(found) | place))
