"""Who a customer is, by every method that the firm's figures and his answers allow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, get_args

from crmcore.crm import Crm
from crmcore.errors import CrmError
from crmcore.money import from_minor
from crmcore.usecases.value_history import NoValueYet
from crmcore.usecases.value_refresh import refresh_value
from crmcore.value.benchmarks import Benchmarks
from crmcore.value.buyer_type import BuyerType, buyer_type
from crmcore.value.card import ValueCard, card_of
from crmcore.value.cost_to_serve import CostBasis, cost_basis
from crmcore.value.engine import MODEL_VERSION
from crmcore.value.finding import Finding
from crmcore.value.keeping import FEW, Keeping, RetentionAssumption, keeping
from crmcore.value.lifecycle import LifecycleFacts, LifecycleFinding, Stage, lifecycle
from crmcore.value.loyalty import LoyaltyGroup, loyalty_group
from crmcore.value.model import ValueModel
from crmcore.value.nine_types import NineType, nine_type
from crmcore.value.relationship import Level, relationship_level
from crmcore.value.snapshots import ValueSnapshot

Trait = Literal["switching", "commitment", "share_with_us", "time", "dimension"]
ANSWERS: dict[str, tuple[str, ...]] = {
    "switching": ("easy", "hard"),
    "commitment": ("short", "long"),
    "time": ("past", "present", "future"),
    "dimension": ("functional", "economic", "psychological"),
}


class UnknownAnswer(CrmError):
    """No such trait, or an answer that is none of its own."""


@dataclass(frozen=True)
class CustomerProfile:
    """``cost``, ``loyalty`` and ``relationship`` are None while the published run is of another version of
    the model. ``cost`` is how his cost to serve is known. ``rests_on`` says in words what his value assumes
    where data are few; else None."""

    card: ValueCard
    cost: Finding[CostBasis] | None
    loyalty: Finding[LoyaltyGroup] | None
    buyer: Finding[BuyerType]
    lifecycle: LifecycleFinding
    nine_type: Finding[NineType]
    relationship: Finding[Level] | None
    keeping: Finding[Keeping]
    assumption: RetentionAssumption
    rests_on: str | None

    @property
    def is_developed(self) -> bool:
        """Whether the firm invests in him: no advice is to save on him then."""
        return self.card.tier in FEW or self.keeping.kind == "for_his_potential"


def customer_profile(crm: Crm, customer_id: str) -> CustomerProfile:
    """His value and who he is; raises NoValueYet."""
    today = crm.firm.today(crm.clock())
    with crm.store.read() as tx:
        history = tx.value.history(customer_id, newest=2)
        current = tx.value.current(customer_id)
        answers = tx.value.answers([customer_id]).get(customer_id, {})
        customer = tx.customers.get(customer_id)
        contracts = tx.orders.contracts_of(customer_id)
    if current is None or customer is None:
        raise NoValueYet(customer_id, "now")
    run, snapshot = current
    bound = any(c.ends_on is None or c.ends_on >= today for c in contracts)
    card = card_of(run, snapshot, today=today, stale_after_days=crm.firm.value.stale_after_days)
    terms = crm.firm.value
    assumption = RetentionAssumption(terms.acquisition_cost, Decimal(str(terms.retention_share)))
    shown = snapshot.potential_minor
    cost = loyalty = relationship = None
    if run.model_version == MODEL_VERSION:
        borders = Benchmarks.from_json(run.parameters["benchmarks"]).loyalty
        model = ValueModel.from_parameters(run.parameters)
        cost = cost_basis(model.costs)
        usual = model.terms.margin * (1 - model.usual_return)
        loyalty = loyalty_group(float(card.clv), card.expected_purchases, borders, run.currency)
        share = usual if snapshot.contribution_share is None else snapshot.contribution_share
        relationship = relationship_level(card.tier, share, usual, bound)
    earlier = [s for _, s in history if (s.run_id, s.revision) != (snapshot.run_id, snapshot.revision)]
    left = customer.terminated_at
    return CustomerProfile(
        card=card,
        cost=cost,
        loyalty=loyalty,
        buyer=buyer_type(answers, bound),
        lifecycle=lifecycle(_facts(snapshot, left), _stage_of(earlier, left)),
        nine_type=nine_type(answers),
        relationship=relationship,
        keeping=keeping(
            card.clv,
            None if shown is None else from_minor(shown, run.currency),
            bool(snapshot.declared_potential_minor),
            card.tier,
            assumption,
            run.currency,
        ),
        assumption=assumption,
        rests_on=next((d["message"] for d in run.diagnostics if d["code"] == "same_rates_assumed"), None),
    )


def state_trait(crm: Crm, customer_id: str, trait: str, answer: str, provenance: str = "declared") -> None:
    """Keep what a customer answered of himself (a survey, an import, a talk), and value him by it at once.

    Raises :class:`UnknownAnswer`, and NoValueYet for a customer whom nobody knows.
    """
    if trait not in get_args(Trait):
        raise UnknownAnswer(f"{trait!r} is no trait; use one of {', '.join(get_args(Trait))}")
    if not _is_answer(trait, answer):
        allowed = ", ".join(ANSWERS[trait]) if trait in ANSWERS else "a number from 0 to 1"
        raise UnknownAnswer(f"{answer!r} is no answer about {trait}; use {allowed}")
    now = crm.clock()
    with crm.store.write() as tx:
        if tx.customers.get(customer_id) is None:
            raise NoValueYet(customer_id, "at all")
        tx.value.keep_answer(customer_id, trait, answer, provenance, now)
        refresh_value(tx, crm.firm, customer_id, now)


def _is_answer(trait: str, answer: str) -> bool:
    if trait in ANSWERS:
        return answer in ANSWERS[trait]
    try:
        return 0 <= float(answer) <= 1
    except ValueError:
        return False


def _facts(snapshot: ValueSnapshot, terminated_at: datetime | None) -> LifecycleFacts:
    gone = terminated_at is not None and terminated_at <= snapshot.scored_at
    growing = bool(snapshot.potential_minor)
    return LifecycleFacts(snapshot.frequency + 1, snapshot.p_alive, growing, gone)


def _stage_of(earlier: list[ValueSnapshot], terminated_at: datetime | None) -> Stage | None:
    return lifecycle(_facts(earlier[-1], terminated_at)).kind if earlier else None
