"""The figures of every customer: the elementary part of a valuation, the rest looked up in tables.

It follows :func:`~crmcore.value.clv.value_customers` line by line, so that both give the same figures to the
last digits; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ibis
from ibis.expr.types import FloatingValue, IntegerValue, Table, Value

from crmcore.value.clv import MOST_OFTEN
from crmcore.value.dropout import LONGEST_ODDS
from crmcore.value.outlook import LEAST, LEAST_SPREAD, WIDEST
from crmcore.value.potential import PURCHASES_OF_DOUBT, WINDOW_DAYS
from crmcore.value.relational.tables import FARTHEST, STEPS_PER_UNIT, TERMS

Add = Callable[..., Table]  # The table with more columns, and without some.
Fence = Callable[[Table], Table]

# Below these the logarithm and the exponential lose digits, and four or five terms of their series lose none.
_SMALL = 1e-4
_SHORT = 1e-2
_NO_FRACTION = 1.5 * 2.0**52


# Of the two models; after the forms that they are of, nothing reads them.
_PARAMETERS = ("r", "alpha", "purchase_rate", "leaving_rate", "p", "q")

# What tiers and benchmarks look at; ``purchase_size`` is the mean spend on a purchase day, the first one too.
RANKED = (
    "customer_id", "age", "purchase_size", "expected_purchases", "clv", "clv_minor", "potential_minor",
    "p_below_zero", "previous",
)  # fmt: skip


def cell_table(
    constants: Table, grid: Table, fence: Fence, *, horizon_days: float, parameter_error: float
) -> Table:
    """One row a cell: the constants, what is ahead, and how the purchases ahead spread.

    constants, grid : of :mod:`~crmcore.value.relational.tables`.
    """
    t = grid.inner_join(constants, "of_comes_back")
    t = fence(t.mutate(x=t.of_frequency.cast("float64"), T=t.of_age.cast("float64")))
    t = fence(t.mutate(often=t.x * 0.0 + 1.0, count=t.purchases, all_pairs=t.pairs))
    return _spread(t, _adding(fence, frozenset()), horizon_days, parameter_error)


def value_table(
    summary: Table,
    cells: Table,
    normal: Table,
    columns: Sequence[str],
    *,
    horizon_days: float,
    parameter_error: float,
    units: float,
    fence: Fence,
    has_costs: bool,
    foreseen: Table | None = None,
) -> Table:
    """These ``columns`` of the summary and of what is found of each customer:

    - as :class:`~crmcore.value.clv.CustomerValues` names them: all but low and high;
    - what :func:`~crmcore.value.outlook.interval` takes, whose quantiles numpy finds afterwards;
    - as :class:`~crmcore.value.ranking.Money` names them, minor units: all but the interval and the gap.

    fence : what an engine needs between two steps, so that it computes a figure once and not in every place
    that uses it. has_costs : whether the firm has recorded any service cost. foreseen : customer_id, and what
    a forecast foresees of him; it corrects the closed forms of everybody who may leave. summary, cells,
    normal : of :func:`~crmcore.value.relational.summaries.log_summary`, :func:`cell_table` and
    :func:`~crmcore.value.relational.tables.normal_table`.
    """
    add = _adding(fence, frozenset(columns))
    t = summary.inner_join(
        cells,
        (summary.comes_back == cells.of_comes_back)
        & (summary.frequency == cells.of_frequency)
        & (summary.age == cells.of_age),
    )
    t = add(t, "of_comes_back", "of_frequency", "of_age", t_x=t.recency.cast("float64"))
    t = _closed_forms(t, add, units)
    if foreseen is None:
        alive, spend = t.closed_alive, t.closed_spend
    else:
        t = _corrected(t.left_join(foreseen, "customer_id"), add)
        t = _spread(t, add, horizon_days, parameter_error)
        alive, spend = t.p_alive, t.expected_spend
    t = add(
        t,
        *_PARAMETERS,
        *(
            "comes_back",
            "purchases",
            "discounted_purchases",
            "count",
            "pairs",
            "often",
            "closed_spend",
            "expected_spend",
        ),
        p_alive=alive,
        expected_spend=spend,
        expected_purchases=alive * t["count"],
        brings=t.often * t.discounted_purchases * spend * t.contribution_share,
    )
    t = _with_costs(t, add, normal) if has_costs else _without_costs(t, add)
    t = add(
        t,
        *("brings", "costs", "p_buys", "p_costs", "square", "mean", "spread"),
        contribution=t.p_alive * t.brings,
        cost_to_serve=t.p_alive * t.costs,
        clv=t.p_alive * t.brings - t.p_alive * t.costs,
    )
    return _money(t, add, horizon_days, units).select(*columns)


def _adding(fence: Fence, wanted: frozenset[str]) -> Add:
    """For steps that name first the columns that no later step reads: unless they are wanted, they are left
    behind, because an engine's SQL takes long to write where every step names all columns before it."""

    def add(t: Table, *done: str, **columns: Value) -> Table:
        left = (set(done) - wanted) | columns.keys()
        return fence(t.select(*(name for name in t.columns if name not in left), **columns))

    return add


