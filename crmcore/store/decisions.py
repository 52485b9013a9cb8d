"""Decisions with their reasons and inputs, as they were made."""

from collections.abc import Sequence

from sqlalchemy import Connection, and_, exists, insert, not_, select

from crmcore.decisions import Decision, DecisionKind
from crmcore.store.schema import decisions, value_runs

# A scoring writes tiers part by part before it publishes them together. Until then, and for good when it is
# ended before, nobody has been given these tiers, so nobody reads them.
_TAKEN = not_(
    and_(
        decisions.c.kind == "tier",
        exists().where(
            value_runs.c.run_id == decisions.c.inputs["run_id"].as_string(), ~value_runs.c.finished
        ),
    )
)

_ADD = insert(decisions)  # Built once: an order may wait for it.


class Decisions:
    """Whoever reads sees decisions that were taken: those of an unfinished scoring are hidden."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, decision: Decision) -> None:
        values = {**vars(decision), "reasons": list(decision.reasons), "inputs": dict(decision.inputs)}
        self._connection.execute(_ADD, values)

    def add_all(self, new: Sequence[Decision]) -> None:
        """Many at once: a scoring decides every customer's tier."""
        rows = [{**vars(d), "reasons": list(d.reasons), "inputs": dict(d.inputs)} for d in new]
        if rows:
            self._connection.execute(_ADD, rows)

    def get(self, decision_id: str) -> Decision | None:
        query = select(decisions).where(decisions.c.decision_id == decision_id, _TAKEN)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else Decision(**{**row, "reasons": tuple(row["reasons"])})

    def of_customer(self, customer_id: str, kind: DecisionKind | None = None) -> list[Decision]:
        """The newest first."""
        query = select(decisions).where(decisions.c.customer_id == customer_id, _TAKEN)
        if kind is not None:
            query = query.where(decisions.c.kind == kind)
        rows = self._connection.execute(query.order_by(decisions.c.decided_at.desc())).mappings()
        return [Decision(**{**row, "reasons": tuple(row["reasons"])}) for row in rows]

    def page(self, after: str, limit: int, kind: DecisionKind | None = None) -> list[Decision]:
        """Decisions in the order of their ids, those after ``after``."""
        query = select(decisions).where(decisions.c.decision_id > after, _TAKEN)
        if kind is not None:
            query = query.where(decisions.c.kind == kind)
        rows = self._connection.execute(query.order_by(decisions.c.decision_id).limit(limit)).mappings()
        return [Decision(**{**row, "reasons": tuple(row["reasons"])}) for row in rows]
