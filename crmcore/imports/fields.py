"""What each kind of file can tell, and under which names its columns usually go."""

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["orders", "customers", "costs"]
Reading = Literal["text", "number", "moment"]


@dataclass(frozen=True)
class Field:
    """One thing that a row says. ``usual`` are names of columns, squeezed to letters and digits."""

    name: str
    reading: Reading
    meaning: str
    usual: tuple[str, ...] = ()
    required: bool = False


_CUSTOMER = Field(
    "customer_id", "text", "the firm's own identifier of the customer",
    ("customerid", "customer", "custid", "cust", "clientid", "client", "userid", "householdid", "customerno",
     "customernumber", "kundennummer", "kundennr", "memberid", "buyerid"),
    required=True,
)  # fmt: skip
_CURRENCY = Field(
    "currency", "text", "ISO code; the firm's currency unless given",
    ("currency", "currencycode", "waehrung", "währung"),
)  # fmt: skip

ORDERS: tuple[Field, ...] = (
    _CUSTOMER,
    Field(
        "ordered_at", "moment", "when it was ordered; a time without a zone is the firm's",
        ("orderedat", "orderdate", "date", "invoicedate", "transactiontimestamp", "timestamp", "createdat",
         "purchasedate", "purchasedat", "datetime", "transactiondate", "bestelldatum", "datum", "day"),
        required=True,
    ),
    Field(
        "amount", "number", "what was paid, a credit negative",
        ("amount", "ordertotal", "total", "totalamount", "totalprice", "salesvalue", "dollarvalue", "sales",
         "revenue", "price", "linetotal", "betrag", "value", "spend"),
        required=True,
    ),
    Field(
        "order_id", "text", "the order's number; several rows of one order are its lines",
        ("orderid", "order", "orderno", "ordernumber", "invoiceno", "invoice", "invoiceid", "basketid",
         "transactionid",
         "receiptid", "bestellnummer"),
    ),
    Field("quantity", "number", "pieces; negative for what came back",
          ("quantity", "qty", "units", "pieces", "menge", "numberofcds")),
    Field("product", "text", "a catalogue id, or a name",
          ("product", "productid", "sku", "stockcode", "article", "articleno", "item", "artikel")),
    _CURRENCY,
    Field("margin", "number", "what is left of the amount, as money", ("margin", "contribution", "profit")),
    Field("margin_share", "number", "what is left of the amount, as a share from 0 to 1",
          ("marginshare", "marginpercent", "marginrate")),
    Field("cost", "number", "what the goods cost, as money; the margin is the amount less this",
          ("costofgoods", "cogs")),
    Field("status", "text", "placed, shipped, delivered, cancelled or returned",
          ("status", "orderstatus", "financialstatus")),
    Field("returned_order", "text", "for a credit: the order that came back",
          ("returnedorder", "originalorder", "originalorderid")),
)  # fmt: skip

COSTS: tuple[Field, ...] = (
    _CUSTOMER,
    Field("incurred_at", "moment", "when the cost arose; a time without a zone is the firm's",
          ("incurredat", "date", "timestamp", "datetime", "createdat", "day"), required=True),
    Field("amount", "number", "what it cost the firm",
          ("amount", "cost", "costs", "total", "value"), required=True),
    Field("kind", "text", "contact, return, discount or service; service unless given",
          ("kind", "type", "category")),
    Field("cost_id", "text", "the cost's own number", ("costid", "ticketid", "caseid", "reference")),
    _CURRENCY,
)  # fmt: skip

CUSTOMERS: tuple[Field, ...] = (
    replace(_CUSTOMER, usual=(*_CUSTOMER.usual, "id")),  # Beside orders an id is more likely theirs.
    Field("name", "text", "what he is called", ("name", "fullname", "customername")),
    Field("language", "text", "one of the firm's languages", ("language", "lang", "locale")),
    Field("email", "text", "his e-mail address", ("email", "emailaddress", "mail")),
    Field("phone", "text", "his telephone number", ("phone", "phonenumber", "telephone", "mobile")),
    Field("address", "text", "his postal address", ("address", "postaladdress", "shippingaddress")),
    Field("account_manager", "text", "the e-mail address of his account manager",
          ("accountmanager", "accountmanageremail", "manager", "owner")),
    Field("offers", "text", "whether he agreed to offers: yes or no",
          ("offers", "consentoffers", "acceptsmarketing")),
    Field("contact", "text", "whether he agreed to be called or written to", ("consentcontact",)),
    Field("profiling", "text", "whether he agreed to profiling", ("profiling", "consentprofiling")),
    Field("research", "text", "whether he agreed to surveys", ("research", "consentresearch")),
    Field("decided_at", "moment", "when he decided about these", ("decidedat", "consentdate")),
)  # fmt: skip

FIELDS: dict[Kind, tuple[Field, ...]] = {"orders": ORDERS, "customers": CUSTOMERS, "costs": COSTS}
