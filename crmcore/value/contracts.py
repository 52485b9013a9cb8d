"""Contract summary: how often each contract was renewed, and whether it still runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from crmcore.value.summary import InvalidHistory

FloatArray = NDArray[np.float64]


class YearlyContract(Protocol):
    """What of a contract counts here. ``ends_on`` is None while nobody has ended it."""

    @property
    def contract_id(self) -> str: ...
    @property
    def started_on(self) -> date: ...
    @property
    def ends_on(self) -> date | None: ...


@dataclass(frozen=True)
class ContractSummary:
    """One row a contract, in the order of ``contract_id``; every array has shape (n,).

    renewals : how often it was renewed; a contract in its first period has 0.
    active : False when it was not renewed after that.
    """

    contract_id: Sequence[Any]
    renewals: FloatArray
    active: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.contract_id)

    @classmethod
    def of(
        cls,
        renewals: Sequence[float] | FloatArray,
        active: Sequence[bool] | NDArray[np.bool_],
        contract_id: Sequence[Any] | None = None,
    ) -> ContractSummary:
        """A summary somebody else has made, checked; raises InvalidHistory."""
        count = np.atleast_1d(np.asarray(renewals, dtype=np.float64))
        ids = range(len(count)) if contract_id is None else tuple(contract_id)
        wrong = ~(np.isfinite(count) & (count >= 0) & (count == np.floor(count)))
        if wrong.any():
            i = int(np.flatnonzero(wrong)[0])
            raise InvalidHistory(
                f"contract {ids[i]!r} needs a whole number of renewals of 0 or more, got {count[i]:g}"
            )
        return cls(ids, count, np.atleast_1d(np.asarray(active, dtype=bool)))

    @classmethod
    def of_cohort(cls, survivors: Sequence[int]) -> ContractSummary:
        """A cohort that started together: how many had a contract in each period, the first one included."""
        counts = np.asarray(survivors, dtype=np.int64)
        if len(counts) < 1 or (counts < 0).any() or (np.diff(counts) > 0).any():
            raise InvalidHistory(f"survivors of a cohort never become more; got {list(survivors)}")
        left = -np.diff(counts)
        ended = np.repeat(np.arange(len(left)), left)
        running = np.full(int(counts[-1]), len(counts) - 1)
        return cls.of(np.concatenate([ended, running]), np.arange(int(counts[0])) >= len(ended))


def summarise_contracts(contracts: Iterable[YearlyContract], *, observed_until: date) -> ContractSummary:
    """Yearly contracts as seen at the end of the day ``observed_until``; those that start later are left out.

    A contract renews on every anniversary of its start that it lives to see. One that was ended runs until
    ``ends_on`` and counts as not renewed then, wherever in the year that day lies.
    """
    ids, renewals, active = [], [], []
    for contract in contracts:
        if contract.started_on > observed_until:
            continue
        ended = contract.ends_on is not None and contract.ends_on <= observed_until
        # A contract that ends on an anniversary was not renewed on it.
        last = contract.ends_on if ended and contract.ends_on is not None else observed_until
        ids.append(contract.contract_id)
        renewals.append(max(_anniversaries(contract.started_on, last, included=not ended), 0))
        active.append(not ended)
    return ContractSummary.of(renewals, active, ids)


def _anniversaries(start: date, end: date, included: bool) -> int:
    """Anniversaries of ``start`` until ``end``; one of 29 February falls on 1 March."""
    reached = (end.month, end.day) >= (start.month, start.day)
    on_it = (end.month, end.day) == (start.month, start.day)
    return end.year - start.year - (0 if reached and (included or not on_it) else 1)
