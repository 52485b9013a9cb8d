"""``rapport value explain|history|migration|simulate|answer``: one customer, and what moves."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.plain_json import plain
from crmcore.crm import Crm
from crmcore.money import format_money
from crmcore.tiers import TIERS
from crmcore.usecases.value_history import as_plain, tier_migration, value_change, value_history
from crmcore.usecases.value_profile import CustomerProfile, customer_profile, state_trait
from crmcore.usecases.value_simulation import (
    NothingToSimulate,
    Simulation,
    if_customer_leaves,
    if_margins_change,
    if_need_is_met,
)
from crmcore.value.buyer_type import MEANING_OF_LOST
from crmcore.value.change import WORDS, ValueChange
from crmcore.value.finding import Finding
from crmcore.value.lifecycle import TASK
from crmcore.value.loyalty import STRATEGY, STRATEGY_OF_FEW
from crmcore.value.relationship import PRACTICE

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id.")]
_DAY = ["%Y-%m-%d"]
_TIERS = (*TIERS, "none")


def explain_command(
    context: typer.Context,
    customer: Customer,
    since: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="Say what moved his value since this day's end.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="Until this day's end; today unless given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What a customer is worth and who he is, each with its reason; with --since, what moved his value."""
    if until is not None and since is None:
        raise typer.BadParameter("--until needs --since: a change is from one day to another")
    crm: Crm = context.obj()
    profile = customer_profile(crm, customer)
    change = None
    if since is not None:
        last = crm.firm.today(crm.clock()) if until is None else until.date()
        change = value_change(crm, customer, since.date(), last)
    if as_json:
        moved = None if change is None else plain(change)
        typer.echo(json.dumps({**plain(profile), "change": moved}, indent=2))
        return
    _print_profile(profile)
    if change is not None:
        _print_change(change)


def history_command(context: typer.Context, customer: Customer, as_json: Json = False) -> None:
    """Every value and tier that a customer ever had, the oldest first."""
    crm: Crm = context.obj()
    points = [as_plain(snapshot, run) for run, snapshot in value_history(crm, customer)]
    if as_json:
        typer.echo(json.dumps({"customer_id": customer, "values": points}, indent=2))
        return
    table = Table("Valued on", "Observed until", "Tier", "Value", "From", "To", "History", "Why")
    for point in points:
        valued_on = datetime.fromisoformat(point["scored_at"]).astimezone(crm.firm.zone).date()
        why = ", ".join(reason["code"] for reason in point["reasons"])
        figures = [str(point[name] or "-") for name in ("clv", "clv_low", "clv_high", "history_value")]
        table.add_row(valued_on.isoformat(), point["observed_until"], point["tier"], *figures, why)
    Console().print(table)


def migration_command(
    context: typer.Context,
    since: Annotated[datetime, typer.Option("--from", formats=_DAY, help="The end of this day.")],
    until: Annotated[datetime, typer.Option("--to", formats=_DAY, help="The end of this day.")],
    as_json: Json = False,
) -> None:
    """How many customers went from which tier to which between two days."""
    crm: Crm = context.obj()
    found = tier_migration(crm, since.date(), until.date())
    if as_json:
        moves = [{"from": a, "to": b, "customers": n} for (a, b), n in sorted(found.counts.items())]
        days = {"from": found.since.isoformat(), "to": found.until.isoformat()}
        typer.echo(json.dumps({**days, "moves": moves}, indent=2))
        return
    table = Table(f"{found.since} \\ {found.until}", *_TIERS)
    for before in _TIERS:
        table.add_row(before, *(str(found.counts.get((before, after), 0)) for after in _TIERS))
    Console().print(table)


def simulate_command(
    context: typer.Context,
    customer: Annotated[str | None, typer.Option(help="One customer; without, everybody.")] = None,
    need_met: Annotated[str | None, typer.Option(help="The id of an open need of his that were met.")] = None,
    leaves: Annotated[bool, typer.Option("--leaves", help="He leaves.")] = False,
    margin: Annotated[float | None, typer.Option(help="Percentage points that margins change by.")] = None,
    as_json: Json = False,
) -> None:
    """What would happen: if a need were met, a customer left, or margins changed. Nothing is stored."""
    crm: Crm = context.obj()
    found = _simulate(crm, customer, need_met, leaves, margin)
    if as_json:
        typer.echo(json.dumps(plain(found), indent=2))
        return
    typer.echo(f"{found.question[0].upper()}{found.question[1:]}:")
    table = Table("", "Customers", "Value", "Potential", *TIERS)
    for name, outcome in (("now", found.before), ("then", found.after)):
        money = [format_money(amount, found.currency) for amount in (outcome.clv, outcome.potential)]
        counts = [str(outcome.tiers[tier]) for tier in TIERS]
        table.add_row(name, str(outcome.customers), *money, *counts)
    Console().print(table)


