"""What open streams compare to see that something changed, whichever process wrote it. Read only."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from crmcore.store.schema import callbacks, conversations, messages, staff, staff_sessions

ConversationPulse = tuple[int, int, int]
StaffPulse = tuple[int, ...]

# Two transactions may commit in the other order than they took their ids, so the newest id alone is blind.
_LATE = 1_000


class LiveReads:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def conversations(self, ids: Sequence[str]) -> dict[str, ConversationPulse]:
        """Of each conversation: last sequence number, epoch of the owner, generation of its tokens."""
        query = select(
            conversations.c.conversation_id,
            conversations.c.last_seq,
            conversations.c.epoch,
            conversations.c.token_generation,
        ).where(conversations.c.conversation_id.in_(ids))
        return {row[0]: (row[1], row[2], row[3]) for row in self._connection.execute(query)}

    def lists(self) -> StaffPulse:
        """Changes with every message, with a call-back's state, and when somebody goes on or off duty."""
        newest = select(func.coalesce(func.max(messages.c.id), 0)).scalar_subquery()
        query = select(
            newest,
            select(func.count()).where(messages.c.id > newest - _LATE).scalar_subquery(),
            select(func.count()).select_from(callbacks).scalar_subquery(),
            select(func.count()).where(callbacks.c.status == "promised").scalar_subquery(),
            select(func.count()).where(callbacks.c.status == "kept").scalar_subquery(),
            select(func.count()).where(staff.c.on_duty).scalar_subquery(),
        )
        return tuple(self._connection.execute(query).one())

    def staff_sessions(self) -> int:
        return int(self._connection.execute(select(func.count()).select_from(staff_sessions)).scalar_one())