def _closed_forms(t: Table, add: Add, units: float) -> Table:
    t = add(
        t,
        "a",
        "b",
        closed_alive=_alive(t),
        weight=ibis.greatest(t.p * t.x + (t.q - 1.0), LEAST),
        whole=ibis.greatest(t.spent + t.typical_spend, 1e-12),
        recorded_margin=(t.recorded + t.margin * t.unrecorded) / units,
        returned_margin=(t.returned_recorded + t.margin * t.returned_unrecorded) / units,
    )
    returned = (ibis.least(t.returned, t.spent) + t.usual_return * t.typical_spend) / t.whole
    return add(
        t,
        *("weight", "whole", "v", "population_mean", "margin", "typical_spend"),
        *("usual_return", "monetary_value", "recorded", "unrecorded", "returned", "returned_recorded"),
        *("returned_unrecorded", "recorded_margin", "returned_margin"),
        closed_spend=ibis.ifelse(
            t.monetary_value.isnull(), t.population_mean, t.p * (t.v + t.x * t.monetary_value) / t.weight
        ),
        contribution_share=(t.recorded_margin + t.margin * t.typical_spend) / t.whole * (1.0 - returned)
        + 0.0,
        history_value=t.recorded_margin - t.returned_margin - t.service_cost,
    )


def _alike(t: Table) -> bool:
    """Whether the constants are those of plain retention."""
    return "leaving_rate" in t.columns


def _alive(t: Table) -> FloatingValue:
    """``p_alive`` of the purchase model."""
    if _alike(t):
        both = t.purchase_rate + t.leaving_rate
        silence = ibis.least(both * (t["T"] - t.t_x), LONGEST_ODDS)
        alive: FloatingValue = 1.0 / (1.0 + t.leaving_rate / both * (silence.exp() - 1.0))
        return alive
    odds = (t.r + t.x) * ((t.alpha + t["T"]) / (t.alpha + t.t_x)).ln()
    still, gone = t.b + t.x - 1.0, t.a * ibis.least(odds, LONGEST_ODDS).exp()
    return ibis.ifelse(t.x > 0, still / (still + gone), 1.0)


def _corrected(t: Table, add: Add) -> Table:
    """The chance to be active, by what factor an active customer buys more, and what he spends."""
    t = add(t, is_foreseen=~t.comes_back & t.foreseen_purchases.notnull())
    t = add(t, whole_factor=t.foreseen_purchases / (t.closed_alive * t.purchases))
    within = _between(t.whole_factor, 1.0 / MOST_OFTEN, MOST_OFTEN)
    t = add(t, foreseen_alive=ibis.least(t.closed_alive * (t.whole_factor / within), 1.0))
    t = add(
        t,
        p_alive=ibis.ifelse(t.is_foreseen, t.foreseen_alive, t.closed_alive),
        often=ibis.ifelse(t.is_foreseen, t.foreseen_purchases / (t.foreseen_alive * t.purchases), 1.0),
        expected_spend=ibis.ifelse(t.is_foreseen, t.foreseen_spend / t.foreseen_purchases, t.closed_spend),
    )
    done = ("is_foreseen", "foreseen_purchases", "foreseen_spend", "foreseen_alive", "whole_factor")
    return add(t, *done, count=t.often * t.purchases, all_pairs=t.often * t.often * t.pairs)


def _spread(t: Table, add: Add, horizon: float, parameter_error: float) -> Table:
    """The chance to buy at all, and how what is then bought spreads: the gain of
    :func:`~crmcore.value.outlook.outlook`."""
    if _alike(t):
        rate = t.often * t.purchase_rate
        t = add(t, buying_power=(rate + t.leaving_rate) * horizon, buys_first=rate / (rate + t.leaving_rate))
    else:
        power = (t.r + t.x) * _log1p(t.often * horizon / (t.alpha + t["T"]))
        t = add(t, buying_power=power, buys_first=t.x * 0.0 + 1.0)
    t = add(
        t,
        p_buys=ibis.greatest(t.buys_first * _chance(t.buying_power), LEAST),
        of_mean=ibis.ifelse(
            t.p * t.x + t.q > 2.0,
            ibis.least(1.0 / ibis.greatest(t.p * t.x + t.q - 2.0, LEAST), WIDEST),
            WIDEST,
        ),
    )
    t = add(
        t,
        mean_count=ibis.greatest(t["count"] / t.p_buys, 1.0),
        some_count=(t.all_pairs + t["count"]) / t.p_buys,
    )
    square_count = ibis.greatest(t.some_count, t.mean_count * t.mean_count)
    spread = (1.0 + t.of_mean) * (square_count + t.mean_count / t.p) / (t.mean_count * t.mean_count) * (
        1.0 + parameter_error**2
    ) - 1.0
    t = add(t, spread=_between(spread, LEAST_SPREAD, WIDEST))
    done = ("buying_power", "buys_first", "of_mean", "mean_count", "some_count", "all_pairs")
    return add(t, *done, gain_log_variance=(1.0 + t.spread).ln())


