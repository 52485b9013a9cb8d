"""Whom to keep, and what keeping costs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from crmcore.value.finding import Finding

Keeping = Literal["profitable", "for_his_potential", "cheaper_channel"]


@dataclass(frozen=True)
class RetentionAssumption:
    """That keeping a customer costs ``share`` of winning one: a rule of thumb of relationship marketing, not
    a measurement. ``acquisition_cost`` in currency; None while the firm does not know it."""

    acquisition_cost: Decimal | None
    share: Decimal

    @property
    def retention_cost(self) -> Decimal | None:
        return None if self.acquisition_cost is None else self.acquisition_cost * self.share

    @property
    def words(self) -> str:
        share = f"{self.share:.0%} of winning one"
        if self.acquisition_cost is None:
            return f"Keeping a customer is assumed to cost {share}; what winning costs is not set."
        return (
            f"Keeping a customer is assumed to cost {share} ({self.acquisition_cost:,.2f}): "
            f"{self.retention_cost:,.2f}."
        )


def keeping(
    clv: Decimal, potential: Decimal | None, declared: bool, assumption: RetentionAssumption
) -> Finding[Keeping]:
    """Whether he is kept for what he brings or for what he could bring (a student will earn one day).

    potential : what he has shown himself, None while unknown; declared : he said so. Nobody is let go: who is
    neither gets the same answers and the same right to a person, by a cheaper channel.
    """
    known = assumption.retention_cost
    cost = known or Decimal(0)
    costs = f"He brings {clv:,.0f}" + ("" if known is None else f", and keeping him costs {known:,.0f}")
    if clv >= cost and clv > 0:
        return Finding("profitable", f"{costs}.", "estimated")
    if potential is not None and clv + potential >= cost and potential > 0:
        why = f"He brings {clv:,.0f} now, but could bring {potential:,.0f} more."
        return Finding("for_his_potential", why, "declared" if declared else "estimated")
    return Finding("cheaper_channel", f"{costs}; he has not shown that he would bring more.", "estimated")
