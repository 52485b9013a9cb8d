"""Loads the demonstration firm into an empty installation, once."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.random import Generator

from crmcore.crm import Crm
from crmcore.customers import Consent, Contact, ContactKind, Customer, Purpose, read_contact
from crmcore.firm import Firm
from crmcore.money import to_minor
from crmcore.needs import Need, read_need
from crmcore.service_costs import CostKind, ServiceCost
from crmcore.settings import Settings
from crmcore.staff import Role
from crmcore.tiers import Tier
from crmcore.usecases.loading import (
    Records,
    assign_account_manager,
    has_customers,
    load_records,
    record_consents,
)
from crmcore.usecases.staff import add_staff
from crmcore.usecases.value import customers_of_tier
from crmcore.usecases.value_score import score
from demo.history import HISTORY, histories
from demo.people import Person, people

SEED = 20_260_718
CUSTOMERS = 2_000
STAFF: tuple[tuple[str, str, Role], ...] = (
    ("anna", "Anna Byrne", "account_manager"),
    ("tomas", "Tomás Keane", "account_manager"),
    ("priya", "Priya Raman", "account_manager"),
    ("marek", "Marek Nowak", "marketer"),
    ("olive", "Olive Grant", "operator"),
)


@dataclass(frozen=True)
class SignIn:
    """How a member of the demonstration's staff signs in; made for one installation."""

    role: str
    email: str
    password: str


def load_demonstration_firm(crm: Crm, settings: Settings) -> list[SignIn]:
    """The staff's sign-ins. Customers, staff and values are made when the installation has no customer yet.

    An installation that has customers of its own is left as it is and gives no sign-ins.
    """
    kept = settings.home / "demonstration-sign-ins.json"
    if has_customers(crm):
        return _kept_sign_ins(kept)
    print(f"Loading the demonstration firm with {CUSTOMERS:,} customers …", flush=True)
    today = crm.firm.today(crm.clock())
    rng = np.random.default_rng(SEED)
    load_records(crm, _records(rng, crm, today))
    sign_ins = [_hire(crm, staff_id, name, role) for staff_id, name, role in STAFF]
    kept.touch(mode=0o600)
    kept.write_text(json.dumps([asdict(entry) for entry in sign_ins], indent=2))
    score(crm)
    _let_personas_have_offers(crm)
    managers = [staff_id for staff_id, _, role in STAFF if role == "account_manager"]
    best = customers_of_tier(crm, "MVC")
    for index, staff_id in enumerate(managers):
        assign_account_manager(crm, best[index :: len(managers)], staff_id)
    return sign_ins


def _let_personas_have_offers(crm: Crm) -> None:
    """The shop page signs visitors in as the best customer of each tier; they show what offers look like."""
    best = [customer_id for tier in get_args(Tier) for customer_id in customers_of_tier(crm, tier)[:1]]
    record_consents(
        crm, [Consent(customer_id, "offers", True, crm.clock(), "import") for customer_id in best]
    )


def _kept_sign_ins(kept: Path) -> list[SignIn]:
    if not kept.exists():
        return []
    return [SignIn(**entry) for entry in json.loads(kept.read_text())]


def _hire(crm: Crm, staff_id: str, name: str, role: Role) -> SignIn:
    email = f"{staff_id}@alderandbell.example"
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    add_staff(crm, name, email, role, password, staff_id=staff_id)
    return SignIn(role.replace("_", " "), email, password)


def _records(rng: Generator, crm: Crm, today: date) -> Records:
    firm = crm.firm
    made = people(rng, CUSTOMERS, today)
    ids = [person.customer_id for person in made]
    history = histories(rng, firm, ids, today)
    first_order = {order.customer_id: order.ordered_at for order in reversed(history.orders)}
    return Records(
        customers=[_customer(person, first_order[person.customer_id]) for person in made],
        contacts=[c for person in made for c in _contacts(person, first_order[person.customer_id])],
        consents=[c for person in made for c in _consents(rng, person, first_order[person.customer_id])],
        orders=history.orders,
        returns=history.returns,
        contracts=history.contracts,
        service_costs=_service_costs(rng, firm, ids, today),
        needs=_needs(rng, crm, ids, today),
    )


