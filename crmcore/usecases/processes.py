"""Processes that say that they live, and taking over what dead ones left."""

from collections.abc import Callable

from crmcore.crm import Crm
from crmcore.processes import Process


def beat(crm: Crm, process: Process) -> None:
    """Say that this process lives. Before its first turn too: a turn of a stranger is up for taking."""
    with crm.store.write() as tx:
        tx.processes.beat(process, crm.clock())


def leave(crm: Crm, process_id: str) -> None:
    """The process ends in good order and holds nothing any more."""
    with crm.store.write() as tx:
        tx.processes.remove(process_id)


def running(crm: Crm) -> list[Process]:
    """All that said that they live and did not leave; dead ones stay until somebody notices."""
    with crm.store.read() as tx:
        return tx.processes.all()


def bury(
    crm: Crm,
    own_id: str,
    is_working: Callable[[str], bool],
    judge: Callable[[list[Process]], frozenset[str]],
) -> int:
    """End the turns that nobody works on now instead of when their leases run out; returns how many.

    Those of dead processes (``judge`` is given all processes and names the dead), and those of this one
    that it does not know of (``is_working`` of the conversation): it took them or wanted to end them when
    the database broke off. Whoever takes such a turn next sees that it was not ended. A process that was
    only thought dead loses nothing: its answer counts if it is the first.
    """
    now = crm.clock()
    with crm.store.read() as tx:
        known = tx.processes.all()
        leases = tx.conversations.leases(now)
    dead = judge(known)
    alive = {process.process_id for process in known} - dead - {own_id}
    # Asked after the leases were read: a turn that ended meanwhile has given this very lease back.
    left = [
        (conversation_id, lease)
        for conversation_id, lease in leases
        if holder_of(lease) not in alive and not (holder_of(lease) == own_id and is_working(conversation_id))
    ]
    if left or dead:
        with crm.store.write() as tx:
            for conversation_id, lease in left:
                tx.conversations.expire_turn(conversation_id, lease, now)
            for process_id in dead:
                tx.processes.remove(process_id)
    return len(left)


def holder_of(lease: str) -> str:
    """The process in the name of a lease, see ``usecases.turns.next_turn``."""
    return lease.rpartition(":")[0]
