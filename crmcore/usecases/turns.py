"""The bot's turns: one at a time in a conversation, each under a lease, each answered once.

Recovery. A process that dies in a turn leaves the message pending and a lease that runs out. Then
:func:`unfinished` names the conversation and :func:`next_turn` hands the same message out again, in a
fresh brain session with the notice ``interrupted``: whether the brain had already acted on the message
cannot be known, and an answer ("yes") applied twice could accept what nobody asked about. What actions
had written stays and is not written twice, because their keys carry the message's id.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from crmcore.conversations import (
    BRAIN_SESSION_TURNS,
    TURN_LEASE,
    Conversation,
    LeasedTurn,
    Message,
    Reply,
    StaleTurn,
    Turn,
    fresh_session,
)
from crmcore.crm import Crm
from crmcore.errors import CrmError
from crmcore.redaction import hide_codes, redact, redacted_in
from crmcore.store.transaction import Transaction
from crmcore.usecases.escalation import apply_requested
from crmcore.usecases.ownership import guard, locked, say_as_bot


class EmptyAnswer(CrmError):
    """A turn without words is a failure: end it with ``fail_turn``."""


def next_turn(crm: Crm, conversation_id: str, holder: str) -> LeasedTurn | None:
    """Take the oldest unanswered customer message of a bot-owned conversation, or None.

    ``holder`` names the process. None when there is nothing to answer, when the bot does not own the
    conversation, or while another turn of it is under way (in this process too).
    """
    now = crm.clock()
    with crm.store.write() as tx:
        before = locked(tx, conversation_id)
        lease = f"{holder[:40]}:{secrets.token_hex(8)}"
        if not tx.conversations.take_turn(conversation_id, lease, now, now + TURN_LEASE):
            return None
        message = tx.messages.oldest_pending(conversation_id)
        if message is None:
            raise RuntimeError(f"the turn of {conversation_id} was taken for a message that is not there")
        conversation = before
        interrupted = 0
        if before.turn_holder is not None:
            conversation = fresh_session(before, before.brain_notice or "interrupted")
            tx.conversations.set_brain(conversation)
            tx.incidents.add("turn_interrupted", now, conversation_id, f"message:{message.id}")
            interrupted = tx.incidents.count("turn_interrupted", conversation_id, f"message:{message.id}")
        text = redact(message.text)
        return LeasedTurn(
            conversation_id=conversation_id,
            message_id=message.id,
            epoch=conversation.epoch,
            lease=lease,
            text=hide_codes(text) if _awaits_code(tx, conversation) else text,
            withheld=tuple(redacted_in(text)),
            payload=message.payload,
            language=conversation.language,
            brain_sender=conversation.brain_sender,
            brain_notice=conversation.brain_notice,
            bot_turns=conversation.bot_turns,
            attempt=1 + interrupted,
        )


def written(crm: Crm, turn: Turn) -> str:
    """What the customer wrote in this turn, as it is in the log; the brain may have got less.

    Raises
    ------
    StaleTurn : the turn is over.
    """
    with crm.store.read() as tx:
        message = tx.messages.get(turn.message_id)
    if message is None or message.conversation_id != turn.conversation_id:
        raise StaleTurn(turn, "there is no such message")
    return message.text


def finish_turn(
    crm: Crm, turn: LeasedTurn, replies: Sequence[Reply], new_session: bool = False
) -> list[Message]:
    """Store the bot's answer, then hand over if one of the turn's actions asked for it.

    The hand-over comes after the words and in the same transaction, so a turn that escalates still
    says its line. ``new_session`` starts the brain's memory afresh with the next message: the caller
    sets it when ``turn.bot_turns`` reached ``BRAIN_SESSION_TURNS`` and no form is open.

    Raises
    ------
    StaleTurn : the owner changed meanwhile; nothing is stored and the reply must be dropped.
    EmptyAnswer : there are no words; call :func:`fail_turn`.
    """
    if not any(reply.text.strip() for reply in replies):
        raise EmptyAnswer(f"the brain said nothing to message {turn.message_id}; call fail_turn")
    now = crm.clock()
    with _ending(crm, turn), crm.store.write() as tx:
        conversation = guard(tx, turn)
        tx.messages.settle(turn.message_id, "done")
        said = _say(tx, crm, conversation, turn, replies)
        after = replace(conversation, bot_turns=conversation.bot_turns + 1)
        if conversation.brain_notice == turn.brain_notice:
            after = replace(after, brain_notice=None)
        if new_session:
            after = fresh_session(after, None)
        tx.conversations.set_brain(after)
        tx.conversations.end_turn(turn.conversation_id, turn.lease)
        return said + apply_requested(tx, crm.firm, after, now)


def fail_turn(crm: Crm, turn: LeasedTurn, kind: str, apology: Reply) -> list[Message]:
    """One apology instead of an answer; counted, and the brain starts afresh.

    ``kind`` is the incident: brain_down, brain_slow, empty_turn, action_failed … A hand-over that an
    action had asked for before the failure still happens.

    Raises
    ------
    StaleTurn : the owner changed meanwhile; the incident is counted, the apology is dropped.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        tx.incidents.add(kind, now, turn.conversation_id, f"message:{turn.message_id}")
    with _ending(crm, turn), crm.store.write() as tx:
        conversation = guard(tx, turn)
        tx.messages.settle(turn.message_id, "done")
        said = _say(tx, crm, conversation, turn, [apology])
        after = fresh_session(conversation, conversation.brain_notice or "interrupted")
        tx.conversations.set_brain(after)
        tx.conversations.end_turn(turn.conversation_id, turn.lease)
        return said + apply_requested(tx, crm.firm, after, now)


