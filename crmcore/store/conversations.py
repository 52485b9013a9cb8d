"""Conversations: one row each, its owner changed only by :meth:`Conversations.change_owner`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from crmcore.conversations import Conversation, Mood, OpenCase, OwnerKind
from crmcore.errors import CrmError
from crmcore.paging import Page, Window
from crmcore.store.paging import equals, page_of
from crmcore.store.schema import conversations, messages

# Every use case asks these, so they are built once.
_BY_ID = select(conversations).where(conversations.c.conversation_id == bindparam("conversation"))
_BY_ID_LOCKED = _BY_ID.with_for_update()
_NEXT_SEQ = (
    update(conversations)
    .where(conversations.c.conversation_id == bindparam("conversation"))
    .values(last_seq=conversations.c.last_seq + 1, last_message_at=bindparam("now"))
    .returning(conversations.c.last_seq)
)


class AnotherCustomer(CrmError):
    """The conversation already belongs to somebody else; a claim never merges two people."""


class Conversations:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, conversation: Conversation) -> None:
        self._connection.execute(insert(conversations).values(_values(conversation)))

    def get(self, conversation_id: str) -> Conversation | None:
        return self._one(_BY_ID, conversation_id)

    def locked(self, conversation_id: str) -> Conversation | None:
        """The conversation, held until the transaction ends: no other writer changes it meanwhile."""
        return self._one(_BY_ID_LOCKED, conversation_id)

    def of_customer(self, customer_id: str, limit: int = 20) -> list[Conversation]:
        """The newest first."""
        query = (
            select(conversations)
            .where(conversations.c.customer_id == customer_id)
            .order_by(conversations.c.opened_at.desc())
            .limit(limit)
        )
        return [_conversation(row) for row in self._connection.execute(query).mappings()]

    def listed(
        self,
        window: Window,
        customer_id: str | None,
        owner: OwnerKind | None,
        updated_since: datetime | None,
    ) -> Page[Conversation]:
        """The oldest first; ``updated_since`` looks at the last message."""
        table = conversations.c
        query = select(conversations).where(
            *equals({table.customer_id: customer_id, table.owner_kind: owner})
        )
        if updated_since is not None:
            query = query.where(table.last_message_at >= updated_since)
        at, row_id = table.opened_at, table.conversation_id
        return page_of(self._connection, query, at, row_id, window, _conversation)

    def change_owner(self, before: Conversation, after: Conversation) -> bool:
        """Write the owner of ``after`` over ``before``; False when the epoch had moved on meanwhile."""
        result = self._connection.execute(
            update(conversations)
            .where(
                conversations.c.conversation_id == before.conversation_id,
                conversations.c.epoch == before.epoch,
            )
            .values(
                owner_kind=after.owner_kind,
                owner_id=after.owner_id,
                epoch=after.epoch,
                turn_holder=None,
                turn_until=None,
                bot_turns=after.bot_turns,
                brain_session=after.brain_session,
                brain_notice=after.brain_notice,
                failures=after.failures,
                closed_at=after.closed_at,
            )
        )
        return result.rowcount == 1

    def next_seq(self, conversation_id: str, now: datetime) -> int:
        """Take the next sequence number; the row stays locked, so numbers have no gaps."""
        values = {"conversation": conversation_id, "now": now}
        return int(self._connection.execute(_NEXT_SEQ, values).scalar_one())

    def take_turn(self, conversation_id: str, holder: str, now: datetime, until: datetime) -> bool:
        """Lease the right to answer; settled by the statement, so one of two takers gets it."""
        free = or_(conversations.c.turn_holder.is_(None), conversations.c.turn_until <= now)
        result = self._connection.execute(
            update(conversations)
            .where(
                conversations.c.conversation_id == conversation_id,
                conversations.c.owner_kind == "bot",
                free,
                _has_pending(),
            )
            .values(turn_holder=holder, turn_until=until)
        )
        return result.rowcount == 1

    def end_turn(self, conversation_id: str, holder: str) -> None:
        """Give the lease back; another holder's lease stays."""
        self._set(
            conversation_id,
            {"turn_holder": None, "turn_until": None},
            conversations.c.turn_holder == holder,
        )

    def expire_turn(self, conversation_id: str, holder: str, now: datetime) -> None:
        """Let the lease run out at once; who takes the turn next sees that it was not ended."""
        self._set(conversation_id, {"turn_until": now}, conversations.c.turn_holder == holder)

    def leases(self, now: datetime) -> list[tuple[str, str]]:
        """Conversations with a turn under way, each with the holder of its lease."""
        query = select(conversations.c.conversation_id, conversations.c.turn_holder).where(
            conversations.c.turn_until > now
        )
        return [(row.conversation_id, row.turn_holder) for row in self._connection.execute(query)]

    def set_brain(self, conversation: Conversation) -> None:
        """Write the brain's session, notice and turn count."""
        self._set(
            conversation.conversation_id,
            {
                "brain_session": conversation.brain_session,
                "brain_notice": conversation.brain_notice,
                "bot_turns": conversation.bot_turns,
            },
        )

    def set_failures(self, conversation_id: str, failures: int) -> None:
        self._set(conversation_id, {"failures": failures})

    def set_mood(self, conversation_id: str, mood: Mood) -> None:
        self._set(conversation_id, {"mood": mood})

    def set_open_case(self, conversation_id: str, case: OpenCase | None) -> None:
        self._set(conversation_id, {"open_case": case})

    def link_customer(self, conversation_id: str, customer_id: str, verified_at: datetime) -> None:
        """Say who the visitor has proved to be.

        Raises
        ------
        AnotherCustomer : the conversation is already linked to another customer.
        """
        same = or_(conversations.c.customer_id.is_(None), conversations.c.customer_id == customer_id)
        values = {"customer_id": customer_id, "verified_at": verified_at}
        if not self._set(conversation_id, values, same):
            raise AnotherCustomer(
                f"{conversation_id} does not exist or belongs to another customer than {customer_id}; "
                "open a new conversation for him"
            )

    def raise_token_generation(self, conversation_id: str) -> None:
        """Every token handed out before is worthless from now on."""
        self._set(conversation_id, {"token_generation": conversations.c.token_generation + 1})

    def unfinished(self, now: datetime, limit: int) -> list[str]:
        """Bot-owned conversations with a pending message and no live lease, the oldest message first."""
        query = (
            select(conversations.c.conversation_id)
            .join(messages, messages.c.conversation_id == conversations.c.conversation_id)
            .where(
                messages.c.state == "pending",
                conversations.c.owner_kind == "bot",
                or_(conversations.c.turn_holder.is_(None), conversations.c.turn_until <= now),
            )
            .group_by(conversations.c.conversation_id)
            .order_by(func.min(messages.c.id))
            .limit(limit)
        )
        return list(self._connection.execute(query).scalars())

    def count_by_owner(self) -> dict[str, int]:
        query = select(conversations.c.owner_kind, func.count()).group_by(conversations.c.owner_kind)
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def _one(self, query: Select[Any], conversation_id: str) -> Conversation | None:
        row = self._connection.execute(query, {"conversation": conversation_id}).mappings().one_or_none()
        return None if row is None else _conversation(row)

    def _set(self, conversation_id: str, values: Mapping[str, Any], *conditions: Any) -> bool:
        statement = update(conversations).where(
            conversations.c.conversation_id == conversation_id, *conditions
        )
        return self._connection.execute(statement.values(values)).rowcount == 1


def _has_pending() -> Any:
    return exists().where(
        messages.c.conversation_id == conversations.c.conversation_id, messages.c.state == "pending"
    )


def _values(conversation: Conversation) -> dict[str, Any]:
    return {column.name: getattr(conversation, column.name) for column in conversations.columns}


def _conversation(row: RowMapping) -> Conversation:
    return Conversation(**row)
