"""The reads behind the workspace: joins over topics that no single topic's repository owns."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, case, exists, func, or_, select

from crmcore.conversations import Conversation
from crmcore.escalation import Callback
from crmcore.store.customers import shown_name
from crmcore.store.schema import (
    callbacks,
    complaints,
    consents,
    contacts,
    contracts,
    conversations,
    current_values,
    customers,
    decisions,
    escalations,
    messages,
    needs,
    offers,
    orders,
    staff,
    value_snapshots,
)
from crmcore.store.value import current_snapshot
from crmcore.workspace import (
    CardComplaint,
    CardConsent,
    CardContact,
    CardContract,
    CardNeed,
    CardOrder,
    KnownCustomer,
    OpenConversation,
    OwedCallback,
)

RECENT_ORDERS = 5


class WorkspaceReads:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def led_by(self, staff_id: str) -> tuple[OpenConversation, ...]:
        """The conversations of one account manager, the latest message first."""
        return self._lines(_lines().where(conversations.c.owner_id == staff_id))

    def has_joined(self, conversation_id: str) -> bool:
        """Whether the customer was told that the present owner is here."""
        query = select(_joined()).select_from(conversations)
        found = self._connection.execute(query.where(conversations.c.conversation_id == conversation_id))
        return bool(found.scalar_one_or_none())

    def open_since(self, moment: datetime, limit: int) -> tuple[OpenConversation, ...]:
        """Every conversation that somebody owns and in which something was said lately."""
        query = _lines().where(conversations.c.owner_kind != "nobody")
        return self._lines(query.where(conversations.c.last_message_at > moment).limit(limit))

    def owed_callbacks(self) -> tuple[OwedCallback, ...]:
        """Promises not yet kept, the most urgent first. The name is shown only of a verified customer."""
        query = (
            select(callbacks, _name_if_verified().label("customer_name"))
            .join(conversations, conversations.c.conversation_id == callbacks.c.conversation_id)
            .outerjoin(customers, customers.c.customer_id == conversations.c.customer_id)
            .where(callbacks.c.status != "kept")
            .order_by(callbacks.c.promised_by)
        )
        found = []
        for row in self._connection.execute(query).mappings():
            values = dict(row)
            name = values.pop("customer_name")
            found.append(OwedCallback(Callback(**values), name))
        return tuple(found)

    def callbacks_of(self, conversation_id: str) -> tuple[Callback, ...]:
        query = select(callbacks).where(callbacks.c.conversation_id == conversation_id)
        rows = self._connection.execute(query.order_by(callbacks.c.created_at.desc())).mappings()
        return tuple(Callback(**row) for row in rows)

    def customer(self, customer_id: str) -> KnownCustomer | None:
        query = (
            select(customers, shown_name().label("shown_name"), staff.c.name.label("manager"))
            .outerjoin(staff, staff.c.staff_id == customers.c.account_manager_id)
            .where(customers.c.customer_id == customer_id)
        )
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        return KnownCustomer(
            customer_id=customer_id,
            name=row.shown_name,
            language=row.language,
            since=min(row.created_at, self._first_order(customer_id) or row.created_at),
            account_manager=row.manager,
            contacts=self._contacts(customer_id),
            orders=self._orders(customer_id),
            order_count=self._count_orders(customer_id),
            contracts=self._contracts(customer_id),
            consents=self._consents(customer_id),
        )

    def needs(self, conversation: Conversation) -> tuple[CardNeed, ...]:
        """Of the verified customer; else only what was stated in this conversation. The latest first."""
        columns = [needs.c[name] for name in CardNeed.__dataclass_fields__]
        query = select(*columns).where(_of(needs, conversation)).order_by(needs.c.stated_at.desc())
        return tuple(CardNeed(**row) for row in self._connection.execute(query).mappings())

    def complaints(self, conversation: Conversation) -> tuple[CardComplaint, ...]:
        query = (
            select(*[complaints.c[name] for name in CardComplaint.__dataclass_fields__])
            .where(_of(complaints, conversation), complaints.c.status == "open")
            .order_by(complaints.c.opened_at.desc())
        )
        return tuple(CardComplaint(**row) for row in self._connection.execute(query).mappings())

    def handover(self, conversation_id: str) -> tuple[str, str, tuple[str, ...], datetime] | None:
        """Reason, summary, reasons of the recorded decision, and time of the latest hand-over."""
        query = (
            select(
                escalations.c.reason, escalations.c.summary, decisions.c.reasons, escalations.c.requested_at
            )
            .outerjoin(decisions, decisions.c.decision_id == escalations.c.decision_id)
            .where(escalations.c.conversation_id == conversation_id)
            .order_by(escalations.c.requested_at.desc(), escalations.c.escalation_id)
            .limit(1)
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else (row.reason, row.summary, _texts(row.reasons), row.requested_at)

    def offers(self, conversation_id: str) -> tuple[tuple[str, str], ...]:
        query = select(offers.c.offer, offers.c.status).where(offers.c.conversation_id == conversation_id)
        rows = self._connection.execute(query.order_by(offers.c.shown_at))
        return tuple((row.offer, row.status) for row in rows)

    def _contacts(self, customer_id: str) -> tuple[CardContact, ...]:
        query = select(contacts.c.kind, contacts.c.value).where(
            contacts.c.customer_id == customer_id, contacts.c.current.is_(True)
        )
        return tuple(CardContact(*row) for row in self._connection.execute(query.order_by(contacts.c.kind)))

    def _orders(self, customer_id: str) -> tuple[CardOrder, ...]:
        query = (
            select(*[orders.c[name] for name in CardOrder.__dataclass_fields__])
            .where(orders.c.customer_id == customer_id)
            .order_by(orders.c.ordered_at.desc())
            .limit(RECENT_ORDERS)
        )
        rows = self._connection.execute(query).mappings()
        return tuple(CardOrder(**{**row, "items": tuple(row["items"])}) for row in rows)

    def _first_order(self, customer_id: str) -> datetime | None:
        query = select(func.min(orders.c.ordered_at)).where(orders.c.customer_id == customer_id)
        found: datetime | None = self._connection.execute(query).scalar_one()
        return found

    def _count_orders(self, customer_id: str) -> int:
        query = select(func.count()).select_from(orders).where(orders.c.customer_id == customer_id)
        return int(self._connection.execute(query).scalar_one())

    def _contracts(self, customer_id: str) -> tuple[CardContract, ...]:
        query = (
            select(*[contracts.c[name] for name in CardContract.__dataclass_fields__])
            .where(contracts.c.customer_id == customer_id)
            .order_by(contracts.c.started_on.desc())
        )
        return tuple(CardContract(**row) for row in self._connection.execute(query).mappings())

    def _consents(self, customer_id: str) -> tuple[CardConsent, ...]:
        query = (
            select(*[consents.c[name] for name in CardConsent.__dataclass_fields__])
            .where(consents.c.customer_id == customer_id)
            .order_by(consents.c.purpose)
        )
        return tuple(CardConsent(**row) for row in self._connection.execute(query).mappings())

    def _lines(self, query: Select[Any]) -> tuple[OpenConversation, ...]:
        query = query.order_by(conversations.c.last_message_at.desc(), conversations.c.conversation_id)
        rows = self._connection.execute(query).mappings()
        texts = ("last_text", "customer_text")
        return tuple(OpenConversation(**{**row, **{name: row[name] or "" for name in texts}}) for row in rows)


def _lines() -> Select[Any]:
    """One row a conversation, with its owner's name and the last thing that somebody said."""
    last = (
        select(messages.c.conversation_id, func.max(messages.c.seq).label("seq"))
        .where(messages.c.kind == "text")
        .group_by(messages.c.conversation_id)
        .subquery()
    )
    verified = conversations.c.verified_at.is_not(None)
    return (
        select(
            conversations.c.conversation_id,
            _name_if_verified().label("customer_name"),
            case((verified, value_snapshots.c.tier)).label("tier"),
            conversations.c.owner_kind,
            conversations.c.owner_id,
            staff.c.name.label("owner_name"),
            _joined().label("joined"),
            conversations.c.mood,
            conversations.c.open_case,
            messages.c.sender.label("last_sender"),
            messages.c.text.label("last_text"),
            _said_by_customer().label("customer_text"),
            conversations.c.last_message_at,
        )
        .select_from(conversations)
        .outerjoin(customers, customers.c.customer_id == conversations.c.customer_id)
        .outerjoin(staff, staff.c.staff_id == conversations.c.owner_id)
        .outerjoin(current_values, current_values.c.customer_id == conversations.c.customer_id)
        .outerjoin(value_snapshots, current_snapshot())
        .outerjoin(last, last.c.conversation_id == conversations.c.conversation_id)
        .outerjoin(
            messages,
            and_(messages.c.conversation_id == last.c.conversation_id, messages.c.seq == last.c.seq),
        )
    )


def _joined() -> Any:
    """Whether the present owner's arrival has been marked; each owner has an epoch of his own."""
    marks = messages.alias()
    return exists().where(
        marks.c.conversation_id == conversations.c.conversation_id,
        marks.c.kind == "mark:joined",
        marks.c.epoch == conversations.c.epoch,
    )


def _said_by_customer() -> Any:
    said = messages.alias()
    return (
        select(said.c.text)
        .where(said.c.conversation_id == conversations.c.conversation_id)
        .where(said.c.sender == "customer", said.c.kind == "text")
        .order_by(said.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )


def _name_if_verified() -> Any:
    return case((conversations.c.verified_at.is_not(None), shown_name()))


def _of(table: Any, conversation: Conversation) -> Any:
    """Rows of this conversation, and of the customer too once he has proved to be him."""
    here = table.c.conversation_id == conversation.conversation_id
    if conversation.verified_at is None or conversation.customer_id is None:
        return here
    return or_(here, table.c.customer_id == conversation.customer_id)


def _texts(reasons: object) -> tuple[str, ...]:
    return tuple(str(reason) for reason in reasons) if isinstance(reasons, list) else ()
