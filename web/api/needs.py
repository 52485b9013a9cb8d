"""Needs as customers stated them, out."""

from decimal import Decimal
from typing import Annotated

from fastapi import Query, Request

from crmcore.needs.values import Budget, Need, Provenance, Status
from crmcore.usecases import listings
from web.api.amounts import decimal_text
from web.api.fields import Answer, Day, Id, Line, Moment
from web.api.pages import USUAL, After, Limit, Listed, Since, listed, window
from web.api.route import crm_of, documented, keyed_router

router = keyed_router("needs")


class BudgetOut(Answer):
    """What he would spend; `said` is how he said it. Without a currency he named none."""

    min: str | None
    max: str | None
    target: str | None
    currency: str | None
    said: str


class TimingOut(Answer):
    """When he needs it; words with two readings have no days."""

    earliest: Day | None
    latest: Day | None
    said: str


class NeedOut(Answer):
    """`understood` is not confirmed yet, `open` is confirmed and unmet. Without a customer, nobody has proved
    that it is his."""

    need_id: str
    customer_id: str | None
    conversation_id: str | None
    category: str
    product: str | None
    attributes: dict[str, str]
    details: list[str]
    budget: BudgetOut | None
    quantity: int | None
    timing: TimingOut | None
    purpose: str | None
    location: list[str]
    verbatim: str
    provenance: Provenance
    confidence: float
    status: Status
    stated_at: Moment
    confirmed_at: Moment | None
    updated_at: Moment


@router.get(
    "/needs",
    response_model=Listed[NeedOut],
    summary="List needs",
    **documented("listNeeds", "needs:read"),
)
def list_needs(
    request: Request,
    limit: Limit = USUAL,
    cursor: After = None,
    customer_id: Annotated[Id | None, Query()] = None,
    category: Annotated[Line | None, Query(max_length=64, description="As in the catalogue.")] = None,
    status: Annotated[Status | None, Query()] = None,
    updated_since: Since = None,
) -> Listed[NeedOut]:
    page = listings.needs(
        crm_of(request), window(limit, cursor), customer_id, category, status, updated_since
    )
    return listed(page, _shown)


def _shown(need: Need) -> NeedOut:
    read = need.read
    timing = read.timing
    return NeedOut(
        need_id=need.need_id,
        customer_id=need.customer_id,
        conversation_id=need.conversation_id,
        category=read.category,
        product=read.product,
        attributes=dict(read.attributes),
        details=list(read.details),
        budget=None if read.budget is None else _budget(read.budget),
        quantity=read.quantity,
        timing=None
        if timing is None
        else TimingOut(earliest=timing.earliest, latest=timing.latest, said=timing.raw),
        purpose=read.purpose,
        location=list(read.location),
        verbatim=read.verbatim,
        provenance=need.provenance,
        confidence=read.confidence,
        status=need.status,
        stated_at=need.stated_at,
        confirmed_at=need.confirmed_at,
        updated_at=need.updated_at,
    )


def _budget(budget: Budget) -> BudgetOut:
    def text(amount: Decimal | None) -> str | None:
        return None if amount is None else decimal_text(amount)

    return BudgetOut(
        min=text(budget.min),
        max=text(budget.max),
        target=text(budget.target),
        currency=budget.currency,
        said=budget.raw,
    )