def abandon_turn(crm: Crm, turn: LeasedTurn) -> None:
    """Stop in the middle of a turn, when the process ends in good order.

    The lease ends now instead of running out, and the rest is as after a crash: the brain may have
    acted on the message already.
    """
    now = crm.clock()
    with crm.store.write() as tx:
        tx.conversations.expire_turn(turn.conversation_id, turn.lease, now)


def unfinished(crm: Crm, limit: int = 100) -> list[str]:
    """Conversations that wait for the bot and that nobody is answering, the longest waiting first."""
    now = crm.clock()
    with crm.store.read() as tx:
        return tx.conversations.unfinished(now, limit)


def note_not_understood(crm: Crm, turn: Turn) -> int:
    """Count one more message in a row that the assistant did not understand; returns the count."""
    with crm.store.write() as tx:
        conversation = guard(tx, turn)
        failures = conversation.failures + 1
        tx.conversations.set_failures(turn.conversation_id, failures)
        return failures


def note_understood(crm: Crm, turn: Turn) -> None:
    """The assistant understood: the count starts at zero again."""
    with crm.store.write() as tx:
        if guard(tx, turn).failures:
            tx.conversations.set_failures(turn.conversation_id, 0)


def _awaits_code(tx: Transaction, conversation: Conversation) -> bool:
    """Whether six digits may be a one-time code, which no memory but the log's may hold."""
    if conversation.verified_at is not None:
        return False
    sent = tx.identify.latest(conversation.conversation_id)
    return sent is not None and sent.used_at is None


@contextmanager
def _ending(crm: Crm, turn: LeasedTurn) -> Iterator[None]:
    """A turn that lost its right still gives its lease back, so that the next message need not wait."""
    try:
        yield
    except StaleTurn:
        with crm.store.write() as tx:
            tx.conversations.end_turn(turn.conversation_id, turn.lease)
        raise


def session_is_full(turn: LeasedTurn) -> bool:
    """Whether the brain's memory is due to start afresh after this turn, if no form is open."""
    return turn.bot_turns + 1 >= BRAIN_SESSION_TURNS


def _say(
    tx: Transaction, crm: Crm, conversation: Conversation, turn: Turn, replies: Sequence[Reply]
) -> list[Message]:
    spoken = [reply for reply in replies if reply.text.strip()]
    return [
        say_as_bot(
            tx,
            conversation,
            reply,
            f"bot:{turn.message_id}:{seq}",  # A message that is asked again is answered again.
            crm.clock(),
            in_reply_to=turn.message_id,
        )
        for seq, reply in enumerate(spoken, conversation.last_seq + 1)
    ]
