"""The name under which this process holds turns, and whether another such name belongs to a dead process."""

import os
import socket

_HOST = socket.gethostname()[:30]


def own_name() -> str:
    """Process and machine; a turn's lease adds something random of its own."""
    return f"{os.getpid()}@{_HOST}"


def is_dead(lease: str) -> bool:
    """Whether the lease is of a process on this machine that is gone. Ask before taking the first turn:

    a lease of this very process number is then one that an earlier process left behind (in a container
    the number is always the same). A number that was given to somebody else meanwhile counts as alive.
    """
    number, _, host = lease.rsplit(":", 1)[0].partition("@")
    if host != _HOST or not number.isdigit():
        return False
    if int(number) == os.getpid():
        return True
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