def _customer(person: Person, since: datetime) -> Customer:
    return Customer(
        customer_id=person.customer_id,
        name=person.name,
        language="en",
        demographics={"born": person.born},
        lifestyle={"plays": person.plays, "listens": person.listens},
        usage={},
        account_manager_id=None,
        created_at=since,
    )


def _contacts(person: Person, since: datetime) -> list[Contact]:
    reached: tuple[tuple[ContactKind, str], ...] = (
        ("email", person.email),
        ("phone", person.phone),
        ("address", person.address),
    )
    contacts = []
    for kind, text in reached:
        value, normalized = read_contact(kind, text)
        contacts.append(
            Contact(f"{kind}-{person.customer_id}", person.customer_id, kind, value, normalized, True, since)
        )
    return contacts


def _consents(rng: Generator, person: Person, since: datetime) -> list[Consent]:
    """Most people answered when they registered, some said no, and some were never asked."""
    purposes: tuple[Purpose, ...] = ("offers", "contact")
    answered = [purpose for purpose in purposes if rng.random() < 0.85]
    return [
        Consent(person.customer_id, purpose, bool(rng.random() < 0.85), since, "import")
        for purpose in answered
    ]


def _service_costs(rng: Generator, firm: Firm, ids: Sequence[str], today: date) -> list[ServiceCost]:
    """A few contacts a year for most customers and a great many for some, who cost more than they bring."""
    costs: list[ServiceCost] = []
    kinds: tuple[CostKind, ...] = ("contact", "service")
    for customer_id in ids:
        a_year = rng.gamma(0.6, 2.0) * (12 if rng.random() < 0.04 else 1)
        for _ in range(int(rng.poisson(a_year * HISTORY.days / 365))):
            day = today - timedelta(days=int(rng.integers(1, HISTORY.days)))
            kind = kinds[int(rng.random() < 0.15)]
            price = firm.value.contact_cost * (3 if kind == "service" else 1)
            costs.append(
                ServiceCost(
                    f"COST-{len(costs):06d}",
                    customer_id,
                    datetime.combine(day, time(12), UTC),
                    kind,
                    to_minor(price, firm.currency),
                    firm.currency,
                )
            )
    return costs


def _needs(rng: Generator, crm: Crm, ids: Sequence[str], today: date) -> list[Need]:
    """What some customers told the firm in the past months, in words from the firm's own catalogue."""
    firm = crm.firm
    said = [(need.id, example) for need in firm.needs for example in need.examples["en"]]
    read = {text: read_need(text, firm, crm.language, today) for _, text in said}
    # Some categories are wanted more than others, so that the marketer's board has a shape.
    weights = rng.dirichlet([1.2] * len(firm.needs))
    share = {need.id: weights[i] / len(need.examples["en"]) for i, need in enumerate(firm.needs)}
    likelihood = np.array([share[category] for category, _ in said])
    needs: list[Need] = []
    for customer_id in rng.choice(ids, size=len(ids) // 4, replace=False):
        _, text = said[int(rng.choice(len(said), p=likelihood / likelihood.sum()))]
        day = today - timedelta(days=int(min(rng.exponential(60), 360)) + 1)
        stated = datetime.combine(day, time(int(rng.integers(9, 20))), UTC)
        needs.append(
            Need(
                need_id=f"need_{len(needs):06d}",
                customer_id=str(customer_id),
                conversation_id=None,
                source_key=f"demonstration:{customer_id}",
                read=read[text],
                provenance="declared",
                status="met" if rng.random() < 0.25 else "open",
                stated_at=stated,
                confirmed_at=stated,
                updated_at=stated,
            )
        )
    return needs
