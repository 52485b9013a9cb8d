"""What other programs may tell about orders and returns, and what contradicts what is known.

Pure. Whatever is refused here is well formed, and conflicts with the records or with the calendar.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from crmcore.errors import CrmError
from crmcore.orders import Order, OrderStatus, Return, ReturnStatus

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(days=1)  # A shop's clock may be wrong, or its time zone forgotten, by less than that.
MOST_ORDERS = 50  # In one batch.

_NEXT_OF_ORDER: dict[OrderStatus, frozenset[OrderStatus]] = {
    "placed": frozenset({"shipped", "delivered", "cancelled"}),
    "shipped": frozenset({"delivered", "cancelled"}),  # Cancelled: it was lost, or came back unopened.
    "delivered": frozenset(),  # What was delivered can only be returned.
    "cancelled": frozenset(),
}
_NEXT_OF_RETURN: dict[ReturnStatus, frozenset[ReturnStatus]] = {
    "requested": frozenset({"received", "refunded", "refused"}),
    "received": frozenset({"refunded", "refused"}),
    "refunded": frozenset(),
    "refused": frozenset(),
}


class UnknownCustomer(CrmError):
    """Nobody has this id."""

    def __init__(self, customer_id: str) -> None:
        super().__init__(f"there is no customer {customer_id!r}; send PUT /api/v1/customers/<id> first")


class UnknownReturn(CrmError):
    def __init__(self, return_id: str) -> None:
        super().__init__(f"there is no return {return_id!r}")


class OrderDiffers(CrmError):
    """The order is on record with other facts; it is not overwritten."""

    def __init__(self, order_id: str, fields: Iterable[str]) -> None:
        super().__init__(
            f"order {order_id!r} is on record with another {', '.join(fields)}; an order's facts do not "
            "change, PATCH /api/v1/orders/<id> is for its status, POST /api/v1/returns for what comes back"
        )


class ReturnDiffers(CrmError):
    """The return is on record with other facts; it is not overwritten."""

    def __init__(self, return_id: str, fields: Iterable[str]) -> None:
        super().__init__(
            f"return {return_id!r} is on record with another {', '.join(fields)}; "
            "send PATCH /api/v1/returns/<id> for its status"
        )


class IllegalStatus(CrmError):
    """Nothing goes back from there to here."""

    def __init__(self, what: str, before: str, after: str) -> None:
        super().__init__(f"{what} is {before} and cannot become {after}")


class ReturnExceedsOrder(CrmError):
    """More would come back than was bought."""

    def __init__(self, order: Order, others_minor: int) -> None:
        super().__init__(
            f"the returns of order {order.order_id!r} would exceed its amount: it has "
            f"{order.amount_minor}, and {others_minor} comes back already (minor units of {order.currency})"
        )


class ReturnOfCancelled(CrmError):
    """A cancelled order was never delivered, so nothing of it comes back."""

    def __init__(self, order_id: str) -> None:
        super().__init__(f"order {order_id!r} was cancelled; nothing of it can come back")


class MomentOutOfRange(CrmError):
    """The moment cannot be true: it lies before 1970, or in the future."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} lies before 1970 or in the future; check the time zone of the clock")


@dataclass(frozen=True)
class OrderChange:
    """What the shop says about an order later; None leaves a field as it is."""

    status: OrderStatus
    tracking: str | None = None
    expected_on: date | None = None
    delivered_on: date | None = None
    paid: bool | None = None


def check_moment(field: str, moment: datetime, now: datetime) -> None:
    """Raises :class:`MomentOutOfRange`."""
    if not EARLIEST <= moment <= now + CLOCK_SKEW:
        raise MomentOutOfRange(field)


def check_same_order(stored: Order, sent: Order) -> None:
    """An order that is sent again says the same facts; what PATCH changes is not compared.

    Raises :class:`OrderDiffers`, which names the fields.
    """
    fields = ("customer_id", "ordered_at", "amount_minor", "margin_minor", "currency", "items")
    differing = [name for name in fields if getattr(stored, name) != getattr(sent, name)]
    if differing:
        raise OrderDiffers(sent.order_id, (name.removesuffix("_minor") for name in differing))


def check_same_return(stored: Return, sent: Return) -> None:
    """Raises :class:`ReturnDiffers`, which names the fields."""
    fields = ("order_id", "requested_at", "reason", "amount_minor", "margin_minor")
    differing = [name for name in fields if getattr(stored, name) != getattr(sent, name)]
    if differing:
        raise ReturnDiffers(sent.return_id, (name.removesuffix("_minor") for name in differing))


def changed(order: Order, change: OrderChange, today: date) -> Order:
    """The order after the change. The same status again is no error; a delivery without a day is of today.

    Raises :class:`IllegalStatus`.
    """
    if change.status != order.status and change.status not in _NEXT_OF_ORDER[order.status]:
        raise IllegalStatus(f"order {order.order_id!r}", order.status, change.status)
    delivered_on = change.delivered_on or order.delivered_on
    if change.status == "delivered" and delivered_on is None:
        delivered_on = today
    return replace(
        order,
        status=change.status,
        tracking=order.tracking if change.tracking is None else change.tracking,
        expected_on=change.expected_on or order.expected_on,
        delivered_on=delivered_on,
        paid=order.paid if change.paid is None else change.paid,
    )


def check_return_status(stored: Return, status: ReturnStatus) -> None:
    """Raises :class:`IllegalStatus`; the same status again is no error."""
    if status != stored.status and status not in _NEXT_OF_RETURN[stored.status]:
        raise IllegalStatus(f"return {stored.return_id!r}", stored.status, status)


def check_return_fits(order: Order, amount_minor: int, others: Iterable[Return]) -> None:
    """What comes back of an order is at most what was bought; refused returns do not count.

    Raises :class:`ReturnExceedsOrder`, :class:`ReturnOfCancelled`.
    """
    if order.status == "cancelled":
        raise ReturnOfCancelled(order.order_id)
    others_minor = sum(other.amount_minor for other in others if other.status != "refused")
    if others_minor + amount_minor > order.amount_minor:
        raise ReturnExceedsOrder(order, others_minor)


def returned_margin(order: Order, amount_minor: int) -> int | None:
    """The order's margin in the part that comes back, half to even; None: the firm's usual margin applies.

    >>> from crmcore.orders import Order
    >>> from datetime import datetime
    >>> o = Order("A", "c", datetime.now(), 10_000, 2_500, "EUR", "delivered", None, None, None, (), True)
    >>> returned_margin(o, 4_000)
    1000
    """
    if order.margin_minor is None or order.amount_minor == 0:
        return order.margin_minor
    share = Decimal(order.margin_minor) * amount_minor / order.amount_minor
    return int(share.to_integral_value(ROUND_HALF_EVEN))
