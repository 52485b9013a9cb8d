"""The reads behind the marketer's console that weigh needs by the value of who has them."""

from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, func, select

from crmcore.console import CellWorth
from crmcore.needs.board import BoardFilter
from crmcore.store.needs import board_conditions
from crmcore.store.schema import current_values, needs, value_snapshots
from crmcore.store.value import current_snapshot


class ConsoleReads:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def worth(self, wanted: BoardFilter) -> tuple[CellWorth, ...]:
        """Value of the customers behind each cell; one who said it twice counts once."""
        people = _people(wanted, needs.c.category).subquery()
        query = (
            select(people.c.category, people.c.tier, *_sums(people))
            .group_by(people.c.category, people.c.tier)
            .order_by(people.c.category, people.c.tier)
        )
        return tuple(CellWorth(*row) for row in self._connection.execute(query))

    def total_worth(self, wanted: BoardFilter) -> tuple[int, int, int]:
        """Customers, their value and their potential over all cells, each customer once."""
        people = _people(wanted).subquery()
        customers, clv, potential = self._connection.execute(select(*_sums(people))).one()
        return int(customers), int(clv), int(potential)

    def value_as_of(self) -> date | None:
        """The oldest day until which a current value was observed."""
        query = select(func.min(value_snapshots.c.observed_until)).join(current_values, current_snapshot())
        found: date | None = self._connection.execute(query).scalar_one()
        return found

    def state(self) -> str:
        """A text that differs whenever a need was added or changed."""
        query = select(func.count(), func.max(needs.c.updated_at)).select_from(needs)
        count, updated_at = self._connection.execute(query).one()
        return f"{count}@{updated_at.isoformat() if updated_at else 'never'}"


def _people(wanted: BoardFilter, *by: Any) -> Select[Any]:
    """Each known customer once (in each group of ``by``) with his value; unknown visitors have none."""
    tier = func.coalesce(value_snapshots.c.tier, "unknown")
    return (
        select(
            *by,
            tier.label("tier"),
            needs.c.customer_id,
            value_snapshots.c.clv_minor,
            value_snapshots.c.potential_minor,
        )
        .distinct()
        .select_from(needs)
        .outerjoin(current_values, current_values.c.customer_id == needs.c.customer_id)
        .outerjoin(value_snapshots, current_snapshot())
        .where(needs.c.customer_id.is_not(None), *board_conditions(wanted, tier))
    )


def _sums(people: Any) -> tuple[Any, Any, Any]:
    return (
        func.count(),
        func.coalesce(func.sum(people.c.clv_minor), 0),
        func.coalesce(func.sum(people.c.potential_minor), 0),
    )
