"""Whom to keep, and what keeping costs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from crmcore.money import format_money
from crmcore.tiers import Tier
from crmcore.value.finding import Finding

FEW: tuple[Tier, ...] = ("MVC", "MGC")  # Whom the firm develops, one by one.
Keeping = Literal["profitable", "for_his_potential", "for_his_tier", "cheaper_channel"]


@dataclass(frozen=True)
class RetentionAssumption:
    """That keeping a customer costs ``share`` of winning one: a rule of thumb of relationship marketing, not
    a measurement. ``acquisition_cost`` in currency; None while the firm does not know it."""

    acquisition_cost: Decimal | None
    share: Decimal

    @property
    def retention_cost(self) -> Decimal | None:
        return None if self.acquisition_cost is None else self.acquisition_cost * self.share

    def words(self, currency: str) -> str:
        share = f"{self.share:.0%} of winning one"
        cost = self.retention_cost
        if self.acquisition_cost is None or cost is None:
            return f"Keeping a customer is assumed to cost {share}; what winning costs is not set."
        winning = format_money(self.acquisition_cost, currency)
        return f"Keeping a customer is assumed to cost {share} ({winning}): {format_money(cost, currency)}."


def keeping(
    clv: Decimal,
    potential: Decimal | None,
    declared: bool,
    tier: Tier,
    assumption: RetentionAssumption,
    currency: str,
) -> Finding[Keeping]:
    """Whether he is kept for what he brings or for what he could bring (a student will earn one day).

    potential : what he has shown himself, None while unknown; declared : he said so. The few (MVC, MGC) are
    kept, whatever it costs. Nobody is let go: who is none of these gets the same answers and the same right
    to a person, by a cheaper channel.
    """
    known = assumption.retention_cost
    cost = known or Decimal(0)
    brings = format_money(clv, currency)
    costs = f"He brings {brings}"
    if known is not None:
        costs += f", and keeping him costs {format_money(known, currency)}"
    if clv >= cost and clv > 0:
        return Finding("profitable", f"{costs}.", "estimated")
    if potential is not None and clv + potential >= cost and potential > 0:
        why = f"He brings {brings} now, but could bring {format_money(potential, currency)} more."
        return Finding("for_his_potential", why, "declared" if declared else "estimated")
    if tier in FEW:
        return Finding("for_his_tier", f"{costs}; as {tier} he is one of the few all the same.", "estimated")
    return Finding("cheaper_channel", f"{costs}; he has not shown that he would bring more.", "estimated")
