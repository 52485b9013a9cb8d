"""The message log and the buttons offered in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    RowMapping,
    Select,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from crmcore.conversations import Button, Message, MessageState, Sender
from crmcore.store.schema import conversations, messages, offered_buttons

# Every use case asks these, so they are built once.
_IN_CONVERSATION = messages.c.conversation_id == bindparam("conversation")
_INSERT = insert(messages).returning(messages)
_BY_ID = select(messages).where(messages.c.id == bindparam("id_"))
_BY_CLIENT_ID = select(messages).where(_IN_CONVERSATION, messages.c.client_id == bindparam("client"))
_AFTER = (
    select(messages)
    .where(_IN_CONVERSATION, messages.c.seq > bindparam("seq_"))
    .order_by(messages.c.seq)
    .limit(bindparam("most"))
)
_OLDEST_PENDING = (
    select(messages).where(_IN_CONVERSATION, messages.c.state == "pending").order_by(messages.c.seq).limit(1)
)


@dataclass(frozen=True)
class NewMessage:
    """A message before the database gives it an id."""

    conversation_id: str
    seq: int
    client_id: str
    sender: Sender
    text: str
    epoch: int
    created_at: datetime
    sender_id: str | None = None
    sender_name: str = ""
    kind: str = "text"
    buttons: tuple[Button, ...] = ()
    in_reply_to: int | None = None
    state: MessageState = "done"
    payload: str | None = None


class Messages:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, message: NewMessage) -> Message:
        values = {**vars(message), "buttons": [vars(button) for button in message.buttons]}
        return read_message(self._connection.execute(_INSERT, values).mappings().one())

    def get(self, message_id: int) -> Message | None:
        return self._one(_BY_ID, id_=message_id)

    def by_client_id(self, conversation_id: str, client_id: str) -> Message | None:
        return self._one(_BY_CLIENT_ID, conversation=conversation_id, client=client_id)

    def after(self, conversation_id: str, seq: int, limit: int) -> list[Message]:
        values = {"conversation": conversation_id, "seq_": seq, "most": limit}
        return [read_message(row) for row in self._connection.execute(_AFTER, values).mappings()]

    def latest(self, conversation_id: str, limit: int) -> list[Message]:
        """The last messages, in their order."""
        query = (
            select(messages)
            .where(messages.c.conversation_id == conversation_id)
            .order_by(messages.c.seq.desc())
            .limit(limit)
        )
        return [read_message(row) for row in self._connection.execute(query).mappings()][::-1]

    def oldest_pending(self, conversation_id: str) -> Message | None:
        return self._one(_OLDEST_PENDING, conversation=conversation_id)

    def settle(self, message_id: int, state: MessageState) -> bool:
        """Move a pending message on; False when it was not pending any more."""
        statement = update(messages).where(messages.c.id == message_id, messages.c.state == "pending")
        return self._connection.execute(statement.values(state=state)).rowcount == 1

    def repeat(self, message_id: int, until_id: int, conversation_id: str, epoch: int, wish: str) -> None:
        """A settled customer message is to be answered once more, and so is what was passed over with it.

        Passed over is what the customer wrote after it and before ``until_id`` and neither the bot nor
        a person answered. Not so the buttons whose payload begins with ``wish``: they asked for such a
        repetition themselves, and had it.
        """
        answer = messages.alias()
        answered = exists().where(
            answer.c.conversation_id == conversation_id,
            answer.c.id < until_id,
            or_(
                answer.c.in_reply_to == messages.c.id,
                and_(answer.c.id > messages.c.id, _ends_waiting(answer)),
            ),
        )
        a_wish = func.coalesce(messages.c.payload, "").startswith(wish, autoescape=True)
        passed_over = and_(messages.c.id > message_id, messages.c.id < until_id, ~answered, ~a_wish)
        self._connection.execute(
            update(messages)
            .where(
                messages.c.conversation_id == conversation_id,
                messages.c.sender == "customer",
                or_(messages.c.id == message_id, passed_over),
            )
            .values(state="pending", epoch=epoch)
        )

    def drop_pending(self, conversation_id: str) -> None:
        """The bot will not answer these any more: the conversation has another owner."""
        self._connection.execute(
            update(messages)
            .where(messages.c.conversation_id == conversation_id, messages.c.state == "pending")
            .values(state="dropped")
        )

    def make_unanswered_pending(self, conversation_id: str) -> None:
        """What the customer wrote and neither the bot nor a person answered is the bot's to answer now.

        Words before the last ones of a person, or before the case was closed, count as answered.
        """
        settled = select(func.coalesce(func.max(messages.c.seq), 0)).where(
            messages.c.conversation_id == conversation_id, _ends_waiting(messages)
        )
        answer = messages.alias()
        answered = exists().where(
            answer.c.conversation_id == conversation_id, answer.c.in_reply_to == messages.c.id
        )
        self._connection.execute(
            update(messages)
            .where(
                messages.c.conversation_id == conversation_id,
                messages.c.sender == "customer",
                messages.c.seq > settled.scalar_subquery(),
                ~answered,
            )
            .values(state="pending")
        )

    def pending(self) -> tuple[int, datetime | None]:
        """How many customer messages the bot has still to answer, and since when the oldest waits."""
        query = select(func.count(), func.min(messages.c.created_at)).where(messages.c.state == "pending")
        row = self._connection.execute(query).one()
        return int(row[0]), row[1]

    def lost(self, since: datetime) -> int:
        """Customer messages with the bot that are not to be answered any more, and never were.

        It must be 0. Looks at conversations that were active since ``since``.
        """
        later = messages.alias()
        answered = exists().where(
            later.c.conversation_id == messages.c.conversation_id,
            later.c.seq > messages.c.seq,
            or_(later.c.sender == "bot", _ends_waiting(later)),
        )
        query = (
            select(func.count())
            .select_from(messages)
            .join(conversations, conversations.c.conversation_id == messages.c.conversation_id)
            .where(
                conversations.c.owner_kind == "bot",
                conversations.c.last_message_at >= since,
                messages.c.sender == "customer",
                messages.c.state != "pending",
                ~answered,
            )
        )
        return int(self._connection.execute(query).scalar_one())

    def last_seq_of(self, conversation_id: str, sender: Sender, epoch: int | None = None) -> int:
        """The sequence number of the last words of this sender (in this epoch); 0 when he said none."""
        query = select(func.coalesce(func.max(messages.c.seq), 0)).where(
            messages.c.conversation_id == conversation_id,
            messages.c.sender == sender,
            messages.c.kind == "text",
        )
        if epoch is not None:
            query = query.where(messages.c.epoch == epoch)
        return int(self._connection.execute(query).scalar_one())

    def last_of(self, conversation_id: str, sender: Sender, but_kind: str = "") -> Message | None:
        """The newest message of this sender that is not of this kind."""
        query = (
            select(messages)
            .where(
                messages.c.conversation_id == conversation_id,
                messages.c.sender == sender,
                messages.c.kind != but_kind,
            )
            .order_by(messages.c.seq.desc())
            .limit(1)
        )
        return self._one(query)

    def offer_buttons(self, conversation_id: str, seq: int, offered: Iterable[tuple[Button, str]]) -> None:
        """Remember what each opaque button of a message means to the brain."""
        rows = [
            {
                "button_id": button.id,
                "conversation_id": conversation_id,
                "seq": seq,
                "title": button.title,
                "payload": payload,
            }
            for button, payload in offered
        ]
        if rows:
            self._connection.execute(insert(offered_buttons), rows)

    def offered_button(self, conversation_id: str, button_id: str) -> tuple[str, str] | None:
        """The title and payload of a button that was offered in this very conversation."""
        query = select(offered_buttons.c.title, offered_buttons.c.payload).where(
            offered_buttons.c.button_id == button_id, offered_buttons.c.conversation_id == conversation_id
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else (row.title, row.payload)

    def _one(self, query: Select[Any], **values: object) -> Message | None:
        row = self._connection.execute(query, values).mappings().one_or_none()
        return None if row is None else read_message(row)


def _ends_waiting(table: FromClause) -> ColumnElement[bool]:
    """A person's words, or the close of a case: after them the customer does not wait for an answer."""
    return or_(
        and_(table.c.sender == "account_manager", table.c.kind == "text"), table.c.kind == "mark:closed"
    )


def read_message(row: RowMapping) -> Message:
    return Message(**{**row, "buttons": tuple(Button(**button) for button in row["buttons"])})
