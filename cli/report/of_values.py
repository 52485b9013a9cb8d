"""The figures of the values in force: tiers, loyalty, how values spread, how sure they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from cli.report import charts
from cli.report.charts import Chart, layer, names, numbers, rule, told_by
from cli.report.figures import Figure, Table, figure
from cli.report.numbers import count, money, percent
from crmcore.tiers import Tier
from crmcore.usecases.value_findings import Missing
from crmcore.usecases.value_in_force import TierTotal, Values
from crmcore.value.loyalty import STRATEGY, LoyaltyGroup
from crmcore.value.loyalty_map import LoyaltyMap
from crmcore.value.spread import Bar, Typical

TIERS: Mapping[Tier, str] = {
    "MVC": "Most valuable", "MGC": "Most growable", "core": "Core", "BZ": "Below zero",
}  # fmt: skip
_GROUPS: Mapping[LoyaltyGroup, tuple[str, str, str]] = {  # Name, colour, class of the key.
    "true_friend": ("True friends", charts.ACTUAL, "actual"),
    "butterfly": ("Butterflies", charts.OTHER, "other"),
    "barnacle": ("Barnacles", charts.BELOW, "below"),
    "stranger": ("Strangers", charts.PALE, "pale"),
}
_RANGE = "± (19 of 20)"
_PEOPLE, _VALUE = "of the customers", "of the value"


def worth(values: Values) -> Iterator[Figure]:
    """Tiers, loyalty, histogram, intervals."""
    yield _tiers(values)
    if not isinstance(values.loyalty, Missing):
        yield _loyalty(values, values.loyalty)
    yield _histogram(values)
    if not isinstance(values.typical, Missing):
        yield _typical(values, values.typical)


def unknown(values: Values) -> list[Missing]:
    """What the values in force do not hold, each once."""
    return list({part: part for part in (values.loyalty, values.typical) if isinstance(part, Missing)})


def in_order(values: Values) -> list[TierTotal]:
    """The most valuable first, below zero last."""
    by_tier = {total.tier: total for total in values.tiers}
    return [by_tier[tier] for tier in TIERS]


def _tiers(values: Values) -> Figure:
    total, best = values.total, in_order(values)[0]
    rows = []
    for of in in_order(values):
        rows.append({"tier": TIERS[of.tier], "of": _PEOPLE, "share": of.customers / values.customers})
        if total > 0:  # Of less, a share would say nothing.
            rows.append({"tier": TIERS[of.tier], "of": _VALUE, "share": float(of.value / total)})
    share = percent(best.customers / values.customers)
    held = percent(float(best.value / total)) if total > 0 else money(best.value, values.currency)
    bars = layer(
        rows,
        "bar",
        y=names("tier", None, list(TIERS.values())),
        x=numbers("share", "share of all", format=".0%"),
        yOffset={"field": "of", "type": "nominal", "sort": [_PEOPLE, _VALUE]},
        color=told_by("of", {_PEOPLE: charts.PALE, _VALUE: charts.FORESEEN}),
    )
    return figure(
        Chart([bars, rule("x", 0, strokeDash=[1, 0])], height=300),
        title=f"{share} of the customers, the most valuable, hold {held} of the value",
        reading="The upper bar of each tier is its share of the customers, the lower one its share of the "
        "value; below zero, service costs more than purchases bring. In 19 cases of 20 what a tier brings "
        "is off by no more than the figure beside its value.",
        table=Table(
            ("Tier", "Customers", "Share", "Value", _RANGE, "Value a customer", "Could add"),
            [*(_tier_row(of, values) for of in in_order(values)), _row_of_all(values)],
        ),
        key=(("pale", _PEOPLE), ("foreseen", _VALUE)),
    )


def _tier_row(of: TierTotal, values: Values) -> tuple[str, ...]:
    currency = values.currency
    each = money(of.value / of.customers, currency) if of.customers else "–"
    return (
        TIERS[of.tier],
        count(of.customers),
        percent(of.customers / values.customers, 1),
        money(of.value, currency),
        _range_of(of.low, of.high, currency),
        each,
        money(of.potential, currency),
    )


def _row_of_all(values: Values) -> tuple[str, ...]:
    currency = values.currency
    return (
        "All",
        count(values.customers),
        percent(1.0, 1),
        money(values.total, currency),
        _range_of(values.low, values.high, currency),
        money(values.total / values.customers, currency),
        money(sum((of.potential for of in values.tiers), Decimal(0)), currency),
    )


def _range_of(low: float | None, high: float | None, currency: str) -> str:
    if low is None or high is None:
        return "unknown"
    return f"± {money((high - low) / 2, currency)}"  # The range of a sum is even to both sides.


def _loyalty(values: Values, found: LoyaltyMap) -> Figure:
    rows = [
        {"x": p.purchases, "y": p.value, "n": p.customers, "group": _GROUPS[p.group][0]} for p in found.points
    ]
    xs, ys = [p.purchases for p in found.points], [p.value for p in found.points]
    points = layer(
        rows,
        "point",
        of={"opacity": 0.75},
        x=numbers(
            "x",
            f"purchases expected in {values.horizon_days} days",
            axis=_growing(min(xs), max(xs), found.bend_purchases),
            scale={"type": "symlog", "constant": found.bend_purchases},
        ),
        y=numbers(
            "y",
            f"value, {values.currency}",
            axis=_growing(min(ys), max(ys), found.bend_value),
            scale={"type": "symlog", "constant": found.bend_value},
        ),
        size={
            "field": "n",
            "type": "quantitative",
            "scale": {"type": "sqrt", "range": [6, 260]},
            "legend": None,
        },
        color=told_by("group", {name: colour for name, colour, _ in _GROUPS.values()}),
    )
    of_group = {total.group: total for total in found.groups}
    friends = of_group["true_friend"]
    return figure(
        Chart([rule("x", found.borders.purchases), rule("y", found.borders.clv), points], height=300),
        title=f"{percent(friends.customers / values.customers)} of the customers are true friends, worth "
        f"{money(friends.value, values.currency)} together",
        reading="Each point stands for customers close to each other, the larger the more: who is to the "
        "right of the dashed line buys more often than the firm’s middle, who is above it is worth more; "
        "steps grow towards the edges.",
        table=Table(
            ("Group", "Customers", "Value", _RANGE, "What to do"),
            [
                (
                    name,
                    count(of_group[group].customers),
                    money(of_group[group].value, values.currency),
                    _range_of(of_group[group].low, of_group[group].high, values.currency),
                    STRATEGY[group],
                )
                for group, (name, _, _) in _GROUPS.items()
            ],
        ),
        key=tuple((f"round {kind}", name) for name, _, kind in _GROUPS.values()),
    )


def _histogram(values: Values) -> Figure:
    found = values.bars
    closed = next(bar for bar in found if bar.low is not None and bar.high is not None)
    step = (closed.high or 0) - (closed.low or 0)
    rows = []
    for bar in found:
        low = bar.low if bar.low is not None else (bar.high or 0) - step
        high = bar.high if bar.high is not None else (bar.low or 0) + step
        kind = "open" if None in (bar.low, bar.high) else "below" if high <= 0 else "above"
        rows.append({"low": low, "high": high, "n": bar.customers, "kind": kind})
    kinds = {"above": charts.FORESEEN, "below": charts.BELOW, "open": charts.PALE}
    bars = layer(
        rows,
        "bar",
        of={"stroke": "var(--surface)", "strokeWidth": 1},
        x=numbers("low", f"value, {values.currency}", axis={"grid": False}),
        x2={"field": "high"},
        y=numbers("n", "customers"),
        y2={"datum": 0},
        color=told_by("kind", kinds),
    )
    key = [("foreseen", "above zero")]
    key += [("below", "below zero")] if any(row["kind"] == "below" for row in rows) else []
    key += [("pale", "all beyond this end")] if any(row["kind"] == "open" for row in rows) else []
    middle = money(values.median, values.currency)
    return figure(
        Chart([bars]),
        title=f"Half of the customers are worth less than {middle} over the next {values.horizon_days} days",
        reading="Each bar counts the customers whose value lies in its range; where a few carry much, the "
        "middle says more than the mean.",
        table=Table(
            ("Value", "Customers"), [(_range(bar, values.currency), count(bar.customers)) for bar in found]
        ),
        key=tuple(key),
    )


def _range(bar: Bar, currency: str) -> str:
    if bar.low is None:
        return f"below {money(bar.high or 0, currency)}"
    if bar.high is None:
        return f"{money(bar.low, currency)} and more"
    return f"{money(bar.low, currency)} to {money(bar.high, currency)}"


def _typical(values: Values, found: tuple[Typical, ...]) -> Figure:
    rows = [{"tenth": str(t.number), "value": t.value, "low": t.low, "high": t.high} for t in found]
    tenth = names("tenth", "tenths of the customers, highest value first", [str(t.number) for t in found])
    unit = f"value, {values.currency}"
    ranges = layer(
        rows, "rule", of={"color": charts.PALE, "strokeWidth": 5, "strokeCap": "round"},
        x=tenth, y=numbers("low", unit), y2={"field": "high"},
    )  # fmt: skip
    points = layer(
        rows, "point", of={"color": charts.FORESEEN, "size": 70}, x=tenth, y=numbers("value", unit)
    )
    best, currency = found[0], values.currency
    return figure(
        Chart([ranges, points]),
        title=f"A typical customer of the best tenth is worth {money(best.value, currency)}; "
        f"{money(best.low, currency)} to {money(best.high, currency)} may come of him",
        reading="The point is the middle customer of a tenth, the stroke what he may really bring in 19 "
        "cases of 20: of one customer little is certain, of many together much more.",
        table=Table(
            ("Tenth", "Value", "At least", "At most"),
            [
                (str(t.number), *(money(figure, currency) for figure in (t.value, t.low, t.high)))
                for t in found
            ],
        ),
        key=(("round foreseen", "value"), ("pale", "what may come, 19 cases of 20")),
    )


def _growing(low: float, high: float, bend: float) -> dict[str, object]:
    """An axis with 0 and round numbers in steps of about three on both sides, from its bend on."""
    up = [factor * 10.0**power for power in range(-3, 10) for factor in (1, 3)]
    above = [tick for tick in up if bend / 2 <= tick <= high]
    under = [-tick for tick in reversed(up) if bend / 2 <= tick <= -low]
    thin = 2 if len(above) + len(under) > 9 else 1
    ticks = [*under[::-1][::thin][::-1], 0.0, *above[::thin]]
    return {"values": ticks, "labelExpr": "format(datum.value, ',')"}
