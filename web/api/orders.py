"""Orders, in and out."""

from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import Field

from crmcore.crm import Crm
from crmcore.intake import MOST_ORDERS, OrderChange
from crmcore.money import amount_text
from crmcore.orders import Item, Order, OrderStatus
from crmcore.usecases import intake, listings
from web.api.amounts import minor
from web.api.fields import Amount, Answer, Body, Currency, Day, Id, Line, Moment, Quantity
from web.api.idempotency import IdempotencyKey, claim_of
from web.api.pages import USUAL, After, Limit, Listed, listed, window
from web.api.route import crm_of, documented, keyed_router

router = keyed_router("orders")

OrderId = Annotated[Id, Path(description="The shop's own number of the order.")]
Tracking = Annotated[Line, Field(min_length=1, max_length=64)]


class ItemIn(Body):
    product: Annotated[
        Line, Field(min_length=1, max_length=200, description="A product id of the catalogue, or a name.")
    ]
    quantity: Quantity = 1
    amount: Amount


class OrderIn(Body):
    """One order. Its facts do not change afterwards: what happens to it goes to PATCH and to returns."""

    order_id: Id
    customer_id: Id
    ordered_at: Moment
    amount: Amount
    currency: Currency
    margin: Annotated[
        Amount | None, Field(description="What is left of it; else the firm's usual share.")
    ] = None
    status: OrderStatus = "placed"
    expected_on: Day | None = None
    delivered_on: Day | None = None
    tracking: Tracking | None = None
    items: Annotated[tuple[ItemIn, ...], Field(max_length=100, strict=False)] = ()
    paid: bool = True

    model_config = Body.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "order_id": "A-1001",
                    "customer_id": "C-17",
                    "ordered_at": "2026-03-11T10:00:00+01:00",
                    "amount": "129.90",
                    "currency": "EUR",
                    "items": [{"product": "oak-shelf", "quantity": 2, "amount": "129.90"}],
                }
            ]
        }
    }


class OrdersIn(Body):
    """Some orders, all of them stored or none."""

    orders: Annotated[list[OrderIn], Field(min_length=1, max_length=MOST_ORDERS)]

    # An order of its own: who tries both examples does not send one id with two contents.
    model_config = Body.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "orders": [
                        {
                            "order_id": "A-1002",
                            "customer_id": "C-17",
                            "ordered_at": "2026-03-12T08:00:00+01:00",
                            "amount": "20.00",
                            "currency": "EUR",
                        }
                    ]
                }
            ]
        }
    }


class OrderPatch(Body):
    """What happened to an order. The same again changes nothing."""

    status: OrderStatus
    tracking: Tracking | None = None
    expected_on: Day | None = None
    delivered_on: Annotated[Day | None, Field(description="Today, when a delivery names none.")] = None
    paid: bool | None = None


class ItemOut(Answer):
    product: str
    quantity: int
    amount: str


class OrderOut(Answer):
    order_id: str
    customer_id: str
    ordered_at: Moment
    amount: str
    currency: str
    margin: str | None
    status: OrderStatus
    expected_on: Day | None
    delivered_on: Day | None
    tracking: str | None
    items: list[ItemOut]
    paid: bool


class OrdersOut(Answer):
    """In the order of the request."""

    orders: list[OrderOut]


_UNKNOWN_CUSTOMER = {404: ("There is no such customer; send him first", "unknown_customer")}
_UNKNOWN_ORDER = {404: ("There is no such order", "unknown_order")}
_CONFLICT = {
    409: (
        "It is on record with other facts, the idempotency key came with another body, or the moment lies in "
        "the future or before 1970",
        "order_differs",
    )
}
_STATUS_CONFLICT = {409: ("It cannot go from its status to this one", "illegal_status")}


