"""A firm whose log has everything that scoring reads, as rows and as the tables of an engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from crmcore.tiers import Tier, TierPolicy
from crmcore.value.bgnbd import BGNBD
from crmcore.value.books import Books, read_books
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.model import ValueTerms
from crmcore.value.relational.batch import Engine
from crmcore.value.relational.logs import COSTS, KNOWN, MONEY, STANDING, Calendar, Log
from crmcore.value.simulate import simulate_orders
from crmcore.value.snapshots import MoneyRow, NeedBudget

ZONE = ZoneInfo("Europe/Dublin")
UNTIL = date(2026, 6, 30)
TERMS = ValueTerms(margin=0.37, discount_rate=0.1, horizon_days=365)
POLICY = TierPolicy()
BUYING = BGNBD.of(r=0.9, alpha=70.0, a=0.8, b=3.0)
SPENDING = GammaGamma.of(p=5.0, q=4.0, v=60.0)


@dataclass
class Firm:
    orders: list[MoneyRow] = field(default_factory=list)
    returns: list[MoneyRow] = field(default_factory=list)
    costs: list[MoneyRow] = field(default_factory=list)
    needs: list[NeedBudget] = field(default_factory=list)
    answers: dict[str, dict[str, str]] = field(default_factory=dict)
    previous: dict[str, Tier] = field(default_factory=dict)

    def books(self) -> Books:
        return read_books(
            self.orders, self.returns, self.costs, self.needs, self.answers,
            observed_until=UNTIL, zone=ZONE, currency="EUR", margin=TERMS.margin,
        )  # fmt: skip

    def calendar(self) -> Calendar:
        return Calendar.of(UNTIL, ZONE, min(_second(row) for row in self.orders))

    def log(self, engine: Engine) -> Log:
        """The same rows as tables."""
        needs = {c: [0, 0] for c in {n.customer_id for n in self.needs} | self.answers.keys()}
        for need in self.needs:
            needs[need.customer_id][need.provenance != "declared"] += need.budget["min_minor"]
        known = [
            {
                "customer_id": customer_id,
                "declared_minor": declared,
                "estimated_minor": estimated,
                "comes_back": customer_id in self.answers,
            }
            for customer_id, (declared, estimated) in needs.items()
        ]
        return Log(
            engine.upload("orders", _money(self.orders)),
            engine.upload("returns", _money(self.returns)),
            engine.upload("costs", pa.Table.from_pylist(_money(self.costs).to_pylist(), COSTS)),
            engine.upload("known", pa.Table.from_pylist(known, KNOWN)),
            engine.upload(
                "standing", pa.table([list(self.previous), list(self.previous.values())], STANDING)
            ),
        )


def a_firm(customers: int = 400, seed: int = 5) -> Firm:
    """Orders at every hour of the day over three years, some sent back, some negative, some free; service
    costs, stated budgets, customers who are always a share, tiers of the night before."""
    rng = np.random.default_rng(seed)
    firm = Firm()
    for n, order in enumerate(
        simulate_orders(rng, customers, BUYING, SPENDING, UNTIL - timedelta(days=1100), UNTIL)
    ):
        customer_id = f"c{order.customer:05d}"
        at = datetime(order.day.year, order.day.month, order.day.day, tzinfo=ZONE)
        at = (at + timedelta(seconds=float(rng.uniform(0, 86_400)))).astimezone(UTC)
        amount = int(order.amount * 100)
        if n % 97 == 0:
            amount = -amount
        elif n % 89 == 0:
            amount = 0
        margin = None if order.customer % 3 else int(amount * rng.uniform(-0.1, 0.6))
        firm.orders.append(MoneyRow(f"o{n}", customer_id, at, amount, "EUR", margin))
        if n % 11 == 0:
            back = None if margin is None else margin // 2
            row = MoneyRow(
                f"r{n}", customer_id, min(at + timedelta(days=9), _end()), abs(amount) // 2, "EUR", back
            )
            firm.returns.append(row)
        if order.customer % 4 == 0 and n % 2:
            firm.costs.append(MoneyRow(f"s{n}", customer_id, at, int(rng.integers(100, 3_000)), "EUR"))
    for i in range(0, customers, 9):  # Who costs more than he brings.
        for k in range(40):
            at = _end() - timedelta(days=k)
            firm.costs.append(MoneyRow(f"x{i}-{k}", f"c{i:05d}", at, 2_500, "EUR"))
    for i in range(0, customers, 7):
        provenance = "declared" if i % 2 else "inferred"
        budget = {"min_minor": 1_000 + 25 * i, "target_minor": None, "max_minor": None, "currency": "EUR"}
        firm.needs.append(NeedBudget(f"n{i}", f"c{i:05d}", provenance, budget))
    for i in range(0, customers, 13):
        firm.answers[f"c{i:05d}"] = {"switching": "easy", "commitment": "short", "share_with_us": "0.3"}
    for i in range(0, customers, 2):
        firm.previous[f"c{i:05d}"] = ("MVC", "MGC", "BZ", "core")[i // 2 % 4]  # type: ignore[assignment]
    return firm


def _end() -> datetime:
    return datetime(UNTIL.year, UNTIL.month, UNTIL.day, 12, tzinfo=UTC)


def _money(rows: list[MoneyRow]) -> pa.Table:
    plain: list[dict[str, Any]] = [
        {
            "customer_id": row.customer_id,
            "at": _second(row),
            "amount_minor": row.amount_minor,
            "margin_minor": row.margin_minor,
        }
        for row in rows
    ]
    return pa.Table.from_pylist(plain, MONEY)


def _second(row: MoneyRow) -> int:
    return int(row.at.timestamp() // 1)
