"""Tiers: who is most valuable, most growable, below zero, and who is at the core.

Peppers & Rogers: rank customers by value first. MVC is the top share by actual value; BZ are those who
will hardly repay the cost to serve them; MGC is the top share of the others by potential value; everyone
else is core. A tier changes offers, routing and pace, never the truth or the floor of service.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

Tier = Literal["MVC", "MGC", "BZ", "core"]
TIERS: tuple[Tier, ...] = ("MVC", "MGC", "core", "BZ")  # The most valuable first, below zero last.
ReasonCode = Literal[
    "below_zero_likely",
    "value_in_top_share",
    "value_near_top_share",
    "potential_in_top_share",
    "potential_near_top_share",
    "no_rule_applies",
]


_LARGE = 100  # From here on amounts are said in whole units of the currency.


@dataclass(frozen=True)
class TierPolicy:
    """mvc_share : the top share of all customers by value.
    mgc_share : the top share, by potential, of those who are neither MVC nor BZ.
    bz_probability : below zero when P(value < 0) is above it.
    hysteresis : who has a tier keeps it until he is this share beyond its border, so that a tier does
        not flicker from one night to the next.
    """

    mvc_share: float = 0.1
    mgc_share: float = 0.15
    bz_probability: float = 0.8
    hysteresis: float = 0.1


@dataclass(frozen=True)
class Standing:
    """What the policy looks at. ``potential_value`` is None while it is unknown; money in currency."""

    clv: Decimal
    potential_value: Decimal | None
    p_below_zero: float
    previous: Tier | None = None


@dataclass(frozen=True)
class Borders:
    """The least value that enters MVC and the least potential that enters MGC; None when nobody can."""

    mvc: Decimal | None
    mgc: Decimal | None


@dataclass(frozen=True)
class Reason:
    """A rule that applied and the figures it compared: what the customer has, and where the border was."""

    code: ReasonCode
    has: Decimal | float | None = None
    border: Decimal | float | None = None


@dataclass(frozen=True)
class TierDecision:
    tier: Tier
    reasons: tuple[Reason, ...]


def assign_tiers(
    standings: Sequence[Standing], policy: TierPolicy
) -> tuple[Borders, tuple[TierDecision, ...]]:
    """The tier of every customer of a firm, in the order given, and the borders that decided."""
    borders = find_borders(standings, policy)
    return borders, tuple(assign_tier(s, borders, policy) for s in standings)


def find_borders(standings: Sequence[Standing], policy: TierPolicy) -> Borders:
    """Borders from the whole population. Only positive value, and only positive potential, ever enters."""
    eligible = [s for s in standings if not _is_below_zero(s, policy)]
    mvc = _border([s.clv for s in eligible], math.floor(policy.mvc_share * len(standings)))
    others = [s for s in eligible if not _reaches(s.clv, mvc, s.previous == "MVC", policy)]
    potentials = [s.potential_value for s in others if s.potential_value is not None]
    return Borders(mvc, _border(potentials, math.floor(policy.mgc_share * len(others))))


def assign_tier(standing: Standing, borders: Borders, policy: TierPolicy) -> TierDecision:
    """The tier of one customer; the same inputs always give the same answer, so it can be replayed."""
    if _is_below_zero(standing, policy):
        reason = Reason("below_zero_likely", standing.p_below_zero, policy.bz_probability)
        return TierDecision("BZ", (reason,))
    if _reaches(standing.clv, borders.mvc, standing.previous == "MVC", policy):
        near = borders.mvc is not None and standing.clv < borders.mvc
        code: ReasonCode = "value_near_top_share" if near else "value_in_top_share"
        return TierDecision("MVC", (Reason(code, standing.clv, borders.mvc),))
    potential = standing.potential_value
    if potential is not None and _reaches(potential, borders.mgc, standing.previous == "MGC", policy):
        near = borders.mgc is not None and potential < borders.mgc
        code = "potential_near_top_share" if near else "potential_in_top_share"
        return TierDecision("MGC", (Reason(code, potential, borders.mgc),))
    return TierDecision("core", (Reason("no_rule_applies", standing.clv, borders.mvc),))


def store_reason(reason: Reason) -> dict[str, Any]:
    """As JSON; money as text."""

    def plain(figure: Decimal | float | None) -> str | float | None:
        return str(figure) if isinstance(figure, Decimal) else figure

    return {"code": reason.code, "has": plain(reason.has), "border": plain(reason.border)}


def read_reason(stored: Mapping[str, Any]) -> Reason:
    """What :func:`store_reason` wrote."""

    def figure(plain: str | float | None) -> Decimal | float | None:
        return Decimal(plain) if isinstance(plain, str) else plain

    return Reason(stored["code"], figure(stored["has"]), figure(stored["border"]))


def explain(reason: Reason, currency: str) -> str:
    """The reason for staff, in one English sentence."""

    def money(amount: Decimal | float | None) -> str:
        if amount is None:
            return "nobody's"
        # Whole units say enough of large amounts; of small ones they would call a border of 0.19 nothing.
        return f"{amount:,} {currency}" if -_LARGE < amount < _LARGE else f"{amount:,.0f} {currency}"

    has, border = reason.has, reason.border
    match reason.code:
        case "below_zero_likely":
            return f"The chance of not repaying the cost to serve is {has:.0%}; the limit is {border:.0%}."
        case "value_in_top_share":
            return f"Value {money(has)} is in the top share, which begins at {money(border)}."
        case "value_near_top_share":
            return f"Value {money(has)} is just under the border of {money(border)}; the tier is kept."
        case "potential_in_top_share":
            return f"Potential {money(has)} is in the top share, which begins at {money(border)}."
        case "potential_near_top_share":
            return f"Potential {money(has)} is just under the border of {money(border)}; the tier is kept."
        case "no_rule_applies":
            if border is None:
                return "No value in the firm makes a top share, and no other rule applies."
            return f"Value {money(has)} is below the border of {money(border)}, and no other rule applies."


def _is_below_zero(standing: Standing, policy: TierPolicy) -> bool:
    margin = policy.hysteresis if standing.previous == "BZ" else 0.0
    return standing.p_below_zero > policy.bz_probability * (1 - margin)


def _reaches(amount: Decimal, border: Decimal | None, has_it: bool, policy: TierPolicy) -> bool:
    if border is None:
        return False
    return amount >= (border * (1 - Decimal(str(policy.hysteresis))) if has_it else border)


def _border(amounts: Sequence[Decimal], places: int) -> Decimal | None:
    """The least positive amount that no more than ``places`` of these reach; None when there is none.

    Where equal amounts lie across the last place, none of them enters: a border on them would let all in.
    """
    ranked = sorted((a for a in amounts if a > 0), reverse=True)
    inside = ranked[:places]
    if len(ranked) > places:
        inside = [a for a in inside if a > ranked[places]]
    return inside[-1] if inside else None


def record_inputs(standing: Standing, borders: Borders, policy: TierPolicy) -> dict[str, Any]:
    """All that :func:`assign_tier` was given, as JSON; money as text, so that nothing is rounded."""
    return {
        "standing": {
            "clv": str(standing.clv),
            "potential_value": None if standing.potential_value is None else str(standing.potential_value),
            "p_below_zero": standing.p_below_zero,
            "previous": standing.previous,
        },
        "borders": store_borders(borders),
        "policy": dict(vars(policy)),
    }


def store_borders(borders: Borders) -> dict[str, str | None]:
    """As JSON; money as text."""
    return {name: None if v is None else str(v) for name, v in vars(borders).items()}


def read_borders(stored: Mapping[str, str | None]) -> Borders:
    """What :func:`store_borders` wrote."""
    return Borders(mvc=_decimal(stored["mvc"]), mgc=_decimal(stored["mgc"]))


def replay(inputs: Mapping[str, Any]) -> TierDecision:
    """The decision that recorded inputs lead to; the stored one as long as the rules are the same."""
    standing = {
        **inputs["standing"],
        "clv": Decimal(inputs["standing"]["clv"]),
        "potential_value": _decimal(inputs["standing"]["potential_value"]),
    }
    return assign_tier(Standing(**standing), read_borders(inputs["borders"]), TierPolicy(**inputs["policy"]))


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
