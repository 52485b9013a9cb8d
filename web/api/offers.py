"""Offers as they were shown and answered."""

from typing import Annotated

from fastapi import Query, Request

from crmcore.offers import OfferEvent, OfferStatus
from crmcore.usecases import listings
from web.api.fields import Answer, Id, Moment
from web.api.pages import USUAL, After, Limit, Listed, Since, listed, window
from web.api.route import crm_of, documented, keyed_router

router = keyed_router("offers")


class OfferOut(Answer):
    """`offer` is the catalogue's id; `need_id` is the need that it answers."""

    offer_event_id: str
    offer: str
    customer_id: str
    conversation_id: str | None
    need_id: str | None
    status: OfferStatus
    shown_at: Moment
    answered_at: Moment | None


@router.get(
    "/offers",
    response_model=Listed[OfferOut],
    summary="List offers",
    **documented("listOffers", "offers:read"),
)
def list_offers(
    request: Request,
    limit: Limit = USUAL,
    cursor: After = None,
    customer_id: Annotated[Id | None, Query()] = None,
    status: Annotated[OfferStatus | None, Query()] = None,
    updated_since: Since = None,
) -> Listed[OfferOut]:
    """An offer changes when it is answered."""
    page = listings.offers(crm_of(request), window(limit, cursor), customer_id, status, updated_since)
    return listed(page, _shown)


def _shown(event: OfferEvent) -> OfferOut:
    return OfferOut(**{name: getattr(event, name) for name in OfferOut.model_fields})
