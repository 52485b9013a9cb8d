"""Visitors who come through another program: their conversations, and what each answer has carried."""

from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from crmcore.channels import Stretch
from crmcore.conversations import Message
from crmcore.store.messages import read_message
from crmcore.store.schema import channel_answers, channel_senders, messages


class Channels:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def conversation_of(self, key_id: str, sender: str) -> str | None:
        """The conversation of this sender under this key; another key's sender of that name is a stranger."""
        query = select(channel_senders.c.conversation_id).where(
            channel_senders.c.key_id == key_id, channel_senders.c.sender == sender
        )
        return self._connection.execute(query).scalar_one_or_none()

    def add_sender(self, key_id: str, sender: str, conversation_id: str, now: datetime) -> bool:
        """False when somebody was quicker; the unique index decides."""
        row = {"key_id": key_id, "sender": sender, "conversation_id": conversation_id, "first_seen_at": now}
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(channel_senders).values(row))
        except IntegrityError:
            return False
        return True

    def answer_of(self, message_id: int) -> Stretch | None:
        """What the answer to this message of the customer carried, if it was given."""
        query = select(channel_answers.c.after_seq, channel_answers.c.up_to_seq).where(
            channel_answers.c.message_id == message_id
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else Stretch(row.after_seq, row.up_to_seq)

    def set_answer(self, message: Message, stretch: Stretch) -> None:
        """Write what the answer carries; an empty one that was written before gives way to it."""
        self._connection.execute(delete(channel_answers).where(channel_answers.c.message_id == message.id))
        self._connection.execute(
            insert(channel_answers).values(
                message_id=message.id, conversation_id=message.conversation_id, **vars(stretch)
            )
        )

    def answered_up_to(self, conversation_id: str) -> int:
        """The end of the last stretch of the log that an answer carried; 0 before the first."""
        query = select(func.coalesce(func.max(channel_answers.c.up_to_seq), 0)).where(
            channel_answers.c.conversation_id == conversation_id
        )
        return int(self._connection.execute(query).scalar_one())

    def unanswered_before(self, message: Message) -> list[Message]:
        """The customer's messages up to and with this one whose answers were not given yet, in order."""
        query = (
            select(messages)
            .outerjoin(channel_answers, channel_answers.c.message_id == messages.c.id)
            .where(
                messages.c.conversation_id == message.conversation_id,
                messages.c.sender == "customer",
                messages.c.id <= message.id,
                channel_answers.c.message_id.is_(None),
            )
            .order_by(messages.c.id)
        )
        return [read_message(row) for row in self._connection.execute(query).mappings()]

    def first_reply_to_later(self, message: Message, after_seq: int) -> int | None:
        """Where in the log, after ``after_seq``, the replies to what the customer wrote later begin."""
        query = select(func.min(messages.c.seq)).where(
            messages.c.conversation_id == message.conversation_id,
            messages.c.seq > after_seq,
            messages.c.in_reply_to > message.id,
        )
        found: int | None = self._connection.execute(query).scalar_one()
        return found
