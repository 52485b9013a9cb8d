"""Child processes that do not outlive this one, whatever ends it."""

import ctypes
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with_parent() -> None:
    """To be called in the child before it starts its program: Linux ends it when its parent is gone.

    Without it a product that was killed leaves a Rasa server behind, and the next start finds its port
    taken. Other systems have no such call; there only an orderly stop ends the child.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
