"""Where the whole firm stands, so that one customer can be compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from crmcore.value.clv import CustomerValues
from crmcore.value.loyalty import LoyaltyBorders, loyalty_borders
from crmcore.value.peers import Peers, find_peers
from crmcore.value.summary import PurchaseSummary


@dataclass(frozen=True)
class Benchmarks:
    peers: Peers
    loyalty: LoyaltyBorders

    def to_json(self) -> dict[str, Any]:
        return {"peers": self.peers.to_json(), "loyalty": asdict(self.loyalty)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Benchmarks:
        return cls(Peers.from_json(stored["peers"]), LoyaltyBorders(**stored["loyalty"]))


def find_benchmarks(summary: PurchaseSummary, values: CustomerValues) -> Benchmarks:
    return Benchmarks(find_peers(summary, values.clv), loyalty_borders(values.clv, values.expected_purchases))