def answer_command(
    context: typer.Context,
    customer: Customer,
    trait: Annotated[str, typer.Argument(help="switching, commitment, share_with_us, time or dimension.")],
    answer: Annotated[str, typer.Argument(help="What he answered.")],
) -> None:
    """Keep what a customer answered of himself; his buyer type and his nine-type follow from it."""
    state_trait(context.obj(), customer, trait, answer)
    typer.echo(f"{customer}: {trait} {answer}")


def _simulate(
    crm: Crm, customer: str | None, need: str | None, leaves: bool, margin: float | None
) -> Simulation:
    if sum((need is not None, leaves, margin is not None)) != 1:
        raise NothingToSimulate("ask one question: --need-met, --leaves or --margin")
    if margin is not None:
        return if_margins_change(crm, Decimal(str(margin)), customer)
    if customer is None:
        raise NothingToSimulate("name the customer with --customer")
    return if_customer_leaves(crm, customer) if need is None else if_need_is_met(crm, customer, need)


def _print_profile(profile: CustomerProfile) -> None:
    card = profile.card

    def money(amount: Decimal | None) -> str:
        return "unknown" if amount is None else format_money(amount, card.currency)

    typer.echo(f"{card.customer_id}: {card.tier}, as of {card.as_of}{' (stale)' if card.stale else ''}")
    for why in card.why:
        typer.echo(f"  {why}")
    days = card.frequency + 1
    typer.echo(
        f"  Bought on {days} day{'' if days == 1 else 's'}, the last "
        f"{card.days_since_last_purchase:.0f} days before; active with {card.p_alive:.0%}, "
        f"{card.expected_purchases:.1f} purchases expected in {card.horizon_days} days, "
        f"worth less than nothing with {card.p_below_zero:.0%}."
    )
    table = Table("Value", card.currency, "")
    table.add_row("history", money(card.history_value), "what he has brought so far")
    table.add_row("current (clv)", money(card.clv), f"95 %: {money(card.clv_low)} to {money(card.clv_high)}")
    known = "" if profile.cost is None else profile.cost.provenance
    table.add_row("cost to serve in it", money(card.cost_to_serve), known)
    for part in card.potential_parts:
        table.add_row("potential", money(part.amount), f"{part.provenance}: {part.source.replace('_', ' ')}")
    table.add_row("strategic", money(card.strategic_value), card.strategic_provenance)
    if card.strategic_value is not None and card.share_of_customer is None:
        table.add_row("share of customer", "undefined", "of somebody who brings nothing")
    else:
        share = "unknown" if card.share_of_customer is None else f"{card.share_of_customer:.0%}"
        table.add_row("share of customer", share, card.strategic_provenance)
    Console().print(table)
    methods: tuple[tuple[str, Finding[Any] | None, Mapping[str, str]], ...] = (
        ("cost to serve", profile.cost, {}),
        ("loyalty group", profile.loyalty, STRATEGY_OF_FEW if profile.is_developed else STRATEGY),
        ("buyer type", profile.buyer, MEANING_OF_LOST),
        ("lifecycle", profile.lifecycle, TASK),
        ("customer type", profile.nine_type, {}),
        ("relationship", profile.relationship, PRACTICE),
        ("keeping", profile.keeping, {}),
    )
    for name, finding, advice in methods:
        if finding is not None:
            kind = (finding.kind or "unknown").replace("_", " ")
            typer.echo(f"{name}: {kind}. {finding.why} {advice.get(finding.kind or '', '')}".rstrip())
    if profile.rests_on is not None:
        typer.echo(f"The value rests on an assumption: {profile.rests_on}")
    typer.echo(profile.assumption.words(card.currency))


def _print_change(change: ValueChange) -> None:
    before, after = (format_money(amount, change.currency) for amount in (change.before, change.after))
    typer.echo(f"From {change.since} ({change.tier_before}, {before})")
    typer.echo(f"to {change.until} ({change.tier_after}, {after}):")
    for moved in change.moved:
        typer.echo(f"  {format_money(moved.amount, change.currency)}: {WORDS[moved.cause]}")
