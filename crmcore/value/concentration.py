"""Whether one customer, or very few, carry a firm's total.

Sums of many customers are sure because chances average out. Where one of them is a large part of the sum,
nothing averages: the total is his fate. No model of this package says so by itself.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crmcore.value.fitting import Diagnostic

FloatArray = NDArray[np.float64]

MUCH = 0.1  # So much of the total, held by one customer, is much,
TIMES_EQUAL = 5.0  # if it is also so many times an equal share: of ten customers each holds a tenth.
FEW = 0.01  # Half of the total, held by so small a share of the customers, is held by few.


def check_concentration(amounts: FloatArray, what: Literal["spend", "value"]) -> tuple[Diagnostic, ...]:
    """Says when one customer holds a tenth of the total or more, or one in a hundred half of it.

    amounts : shape (n,), currency; what is below zero holds nothing. At most one diagnostic.
    """
    held = np.maximum(amounts, 0.0)
    n, total = len(held), float(held.sum())
    if total <= 0:
        return ()
    most = float(held.max()) / total
    if most >= max(MUCH, TIMES_EQUAL / n):
        message = (
            f"One of {n} customers holds {most:.0%} of all {what}. The total and every average say mostly "
            "what he does: if he leaves, or one of his rows is wrong, they are wrong for the whole shop."
        )
        return (Diagnostic("one_customer_carries_the_total", message, False),)
    at_most = int(FEW * n)
    best = np.sort(np.partition(held, n - at_most)[n - at_most :])[::-1] if at_most else held[:0]
    if float(best.sum()) < total / 2:
        return ()
    few = int(np.searchsorted(np.cumsum(best), total / 2)) + 1
    message = (
        f"Only {few} of {n} customers hold half of all {what}. Sums are sure because chances average out; "
        "over so few they hardly do, and the total is less sure than it looks."
    )
    return (Diagnostic("few_customers_carry_the_total", message, False),)
