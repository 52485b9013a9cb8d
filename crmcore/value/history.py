"""History value: what a customer has brought so far; the one part of his value that is known."""

from __future__ import annotations


def p_below_zero_on_history(history_minor: int) -> float:
    """P(value < 0) over a horizon that is all history: nothing is left to chance, so it is 1 or 0.

    By the tier rule this makes exactly those BZ who have never repaid the cost to serve them.
    """
    return 1.0 if history_minor < 0 else 0.0
