"""What a run values customers by, parsed once."""

from __future__ import annotations

from dataclasses import dataclass

from crmcore.store.transaction import Transaction
from crmcore.tiers import Borders, TierPolicy, read_borders
from crmcore.value.benchmarks import Benchmarks
from crmcore.value.model import ValueModel
from crmcore.value.peers import Peers
from crmcore.value.snapshots import ValueRun


@dataclass(frozen=True)
class Rules:
    """The parameters of ``run``, as the functions that value by them take them."""

    run: ValueRun
    model: ValueModel
    policy: TierPolicy
    borders: Borders
    peers: Peers

    @classmethod
    def of(cls, run: ValueRun) -> Rules:
        """Raises InvalidParameters for those of another version of the model."""
        return cls(
            run=run,
            model=ValueModel.from_parameters(run.parameters),
            policy=TierPolicy(**run.parameters["policy"]),
            borders=read_borders(run.parameters["borders"]),
            peers=Benchmarks.from_json(run.parameters["benchmarks"]).peers,
        )


_KNOWN: dict[str, Rules] = {}


def published_rules(tx: Transaction, run_id: str) -> Rules:
    """Those of a published run. It never changes, so a process reads and parses it once; the one before is
    forgotten. Which run is in force must be asked in every transaction."""
    found = _KNOWN.get(run_id)
    if found is None:
        found = Rules.of(tx.value.run(run_id))
        _KNOWN.clear()
        _KNOWN[run_id] = found
    return found
