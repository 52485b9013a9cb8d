"""Where the whole firm stands, so that one customer can be compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.value.loyalty import LoyaltyBorders, loyalty_borders
from crmcore.value.peers import Peers, find_peers

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Benchmarks:
    peers: Peers
    loyalty: LoyaltyBorders

    def to_json(self) -> dict[str, Any]:
        return {"peers": self.peers.to_json(), "loyalty": asdict(self.loyalty)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Benchmarks:
        return cls(Peers.from_json(stored["peers"]), LoyaltyBorders(**stored["loyalty"]))


def find_benchmarks(
    T: FloatArray, purchase_size: FloatArray, clv: FloatArray, expected_purchases: FloatArray
) -> Benchmarks:
    """From all customers of a firm, each shape (n,); see :func:`~crmcore.value.peers.find_peers`."""
    return Benchmarks(find_peers(T, purchase_size, clv), loyalty_borders(clv, expected_purchases))
