"""Orders, returns, contracts, and what the firm's policy allows with them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import Any, Literal

from crmcore.errors import CrmError

OrderStatus = Literal["placed", "shipped", "delivered", "cancelled"]
_PLACES = ("first", "second", "third", "fourth", "fifth")

ReturnStatus = Literal["requested", "received", "refunded", "refused"]


@dataclass(frozen=True)
class Item:
    product: str  # A catalogue id, or a name when the firm sells it no longer.
    quantity: int
    amount_minor: int


@dataclass(frozen=True)
class Order:
    """One row of ``orders``; amounts in minor units of ``currency``."""

    order_id: str
    customer_id: str
    ordered_at: datetime
    amount_minor: int
    margin_minor: int | None
    currency: str
    status: OrderStatus
    expected_on: date | None
    delivered_on: date | None
    tracking: str | None
    items: tuple[Item, ...]
    paid: bool

    @property
    def is_open(self) -> bool:
        return self.status in ("placed", "shipped")

    def is_late(self, today: date) -> bool:
        """Promised for a day that is over, and not delivered."""
        return self.is_open and self.expected_on is not None and self.expected_on < today


@dataclass(frozen=True)
class Return:
    """One row of ``returns``."""

    return_id: str
    order_id: str | None  # None: an imported credit that does not say what came back.
    customer_id: str
    requested_at: datetime
    reason: str
    amount_minor: int
    margin_minor: int | None
    currency: str
    status: ReturnStatus
    source_key: str | None


@dataclass(frozen=True)
class Contract:
    """One row of ``contracts``, such as a membership."""

    contract_id: str
    customer_id: str
    product: str
    started_on: date
    renews_on: date | None
    fee_minor: int
    currency: str
    cancelled_at: datetime | None = None
    ends_on: date | None = None
    cancel_reason: str | None = None
    source_key: str | None = None


@dataclass(frozen=True)
class Bill:
    """What a customer was charged, is still owed or owes, newest first."""

    orders: tuple[Order, ...]
    returns: tuple[Return, ...]
    contracts: tuple[Contract, ...]
    open_minor: int
    currency: str


class UnknownOrder(CrmError):
    """The customer has no such order; somebody else's order looks the same as none."""

    def __init__(self, order_id: str) -> None:
        super().__init__(f"there is no such order: {order_id!r}")


class CannotReturn(CrmError):
    """``why`` not_yet: it has not arrived; too_late: the days of the policy are over; cancelled."""

    def __init__(self, order: Order, why: Literal["not_yet", "too_late", "cancelled"], days: int) -> None:
        super().__init__(
            f"order {order.order_id} cannot go back ({why}); returns are open {days} days after delivery"
        )
        self.order = order
        self.why = why
        self.days = days


class CannotCancel(CrmError):
    """The order has left the house, or is cancelled already."""

    def __init__(self, order: Order) -> None:
        super().__init__(
            f"order {order.order_id} is {order.status}; only an order that is being packed can be cancelled"
        )
        self.order = order


def check_return(order: Order, today: date, days: int) -> None:
    """Let an order go back within ``days`` days after its delivery (the last day included).

    An order marked delivered without a day counts from its promised day, else from the order's.

    Raises
    ------
    CannotReturn : with the reason.
    """
    if order.status == "cancelled":
        raise CannotReturn(order, "cancelled", days)
    if order.status != "delivered":
        raise CannotReturn(order, "not_yet", days)
    if today > arrived_on(order) + timedelta(days=days):
        raise CannotReturn(order, "too_late", days)


def may_return(order: Order, today: date, days: int) -> bool:
    """Whether :func:`check_return` lets the order go back."""
    try:
        check_return(order, today, days)
    except CannotReturn:
        return False
    return True


def arrived_on(order: Order) -> date:
    """The day that return days count from."""
    return order.delivered_on or order.expected_on or order.ordered_at.date()


def check_cancel(order: Order) -> None:
    """Raises :class:`CannotCancel` unless the order is still being packed."""
    if order.status != "placed":
        raise CannotCancel(order)


def choose(orders: Sequence[Order], words: str, names: dict[str, str]) -> Order | None:
    """The order that a customer means among those he was shown, or None when that is not clear.

    ``words`` is what he wrote: an order number, a place in the list ("the second one", "the last"), or
    words of an article; ``names`` maps product ids to their names.
    """
    text = words.lower()
    for order in orders:
        if order.order_id.lower() in text.replace(" ", "-") or order.order_id.lower() in text:
            return order
    alike = [get_close_matches(word, _PLACES, 1, 0.8) for word in re.findall(r"[a-z]{4,}", text)]
    by_place = [_PLACES.index(found[0]) for found in alike if found]
    if "last" in text or "latest" in text or "newest" in text or "most recent" in text:
        return max(orders, key=lambda o: o.ordered_at, default=None)
    if by_place and by_place[0] < len(orders):
        return orders[by_place[0]]
    wanted = set(re.findall(r"[a-z]{4,}", text))
    fitting = [o for o in orders if wanted & _words_of(o, names)]
    return fitting[0] if len(fitting) == 1 else None


def _words_of(order: Order, names: dict[str, str]) -> set[str]:
    text = " ".join(names.get(item.product, item.product) for item in order.items)
    return set(re.findall(r"[a-z]{4,}", text.lower()))


def last_day(contract: Contract, today: date, notice_days: int) -> date:
    """When a contract that is cancelled today ends: the next renewal, but not before the notice is over."""
    earliest = today + timedelta(days=notice_days)
    return max(contract.renews_on, earliest) if contract.renews_on else earliest


def bill(
    orders: Sequence[Order],
    returns: Sequence[Return],
    contracts: Sequence[Contract],
    currency: str,
    newest: int = 3,
) -> Bill:
    """The newest orders and every open one, returns still under way, and running contracts."""
    charged = [o for o in orders if o.status != "cancelled"]
    shown = [o for i, o in enumerate(charged) if i < newest or not o.paid]
    return Bill(
        orders=tuple(shown),
        returns=tuple(r for r in returns if r.status in ("requested", "received")),
        contracts=tuple(contracts),
        open_minor=sum(o.amount_minor for o in charged if not o.paid),
        currency=currency,
    )


def as_items(stored: Sequence[dict[str, Any]]) -> tuple[Item, ...]:
    """The items of an order from their stored JSON."""
    return tuple(
        Item(str(i["product"]), int(i.get("quantity", 1)), int(i.get("amount_minor", 0))) for i in stored
    )


def order_words(order: Order, today: date) -> str:
    """Which sentence tells the state of the order: the ending of a response's name."""
    if order.is_late(today):
        return "late"
    match order.status:
        case "placed":
            return "placed" if order.expected_on else "placed_no_date"
        case "shipped":
            return "shipped" if order.expected_on and order.tracking else "shipped_no_tracking"
        case "delivered":
            return "delivered" if order.delivered_on else "delivered_no_date"
    return "cancelled"
