"""Needs as customers stated them."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from crmcore.needs.board import BoardCell, BoardFilter, BoardRow, NeedsBoard
from crmcore.needs.values import Budget, Need, Probe, ReadNeed, Status, Timing
from crmcore.paging import Page, Window
from crmcore.store.paging import equals, page_of
from crmcore.store.schema import current_values, customers, needs, value_snapshots
from crmcore.store.value import current_snapshot

_AMOUNTS = ("min", "max", "target")


class Needs:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, need: Need) -> Need:
        """Keep a need; one with the same source key that is there already stays and is returned."""
        dialect = sqlite if self._connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(needs).values(_values(need))
        self._connection.execute(statement.on_conflict_do_nothing(index_elements=["source_key"]))
        return self._one(needs.c.source_key == need.source_key) or need

    def by_source(self, source_key: str) -> Need | None:
        return self._one(needs.c.source_key == source_key)

    def get(self, need_id: str) -> Need | None:
        return self._one(needs.c.need_id == need_id)

    def save(self, need: Need) -> None:
        """Write a need over its row."""
        self._connection.execute(update(needs).where(needs.c.need_id == need.need_id).values(_values(need)))

    def of_customer(self, customer_id: str, *statuses: Status) -> list[Need]:
        """The newest first; every status unless some are named."""
        query = select(needs).where(needs.c.customer_id == customer_id)
        return self._all(query, statuses)

    def of_conversation(self, conversation_id: str, *statuses: Status) -> list[Need]:
        query = select(needs).where(needs.c.conversation_id == conversation_id)
        return self._all(query, statuses)

    def listed(
        self,
        window: Window,
        customer_id: str | None,
        category: str | None,
        status: Status | None,
        updated_since: datetime | None,
    ) -> Page[Need]:
        """The oldest first."""
        columns = {needs.c.customer_id: customer_id, needs.c.category: category, needs.c.status: status}
        query = select(needs).where(*equals(columns))
        if updated_since is not None:
            query = query.where(needs.c.updated_at >= updated_since)
        return page_of(self._connection, query, needs.c.stated_at, needs.c.need_id, window, _need)

    def attach(self, conversation_id: str, customer_id: str) -> None:
        """What a visitor said before he was known is his now."""
        self._connection.execute(
            update(needs)
            .where(needs.c.conversation_id == conversation_id, needs.c.customer_id.is_(None))
            .values(customer_id=customer_id)
        )

    def board(self, wanted: BoardFilter) -> NeedsBoard:
        """Counts by category and tier with the newest verbatims of each, in one statement."""
        tier = func.coalesce(value_snapshots.c.tier, "unknown")
        cell = (needs.c.category, tier)
        chosen = (
            select(
                needs.c.need_id,
                needs.c.customer_id,
                customers.c.name.label("customer_name"),
                needs.c.conversation_id,
                needs.c.category,
                tier.label("tier"),
                needs.c.product,
                needs.c.verbatim,
                needs.c.status,
                needs.c.confidence,
                needs.c.stated_at,
                func.count().over(partition_by=cell).label("in_cell"),
                func.count().over().label("in_all"),
                func.row_number()
                .over(partition_by=cell, order_by=(needs.c.stated_at.desc(), needs.c.need_id))
                .label("place"),
            )
            .select_from(needs)
            .outerjoin(customers, customers.c.customer_id == needs.c.customer_id)
            .outerjoin(current_values, current_values.c.customer_id == needs.c.customer_id)
            .outerjoin(value_snapshots, current_snapshot())
            .where(*board_conditions(wanted, tier))
            .subquery()
        )
        query = select(chosen).where(chosen.c.place <= wanted.verbatims_per_cell)
        rows = self._connection.execute(query.order_by(chosen.c.stated_at.desc())).mappings().all()
        cells = {(r["category"], r["tier"]): r["in_cell"] for r in rows}
        return NeedsBoard(
            total=rows[0]["in_all"] if rows else 0,
            cells=tuple(BoardCell(c, t, n) for (c, t), n in sorted(cells.items())),
            rows=tuple(
                BoardRow(**{k: v for k, v in r.items() if k not in ("in_cell", "in_all", "place")})
                for r in rows
            ),
        )

    def _one(self, condition: Any) -> Need | None:
        row = self._connection.execute(select(needs).where(condition)).mappings().one_or_none()
        return None if row is None else _need(row)

    def _all(self, query: Any, statuses: tuple[Status, ...]) -> list[Need]:
        if statuses:
            query = query.where(needs.c.status.in_(statuses))
        rows = self._connection.execute(query.order_by(needs.c.stated_at.desc(), needs.c.need_id)).mappings()
        return [_need(row) for row in rows]


def board_conditions(wanted: BoardFilter, tier: Any) -> list[Any]:
    conditions = []
    if wanted.category:
        conditions.append(needs.c.category == wanted.category)
    if wanted.tier:
        conditions.append(tier == wanted.tier)
    if wanted.status:
        conditions.append(needs.c.status == wanted.status)
    if wanted.since:
        conditions.append(needs.c.stated_at >= wanted.since)
    if wanted.until:
        conditions.append(needs.c.stated_at < wanted.until)
    if wanted.text:
        conditions.append(
            or_(
                needs.c.verbatim.icontains(wanted.text, autoescape=True),
                needs.c.product.icontains(wanted.text, autoescape=True),
            )
        )
    return conditions


def _values(need: Need) -> dict[str, Any]:
    read = need.read
    return {
        "need_id": need.need_id,
        "customer_id": need.customer_id,
        "conversation_id": need.conversation_id,
        "source_key": need.source_key,
        "category": read.category,
        "product": read.product[:200] if read.product else None,
        "attributes": dict(read.attributes),
        "details": list(read.details),
        "budget": _budget_values(read.budget),
        "quantity": read.quantity,
        "timing": _timing_values(read.timing),
        "purpose": read.purpose[:200] if read.purpose else None,
        "location": list(read.location),
        "probes": [[probe.question, probe.message_id] for probe in need.probes],
        "verbatim": read.verbatim,
        "provenance": need.provenance,
        "confidence": read.confidence,
        "status": need.status,
        "stated_at": need.stated_at,
        "confirmed_at": need.confirmed_at,
        "updated_at": need.updated_at,
    }


def _need(row: RowMapping) -> Need:
    read = ReadNeed(
        verbatim=row["verbatim"],
        category=row["category"],
        confidence=row["confidence"],
        product=row["product"],
        attributes=row["attributes"],
        details=tuple(row["details"]),
        budget=_budget(row["budget"]),
        quantity=row["quantity"],
        timing=_timing(row["timing"]),
        purpose=row["purpose"],
        location=tuple(row["location"]),
    )
    plain = ("need_id", "customer_id", "conversation_id", "source_key", "provenance", "status")
    moments = ("stated_at", "confirmed_at", "updated_at")
    return Need(
        **{name: row[name] for name in (*plain, *moments)},
        read=read,
        probes=tuple(Probe(*p) for p in row["probes"]),
    )


def _budget_values(budget: Budget | None) -> dict[str, Any] | None:
    if budget is None:
        return None
    minor = {f"{name}_minor": _minor(getattr(budget, name)) for name in _AMOUNTS}
    return {**minor, "currency": budget.currency, "level": budget.level, "raw": budget.raw}


def _minor(amount: Decimal | None) -> int | None:
    return None if amount is None else int((amount * 100).to_integral_value())


def _budget(stored: Mapping[str, Any] | None) -> Budget | None:
    if stored is None:
        return None
    amounts = {name: stored.get(f"{name}_minor") for name in _AMOUNTS}
    major = {name: None if minor is None else Decimal(minor) / 100 for name, minor in amounts.items()}
    return Budget(stored["raw"], **major, currency=stored.get("currency"), level=stored.get("level"))


def _timing_values(timing: Timing | None) -> dict[str, Any] | None:
    if timing is None:
        return None
    return {
        "raw": timing.raw,
        "earliest": timing.earliest.isoformat() if timing.earliest else None,
        "latest": timing.latest.isoformat() if timing.latest else None,
        "parts": list(timing.parts),
    }


def _timing(stored: Mapping[str, Any] | None) -> Timing | None:
    if stored is None:
        return None
    days = {
        name: date.fromisoformat(stored[name]) if stored.get(name) else None
        for name in ("earliest", "latest")
    }
    return Timing(stored["raw"], **days, parts=tuple(stored.get("parts", ())))