def _with_costs(t: Table, add: Add, normal: Table) -> Table:
    """Cost to serve of an active customer as :func:`~crmcore.value.cost_to_serve.forecast_costs`, its law,
    the deviation of the value, and P(value < 0)."""
    rate = t.t_x + t.closed_alive * (t["T"] - t.t_x) + t.prior_days
    t = add(
        t,
        *("service_cost", "active_time", "T", "t_x", "closed_alive", "prior_days", "mean_per_day"),
        events_shape=(t.service_cost + t.prior_days * t.mean_per_day) / t.event_cost,
        ahead=t.active_time / rate,
    )
    t = add(t, "events_shape", events=t.events_shape * t.ahead, cost_power=t.events_shape * _log1p(t.ahead))
    t = add(
        t,
        *("event_cost", "events", "ahead", "cost_power"),
        costs=t.event_cost * t.events,
        cost_deviation=t.event_cost * (t.events * (1.0 + t.ahead)).sqrt(),
        p_costs=_chance(t.cost_power),
        gain_given=t.brings.abs() / t.p_buys,
    )
    t = add(
        t,
        p_costs_given=ibis.ifelse(t.costs > 0, t.p_costs, 1.0),
        cost_mean=ibis.greatest(t.costs, LEAST),
    )
    t = add(t, "cost_deviation", relative=ibis.ifelse(t.costs > 0, t.cost_deviation / t.cost_mean, 0.0))
    t = add(t, "relative", cost_variation=t.relative * t.relative + 1.0)
    cost_spread = _between(t.cost_variation * t.p_costs_given - 1.0, LEAST_SPREAD, WIDEST)
    t = add(
        t,
        "cost_variation",
        cost_log_variance=(1.0 + cost_spread).ln(),
        square=t.p_buys * t.gain_given * t.gain_given * (1.0 + t.spread)
        - 2.0 * t.brings * t.costs
        + t.costs * t.costs * t.cost_variation,
        mean=t.p_alive * (t.brings - t.costs),
    )
    t = add(
        t,
        *("gain_given", "cost_mean", "p_costs_given", "square", "mean"),
        gain_log_mean=ibis.greatest(t.gain_given, LEAST).ln() - t.gain_log_variance / 2.0,
        cost_log_mean=(t.cost_mean / t.p_costs_given).ln() - t.cost_log_variance / 2.0,
        deviation=ibis.greatest(t.p_alive * t.square - t["mean"] * t["mean"], 0.0).sqrt(),
    )
    return _below_zero(t, add, normal)


def _without_costs(t: Table, add: Add) -> Table:
    """The same where nobody ever cost anything: below zero is only who buys below cost."""
    nothing = t.x * 0.0  # A bare number would be a decimal to PostgreSQL.
    done = (
        "service_cost",
        "active_time",
        "T",
        "t_x",
        "closed_alive",
        "prior_days",
        "mean_per_day",
        "event_cost",
    )
    t = add(t, *done, gain_given=t.brings.abs() / t.p_buys, costs=nothing, p_costs=nothing)
    square = t.p_buys * t.gain_given * t.gain_given * (1.0 + t.spread)
    t = add(
        t,
        gain_log_mean=ibis.greatest(t.gain_given, LEAST).ln() - t.gain_log_variance / 2.0,
        cost_log_mean=nothing,
        cost_log_variance=nothing,
        square=square,
        mean=t.p_alive * t.brings,
        p_below_zero=ibis.ifelse(t.brings < 0, t.p_alive * t.p_buys, 0.0),
    )
    return add(
        t,
        *("gain_given", "square", "mean", "gain_log_mean", "cost_log_mean"),
        *("gain_log_variance", "cost_log_variance"),
        deviation=ibis.greatest(t.p_alive * t.square - t["mean"] * t["mean"], 0.0).sqrt(),
    )


