"""Returns, in and out."""

from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import Field

from crmcore.money import amount_text
from crmcore.orders import Return, ReturnStatus
from crmcore.usecases import intake, listings
from web.api.amounts import minor
from web.api.fields import Amount, Answer, Body, Currency, Id, Line, Moment
from web.api.idempotency import IdempotencyKey, claim_of
from web.api.pages import USUAL, After, Limit, Listed, listed, window
from web.api.route import crm_of, documented, keyed_router

router = keyed_router("returns")

ReturnId = Annotated[Id, Path(description="The number of the return.")]


class ReturnIn(Body):
    """What comes back of an order. It lowers the margin and is never a purchase."""

    return_id: Id
    order_id: Id
    requested_at: Moment
    amount: Amount
    currency: Currency
    margin: Annotated[Amount | None, Field(description="Else the order's own, in part.")] = None
    reason: Annotated[Line, Field(max_length=400)] = ""
    status: ReturnStatus = "requested"


class ReturnPatch(Body):
    status: ReturnStatus


class ReturnOut(Answer):
    return_id: str
    order_id: str | None  # None: an imported credit that does not say what came back.
    customer_id: str
    requested_at: Moment
    amount: str
    currency: str
    margin: str | None
    reason: str
    status: ReturnStatus


_UNKNOWN_ORDER = {404: ("There is no such order", "unknown_order")}
_UNKNOWN_RETURN = {404: ("There is no such return", "unknown_return")}
_CONFLICT = {
    409: (
        "It is on record with other facts, more would come back than was bought, the order was cancelled, "
        "the idempotency key came with another body, or the moment lies in the future or before 1970",
        "return_exceeds_order",
    )
}
_STATUS_CONFLICT = {409: ("It cannot go from its status to this one", "illegal_status")}


@router.post(
    "/returns",
    status_code=201,
    response_model=ReturnOut,
    summary="Tell of a return",
    **documented(
        "recordReturn", "orders:write", body=True, refusals=_UNKNOWN_ORDER | _CONFLICT, other=ReturnOut
    ),
)
def record_return(
    request: Request, response: Response, body: ReturnIn, idempotency_key: IdempotencyKey = None
) -> ReturnOut:
    """201 when it was stored, 200 when the same return was on record."""
    crm = crm_of(request)
    claim = claim_of(request, idempotency_key, body)
    margin = None if body.margin is None else minor(crm, body.margin, body.currency)
    sent = Return(
        return_id=body.return_id,
        order_id=body.order_id,
        customer_id="",
        requested_at=body.requested_at,
        reason=body.reason,
        amount_minor=minor(crm, body.amount, body.currency),
        margin_minor=margin,
        currency=body.currency,
        status=body.status,
        source_key=None,
    )
    recorded = intake.record_return(crm, sent, claim, margin_given=margin is not None)
    if not recorded.is_new:
        response.status_code = 200
    return _shown_return(recorded.record)


@router.get(
    "/returns",
    response_model=Listed[ReturnOut],
    summary="List returns",
    **documented("listReturns", "orders:read"),
)
def list_returns(
    request: Request,
    limit: Limit = USUAL,
    cursor: After = None,
    customer_id: Annotated[Id | None, Query()] = None,
    order_id: Annotated[Id | None, Query()] = None,
) -> Listed[ReturnOut]:
    page = listings.returns(crm_of(request), window(limit, cursor), customer_id, order_id)
    return listed(page, _shown_return)


@router.get(
    "/returns/{return_id}",
    response_model=ReturnOut,
    summary="Read a return",
    **documented("readReturn", "orders:read", refusals=_UNKNOWN_RETURN),
)
def read_return(request: Request, return_id: ReturnId) -> ReturnOut:
    return _shown_return(listings.return_(crm_of(request), return_id))


@router.patch(
    "/returns/{return_id}",
    response_model=ReturnOut,
    summary="Tell what happened to a return",
    **documented("changeReturn", "orders:write", body=True, refusals=_UNKNOWN_RETURN | _STATUS_CONFLICT),
)
def change_return(request: Request, return_id: ReturnId, body: ReturnPatch) -> ReturnOut:
    """`requested` becomes `received`, `refunded` or `refused`; `received` becomes `refunded` or `refused`."""
    return _shown_return(intake.change_return(crm_of(request), return_id, body.status))


def _shown_return(stored: Return) -> ReturnOut:
    return ReturnOut(
        return_id=stored.return_id,
        order_id=stored.order_id,
        customer_id=stored.customer_id,
        requested_at=stored.requested_at,
        amount=amount_text(stored.amount_minor, stored.currency),
        currency=stored.currency,
        margin=None if stored.margin_minor is None else amount_text(stored.margin_minor, stored.currency),
        reason=stored.reason,
        status=stored.status,
    )
