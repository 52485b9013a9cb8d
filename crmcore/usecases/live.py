"""What open streams ask each second, so that they miss nothing that another process wrote."""

from collections.abc import Sequence
from dataclasses import dataclass

from crmcore.crm import Crm

AT_A_TIME = 500  # Conversations of one statement.


@dataclass(frozen=True)
class Pulse:
    """Compare it with the one before: what differs has changed. The numbers mean nothing else."""

    conversations: dict[str, tuple[int, int, int]]
    lists: tuple[int, ...]
    staff_sessions: int


NOTHING = Pulse({}, (), 0)


def pulse(crm: Crm, conversation_ids: Sequence[str], with_staff: bool) -> Pulse:
    """Of these conversations, and of what staff see (nothing of that unless ``with_staff``)."""
    if not conversation_ids and not with_staff:
        return NOTHING
    with crm.store.read() as tx:
        seen: dict[str, tuple[int, int, int]] = {}
        for start in range(0, len(conversation_ids), AT_A_TIME):
            seen |= tx.live.conversations(conversation_ids[start : start + AT_A_TIME])
        if not with_staff:
            return Pulse(seen, (), 0)
        return Pulse(seen, tx.live.lists(), tx.live.staff_sessions())