def _below_zero(t: Table, add: Add, normal: Table) -> Table:
    """P(value < 0): the normal law at z, by the Taylor series that is tabulated for the nearest step."""
    z = (t.cost_log_mean - t.gain_log_mean) / (t.gain_log_variance + t.cost_log_variance).sqrt()
    t = add(
        t,
        "gain_log_mean",
        "cost_log_mean",
        "gain_log_variance",
        "cost_log_variance",
        z=_between(z, -FARTHEST, FARTHEST),
    )
    t = add(t, of_step=(t.z * float(STEPS_PER_UNIT) + 0.5).floor().cast("int64"))
    t = t.inner_join(normal, t.of_step == normal.step)
    t = add(t, "z", "of_step", "step", "place", h=t.z - t.place)
    loses: FloatingValue = t[f"c{TERMS - 1}"]
    for n in range(TERMS - 2, -1, -1):
        loses = t[f"c{n}"] + t.h * loses
    t = add(t, "h", *(f"c{n}" for n in range(TERMS)), loses=loses)
    with_gain = ibis.ifelse(t.brings < 0, 1.0, t.p_costs * t.loses)
    below = t.p_alive * ((1.0 - t.p_buys) * t.p_costs + t.p_buys * with_gain)
    return add(t, "loses", p_below_zero=_between(below, 0.0, 1.0))


def _money(t: Table, add: Add, horizon_days: float, units: float) -> Table:
    """Potential, as :func:`~crmcore.value.potential.potential_value`, and all money in whole minor units."""
    rise = ibis.greatest(t.recent_spend - t.earlier_spend, 0.0) * (horizon_days / WINDOW_DAYS)
    believed = t.recent_purchases / (t.recent_purchases + PURCHASES_OF_DOUBT)
    seen = t.age >= 2 * WINDOW_DAYS
    t = add(
        t,
        *("spent", "x", "contribution_share", "recent_spend", "earlier_spend", "recent_purchases"),
        purchase_size=t.spent / (t.x + 1.0),
        keeps=ibis.greatest(t.contribution_share, 0.0),
        growth=ibis.ifelse(seen, t.p_alive * believed * rise, 0.0),
        is_estimated=seen | (t.estimated_budget > 0),
    )
    t = add(
        t,
        *("contribution", "cost_to_serve", "deviation", "history_value", "keeps", "growth"),
        *("declared_budget", "estimated_budget", "frequency", "recency", "age", "p_alive", "is_estimated"),
        contribution_minor=whole_minor(t.contribution * units),
        cost_to_serve_minor=whole_minor(t.cost_to_serve * units),
        clv_deviation_minor=whole_minor(t.deviation * units),
        history_minor=whole_minor(t.history_value * units),
        declared_potential_minor=whole_minor(t.keeps * t.declared_budget * units),
        estimated_potential_minor=ibis.ifelse(
            t.is_estimated,
            whole_minor(t.keeps * (t.growth + t.estimated_budget) * units),
            ibis.null("int64"),
        ),
    )
    known = (t.declared_potential_minor > 0) | t.estimated_potential_minor.notnull()
    return add(
        t,
        clv_minor=t.contribution_minor - t.cost_to_serve_minor,
        potential_minor=ibis.ifelse(
            known, t.declared_potential_minor + t.estimated_potential_minor.fill_null(0), ibis.null("int64")
        ),
    )


def whole_minor(exact: FloatingValue) -> IntegerValue:
    """Whole minor units, half to even, where the engines' own rounding differs at the half.

    A float of this size has no room for a fraction, so that adding it rounds as IEEE 754 demands of every
    engine. For amounts below 2^51.
    """
    whole: IntegerValue = ((exact + _NO_FRACTION) - _NO_FRACTION).cast("int64")
    return whole


def _between(value: FloatingValue, least: float, most: float) -> FloatingValue:
    return ibis.least(ibis.greatest(value, least), most)


def _log1p(y: FloatingValue) -> FloatingValue:
    """ln(1 + y) for y >= 0."""
    return ibis.ifelse(y < _SMALL, y * (1.0 - y * (0.5 - y * (1.0 / 3.0 - y * 0.25))), (1.0 + y).ln())


def _chance(z: FloatingValue) -> FloatingValue:
    """1 - exp(-z) for z >= 0: the chance of at least one event."""
    series = z * (1.0 - z / 2.0 * (1.0 - z / 3.0 * (1.0 - z / 4.0 * (1.0 - z / 5.0 * (1.0 - z / 6.0)))))
    return ibis.ifelse(z < _SHORT, series, 1.0 - (-ibis.least(z, LONGEST_ODDS)).exp())