@router.post(
    "/orders",
    status_code=201,
    response_model=OrderOut,
    summary="Tell of an order",
    **documented(
        "recordOrder", "orders:write", body=True, refusals=_UNKNOWN_CUSTOMER | _CONFLICT, other=OrderOut
    ),
)
def record_order(
    request: Request, response: Response, body: OrderIn, idempotency_key: IdempotencyKey = None
) -> OrderOut:
    """201 when it was stored, 200 when the same order was on record; the customer's value follows at once."""
    crm = crm_of(request)
    claim = claim_of(request, idempotency_key, body)
    [recorded] = intake.record_orders(crm, [_order(crm, body)], claim)
    if not recorded.is_new:
        response.status_code = 200
    return _shown_order(recorded.record)


@router.post(
    "/order-batches",
    response_model=OrdersOut,
    summary="Tell of several orders",
    **documented("recordOrders", "orders:write", body=True, refusals=_UNKNOWN_CUSTOMER | _CONFLICT),
)
def record_orders(request: Request, body: OrdersIn, idempotency_key: IdempotencyKey = None) -> OrdersOut:
    """All of them are stored, or none; those on record already change nothing."""
    crm = crm_of(request)
    claim = claim_of(request, idempotency_key, body)
    recorded = intake.record_orders(crm, [_order(crm, order) for order in body.orders], claim)
    return OrdersOut(orders=[_shown_order(one.record) for one in recorded])


@router.get(
    "/orders",
    response_model=Listed[OrderOut],
    summary="List orders",
    **documented("listOrders", "orders:read"),
)
def list_orders(
    request: Request,
    limit: Limit = USUAL,
    cursor: After = None,
    customer_id: Annotated[Id | None, Query()] = None,
    status: Annotated[OrderStatus | None, Query()] = None,
) -> Listed[OrderOut]:
    page = listings.orders(crm_of(request), window(limit, cursor), customer_id, status)
    return listed(page, _shown_order)


@router.get(
    "/orders/{order_id}",
    response_model=OrderOut,
    summary="Read an order",
    **documented("readOrder", "orders:read", refusals=_UNKNOWN_ORDER),
)
def read_order(request: Request, order_id: OrderId) -> OrderOut:
    return _shown_order(listings.order(crm_of(request), order_id))


@router.patch(
    "/orders/{order_id}",
    response_model=OrderOut,
    summary="Tell what happened to an order",
    **documented("changeOrder", "orders:write", body=True, refusals=_UNKNOWN_ORDER | _STATUS_CONFLICT),
)
def change_order(request: Request, order_id: OrderId, body: OrderPatch) -> OrderOut:
    """`placed` becomes `shipped`, `delivered` or `cancelled`; `shipped` the latter two."""
    change = OrderChange(
        status=body.status,
        tracking=body.tracking,
        expected_on=body.expected_on,
        delivered_on=body.delivered_on,
        paid=body.paid,
    )
    return _shown_order(intake.change_order(crm_of(request), order_id, change))


def _order(crm: Crm, body: OrderIn) -> Order:
    return Order(
        order_id=body.order_id,
        customer_id=body.customer_id,
        ordered_at=body.ordered_at,
        amount_minor=minor(crm, body.amount, body.currency),
        margin_minor=None if body.margin is None else minor(crm, body.margin, body.currency),
        currency=body.currency,
        status=body.status,
        expected_on=body.expected_on,
        delivered_on=body.delivered_on,
        tracking=body.tracking,
        items=tuple(
            Item(item.product, item.quantity, minor(crm, item.amount, body.currency)) for item in body.items
        ),
        paid=body.paid,
    )


def _shown_order(order: Order) -> OrderOut:
    return OrderOut(
        order_id=order.order_id,
        customer_id=order.customer_id,
        ordered_at=order.ordered_at,
        amount=amount_text(order.amount_minor, order.currency),
        currency=order.currency,
        margin=None if order.margin_minor is None else amount_text(order.margin_minor, order.currency),
        status=order.status,
        expected_on=order.expected_on,
        delivered_on=order.delivered_on,
        tracking=order.tracking,
        items=[
            ItemOut(
                product=i.product, quantity=i.quantity, amount=amount_text(i.amount_minor, order.currency)
            )
            for i in order.items
        ],
        paid=order.paid,
    )
