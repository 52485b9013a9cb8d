"""Escalations: who asked for a person, why, and what became of it."""

from typing import Annotated

from fastapi import Query, Request

from crmcore.escalation import Cause, Escalation, EscalationStatus
from crmcore.usecases import listings
from web.api.fields import Answer, Id, Moment
from web.api.pages import USUAL, After, Limit, Listed, Since, listed, window
from web.api.route import crm_of, documented, keyed_router

router = keyed_router("escalations")


class EscalationOut(Answer):
    """`reason` is what made somebody ask: the customer, his value, a failure, an error or a person."""

    escalation_id: str
    conversation_id: str
    customer_id: str | None
    reason: Cause
    summary: str
    status: EscalationStatus
    assigned_to: str | None
    requested_at: Moment
    claimed_at: Moment | None
    claimed_by: str | None
    ended_at: Moment | None


@router.get(
    "/escalations",
    response_model=Listed[EscalationOut],
    summary="List escalations",
    **documented("listEscalations", "escalations:read"),
)
def list_escalations(
    request: Request,
    limit: Limit = USUAL,
    cursor: After = None,
    customer_id: Annotated[Id | None, Query()] = None,
    status: Annotated[EscalationStatus | None, Query()] = None,
    updated_since: Since = None,
) -> Listed[EscalationOut]:
    """An escalation changes when it is asked for, claimed and ended."""
    page = listings.escalations(crm_of(request), window(limit, cursor), customer_id, status, updated_since)
    return listed(page, _shown)


def _shown(escalation: Escalation) -> EscalationOut:
    return EscalationOut(**{name: getattr(escalation, name) for name in EscalationOut.model_fields})
