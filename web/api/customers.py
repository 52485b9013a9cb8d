"""Customers, in and out. What they are worth is shown to keys with ``value:read`` alone."""

from typing import Annotated

from fastapi import Path, Request, Response
from pydantic import Field

from crmcore.customers import Consent, ContactKind, Purpose, contact_as_given
from crmcore.tiers import Tier
from crmcore.usecases import intake, listings
from crmcore.value.card import ValueCard
from crmcore.value.finding import Provenance
from web.api.amounts import decimal_text
from web.api.fields import Answer, Body, Day, Id, Line, Moment, SignedAmount
from web.api.pages import USUAL, After, Limit, Listed, listed, window
from web.api.route import crm_of, documented, key, keyed_router

router = keyed_router("customers")

CustomerId = Annotated[Id, Path(description="The firm's own number of the customer.")]
Name = Annotated[Line, Field(min_length=1, max_length=200, examples=["Ada Lovelace"])]
Email = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,60}(\.[A-Za-z0-9-]{1,60}){0,3}\.[A-Za-z]{2,24}$",
        examples=["ada@example.org"],
    ),
]
Phone = Annotated[str, Field(pattern=r"^\+?[0-9]([ ()/.-]{0,2}[0-9]){6,14}$", examples=["+44 7700 900123"])]
Address = Annotated[Line, Field(min_length=1, max_length=320, examples=["12 Elm Street, Dublin"])]


class ConsentIn(Body):
    """One decision of the customer. Of two decisions on one purpose the later one counts."""

    purpose: Purpose
    granted: bool
    decided_at: Moment


class CustomerIn(Body):
    """What is left out stays as it is."""

    name: Name
    language: Annotated[str, Field(pattern="^[a-z]{2}$", description="ISO 639-1", examples=["en"])] = "en"
    email: Email | None = None
    phone: Phone | None = None
    address: Address | None = None
    consents: Annotated[tuple[ConsentIn, ...], Field(max_length=10, strict=False)] = ()


class ContactOut(Answer):
    kind: ContactKind
    value: str


class ConsentOut(Answer):
    purpose: Purpose
    granted: bool
    decided_at: Moment


class ValueOut(Answer):
    """Value as of a day: in 19 cases of 20 what comes lies between `clv_low` and `clv_high`.

    `strategic_provenance` says how potential and share are known. `is_stale` means older than the firm
    allows: promise nothing by tier.
    """

    tier: Tier
    currency: str
    clv: SignedAmount
    clv_low: SignedAmount | None
    clv_high: SignedAmount | None
    history_value: SignedAmount | None
    cost_to_serve: SignedAmount
    potential_value: SignedAmount | None
    strategic_value: SignedAmount | None
    strategic_provenance: Provenance
    share_of_customer: float | None
    p_alive: float
    expected_purchases: float
    horizon_days: int
    as_of: Day
    is_stale: bool


class CustomerOut(Answer):
    customer_id: str
    name: str
    language: str
    created_at: Moment
    terminated_at: Moment | None
    contacts: list[ContactOut]
    consents: list[ConsentOut]


class ValuedCustomerOut(CustomerOut):
    """As a key with `value:read` sees him; `value` is null while he has none."""

    value: ValueOut | None


type Shown = ValuedCustomerOut | CustomerOut

_UNKNOWN = {404: ("There is no such customer", "unknown_customer")}
_REFUSED = {
    404: ("The id holds a line break, which no address can", "not_found"),
    409: ("A decision lies in the future or before 1970", "moment_out_of_range"),
}


@router.get(
    "/customers",
    response_model=Listed[ValuedCustomerOut] | Listed[CustomerOut],
    summary="List customers",
    **documented("listCustomers", "customers:read"),
)
def list_customers(
    request: Request, limit: Limit = USUAL, cursor: After = None
) -> Listed[ValuedCustomerOut] | Listed[CustomerOut]:
    """In the order in which they came."""
    valued = key(request).may("value:read")
    page = listings.customers(crm_of(request), window(limit, cursor), valued)
    if valued:
        return listed(page, _valued)
    return listed(page, _plain)


@router.get(
    "/customers/{customer_id}",
    response_model=ValuedCustomerOut | CustomerOut,
    summary="Read a customer",
    **documented("readCustomer", "customers:read", refusals=_UNKNOWN),
)
def read_customer(request: Request, customer_id: CustomerId) -> CustomerOut:
    """With `value:read` his value and tier are shown too."""
    valued = key(request).may("value:read")
    found = listings.customer(crm_of(request), customer_id, valued)
    return _valued(found) if valued else _plain(found)


@router.put(
    "/customers/{customer_id}",
    response_model=CustomerOut,
    summary="Tell of a customer",
    **documented(
        "recordCustomer",
        "customers:write",
        body=True,
        refusals=_REFUSED,
        other=CustomerOut,
        other_status=201,
        other_means="He was not known before",
    ),
)
def record_customer(
    request: Request, response: Response, customer_id: CustomerId, body: CustomerIn
) -> CustomerOut:
    """A new customer is stored; of a known one the name, language and contacts are brought up to date."""
    crm = crm_of(request)
    given: dict[ContactKind, str | None] = {"email": body.email, "phone": body.phone, "address": body.address}
    contacts = {kind: contact_as_given(kind, value) for kind, value in given.items() if value is not None}
    source = f"key:{key(request).key_id}"
    consents = tuple(
        Consent(customer_id, said.purpose, said.granted, said.decided_at, source) for said in body.consents
    )
    told = intake.CustomerRecord(customer_id, body.name, body.language, contacts, consents)
    if intake.record_customer(crm, told).is_new:
        response.status_code = 201
    return _plain(listings.customer(crm, customer_id, with_value=False))


def _plain(file: listings.CustomerFile) -> CustomerOut:
    return CustomerOut(
        customer_id=file.customer.customer_id,
        name=file.customer.name,
        language=file.customer.language,
        created_at=file.customer.created_at,
        terminated_at=file.customer.terminated_at,
        contacts=[ContactOut(kind=contact.kind, value=contact.value) for contact in file.contacts],
        consents=[
            ConsentOut(purpose=said.purpose, granted=said.granted, decided_at=said.decided_at)
            for said in file.consents
        ],
    )


def _valued(file: listings.CustomerFile) -> ValuedCustomerOut:
    value = None if file.value is None else _value(file.value)
    return ValuedCustomerOut(**dict(_plain(file)), value=value)


def _value(card: ValueCard) -> ValueOut:
    def text(amount: object) -> str | None:
        return None if amount is None else f"{amount:f}"

    return ValueOut(
        tier=card.tier,
        currency=card.currency,
        clv=decimal_text(card.clv),
        clv_low=text(card.clv_low),
        clv_high=text(card.clv_high),
        history_value=text(card.history_value),
        cost_to_serve=decimal_text(card.cost_to_serve),
        potential_value=text(card.potential_value),
        strategic_value=text(card.strategic_value),
        strategic_provenance=card.strategic_provenance,
        share_of_customer=card.share_of_customer,
        p_alive=card.p_alive,
        expected_purchases=card.expected_purchases,
        horizon_days=card.horizon_days,
        as_of=card.as_of,
        is_stale=card.stale,
    )
