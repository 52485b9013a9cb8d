"""The figures of a hold-out: is the forecast to be trusted, and does the model keep pace?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cli.report import charts
from cli.report.charts import Chart, layer, names, numbers, rule, told_by
from cli.report.figures import Figure, Table, figure
from cli.report.numbers import count, day, money, percent, signed
from crmcore.usecases.value_holdout import Contest, HoldOut, Week
from crmcore.value.backtest import Cell, Difference

_CHANCE = 1.96  # Standard errors on each side in 19 cases of 20.
_ENGINE = "engine"
_FORESEEN = ("line foreseen", "foreseen")
_ACTUAL = ("actual", "came")
_CAME, _CLOSED, _PACED = "came", "closed form", "model on the shop’s own clock"


def trust(held: HoldOut, currency: str) -> Iterator[Figure]:
    """Totals, ranking, lift, calibration; ranking and lift by spend where anything was spent."""
    contest = held.contests[-1]
    yield _totals(held)
    yield _ranking(contest)
    yield _lift(contest, currency)
    yield _by_frequency(held)


def pace(held: HoldOut) -> Iterator[Figure]:
    """Cumulative and weekly tracking."""
    yield _cumulative(held)
    yield _weekly(held)


def verdicts(held: HoldOut) -> list[str]:
    """Whether the engine beat the best of the others, one sentence a measure."""
    return [_verdict(contest, found) for contest in held.contests for found in contest.differences]


def _verdict(contest: Contest, found: Difference) -> str:
    ranks = found.measure.startswith("gini")
    what = f"In ranking by {contest.measure}" if ranks else f"In the {contest.measure} of each customer"
    if found.difference == 0:
        return f"{what} the engine is level with the best other way ({found.best_other})."
    better = found.difference > 0 if ranks else found.difference < 0
    measure, places = ("Gini", 4) if ranks else ("root mean squared error", 3)
    difference, low, high = (signed(x, places) for x in (found.difference, found.low, found.high))
    return (
        f"{what} the engine is {'ahead of' if better else 'behind'} the best other way "
        f"({found.best_other}): {measure} {difference}, in 19 cases of 20 between {low} and {high}. "
        f"{'That may be chance.' if found.low <= 0 <= found.high else 'That is beyond chance.'}"
    )


def _totals(held: HoldOut) -> Figure:
    rows = [
        {"who": entrant.name, "share": entrant.total_share, "of": contest.measure}
        for contest in held.contests
        for entrant in contest.entrants
        if entrant.total_share is not None
    ]
    points = layer(
        rows,
        "point",
        of={"size": 110},
        y=names("who", None, list(dict.fromkeys(str(row["who"]) for row in rows)), grid=True),
        x=numbers("share", "share of what came", format=".0%", scale={"zero": True}),
        color=told_by("of", {"purchases": charts.FORESEEN, "spend": charts.OTHER}),
        shape=told_by("of", {"purchases": "circle", "spend": "diamond"}),
    )
    purchases, *spend = (f"{percent(c.foreseen / c.actual)}" for c in held.contests)
    marks = {"purchases": "round foreseen", "spend": "diamond other"}
    return figure(
        Chart([rule("x", 1), points], height=230),
        title=f"The model foresees {purchases} of the hold-out’s purchases"
        + "".join(f" and {share} of its spend" for share in spend),
        reading="Each point is a forecast’s total beside what came: on the dashed line it was right, to the "
        "left too low, to the right too high.",
        table=Table(
            (
                "Way to foresee",
                *(f"{c.measure.capitalize()} foreseen" for c in held.contests),
                *(f"Error a customer, {c.measure}" for c in held.contests),
            ),
            [
                (same[0].name, *(_share(e.total_share) for e in same), *(_exact(e.rmse) for e in same))
                for same in zip(*(contest.entrants for contest in held.contests), strict=True)
            ],
        ),
        key=tuple((marks[c.measure], c.measure) for c in held.contests),
    )


def _ranking(contest: Contest) -> Figure:
    entrants = contest.entrants
    engine, best = entrants[0], max(entrants[1:], key=lambda e: e.top_decile)
    bars = layer(
        [{"who": e.name, "share": e.top_decile, "engine": str(e.name == _ENGINE)} for e in entrants],
        "bar",
        of={"height": 16},
        y=names("who", None, [e.name for e in entrants]),
        x=numbers("share", f"share of the {contest.measure} that came", format=".0%"),
        color=told_by("engine", {"True": charts.FORESEEN, "False": charts.PALE}),
    )
    return figure(
        Chart([bars, rule("x", 0.1)], height=230),
        title=f"The engine’s best tenth brought {percent(engine.top_decile, 1)} of the {contest.measure}; "
        f"the best other way ({best.name}) finds {percent(best.top_decile, 1)}",
        reading="Each way puts the customers in order, and the bar is what its best tenth brought; the "
        "dashed line is a tenth drawn by chance.",
        table=Table(
            ("Way to rank", "Best tenth brought", "Gini"),
            [(e.name, percent(e.top_decile, 1), f"{e.gini:.3f}") for e in entrants],
        ),
        key=(("foreseen", _ENGINE), ("pale", "closed form and simple rules")),
    )


def _lift(contest: Contest, currency: str) -> Figure:
    tenths = contest.lift
    rows = [{"tenth": str(t.number), "foreseen": t.foreseen, "actual": t.actual} for t in tenths]
    x = names("tenth", "tenths of the customers, best-ranked first", [str(t.number) for t in tenths])
    unit = f"share of the {contest.measure}"
    came, foreseen = (numbers(name, unit, format=".0%") for name in ("actual", "foreseen"))
    total = count(contest.actual) if contest.measure == "purchases" else money(contest.actual, currency)
    return figure(
        Chart(
            [
                layer(rows, "bar", of={"color": charts.ACTUAL}, x=x, y=came),
                layer(rows, "line", of=_line_of_points(30), x=x, y=foreseen),
                rule("y", 0.1),
            ],
            height=260,
        ),
        title=f"The best-ranked tenth brought {tenths[0].actual * 10:.1f} times as much as the average",
        reading="A good forecast has tall bars on the left that fall to the right, and a line along their "
        f"tops; the dashed line is an even tenth of the {contest.measure} ({total} in all).",
        table=Table(
            ("Tenth", "Foreseen", "Came", "Lift"),
            [
                (str(t.number), percent(t.foreseen, 1), percent(t.actual, 1), f"{t.actual * 10:.2f}")
                for t in tenths
            ],
        ),
        key=(_ACTUAL, _FORESEEN),
    )


def _by_frequency(held: HoldOut) -> Figure:
    cells = held.by_frequency
    x = names("label", f"repeat purchases until {day(held.until)}", [c.label for c in cells])
    unit = f"purchases a customer in {held.horizon} days"
    rows = [{"label": c.label, "foreseen": c.foreseen, "actual": c.actual} for c in cells]
    judged = [(cell, *_chance(cell)) for cell in cells]
    ranges = [{"label": cell.label, "low": low, "high": high} for cell, low, high in judged]
    inside = sum(low <= cell.foreseen <= high for cell, low, high in judged)
    stroke = {"color": charts.ACTUAL, "strokeWidth": 2}
    dot = {"color": charts.ACTUAL, "size": 80}
    return figure(
        Chart(
            [
                layer(ranges, "rule", of=stroke, x=x, y=numbers("low", unit), y2={"field": "high"}),
                layer(rows, "point", of=dot, x=x, y=numbers("actual", unit)),
                layer(rows, "line", of=_line_of_points(20), x=x, y=numbers("foreseen", unit)),
            ],
            height=260,
        ),
        title=f"The forecast lies within chance for {inside} of {len(cells)} groups of customers",
        reading="Customers are grouped by how often they had bought again; where the line runs through the "
        "upright stroke, forecast and outcome differ no more than chance allows (19 cases of 20).",
        table=Table(
            ("Repeat purchases", "Customers", "Foreseen", "Came", "In 19 of 20 cases"),
            [
                (
                    c.label,
                    count(c.customers),
                    _exact(c.foreseen),
                    _exact(c.actual),
                    f"{low:.2f} to {high:.2f}",
                )
                for c, low, high in judged
            ],
        ),
        key=(("round actual", "came, with its chance"), _FORESEEN),
    )


def _cumulative(held: HoldOut) -> Figure:
    last = held.tracking[-1]
    title = "Nobody bought again in these weeks"
    if last.actual:
        title = (
            f"The model’s curve ends at {percent(last.expected / last.actual)} of the repeat purchases made"
        )
    return figure(
        _lines(held, held.tracking, "repeat purchases so far", height=280),
        title=title,
        reading="All repeat purchases since the first day, of the customers known on "
        f"{day(held.until)}; on the shaded days the model foresees, before them it was fitted.",
        table=_week_table("Until", held.tracking),
        key=_line_key(held.tracking),
        spans=True,
    )


def _weekly(held: HoldOut) -> Figure:
    weeks = [_gain(before, after) for before, after in zip(held.tracking, held.tracking[1:], strict=False)]
    ahead = [week for week in weeks if week.day > held.until]
    came = sum(week.actual for week in ahead)
    title = "The hold-out has no week to compare"
    if came:
        missed = sum(abs(week.expected - week.actual) for week in ahead) / came
        title = f"Week by week the closed form misses {percent(missed)} of the hold-out’s purchases"
    clock = ""
    if held.tracking[-1].paced is not None:
        clock = " The shop’s clock was learnt from the weeks before the shaded ones, so only these test it."
    return figure(
        _lines(held, weeks, "repeat purchases a week", height=240),
        title=title,
        reading="The same purchases week by week: the model draws the mean, so weeks scatter around it, and "
        f"a season or a campaign stands out.{clock}",
        table=_week_table("Week until", weeks),
        key=_line_key(held.tracking),
        spans=True,
    )


def _lines(held: HoldOut, weeks: Sequence[Week], title: str, height: int) -> Chart:
    amounts = ((_CAME, "actual"), (_CLOSED, "expected"), (_PACED, "paced"))
    rows = [
        {"day": week.day.isoformat(), "n": getattr(week, field), "of": name}
        for week in weeks
        for name, field in amounts
        if getattr(week, field) is not None
    ]
    shade = [{"from": held.until.isoformat(), "to": weeks[-1].day.isoformat()}]
    ground = {"color": charts.GROUND}
    colours = (charts.ACTUAL, charts.FORESEEN, charts.OTHER)
    lines = layer(
        rows,
        "line",
        of={"strokeWidth": 2},
        x=charts.days("day"),
        y=numbers("n", title),
        color=told_by("of", dict(zip((_CAME, _CLOSED, _PACED), colours, strict=True))),
        strokeDash=told_by("of", {_CAME: [1, 0], _CLOSED: [6, 3], _PACED: [2, 2]}),
    )
    return Chart([layer(shade, "rect", of=ground, x=charts.days("from"), x2={"field": "to"}), lines], height)


def _line_key(weeks: Sequence[Week]) -> tuple[tuple[str, str], ...]:
    clock = () if weeks[-1].paced is None else (("dotted other", _PACED),)
    return (("line actual", _CAME), ("dashed foreseen", _CLOSED), *clock, ("ground", "held out"))


def _week_table(first: str, weeks: Sequence[Week]) -> Table:
    clock = () if weeks[-1].paced is None else ("On the shop’s own clock",)
    return Table(
        (first, "Came", "Closed form", *clock),
        [(week.day.isoformat(), count(week.actual), *_expected(week)) for week in weeks],
    )


def _expected(week: Week) -> Iterator[str]:
    for amount in (week.expected, week.paced):
        if amount is not None:
            yield f"{amount:,.1f}"


def _gain(before: Week, after: Week) -> Week:
    paced = None
    if before.paced is not None and after.paced is not None:
        paced = after.paced - before.paced
    return Week(after.day, after.actual - before.actual, after.expected - before.expected, paced)


def _line_of_points(size: int) -> dict[str, Any]:
    return {"color": charts.FORESEEN, "point": {"color": charts.FORESEEN, "size": size}}


def _chance(cell: Cell) -> tuple[float, float]:
    """Where the true mean of such customers lies in 19 cases of 20."""
    return max(cell.actual - _CHANCE * cell.error, 0.0), cell.actual + _CHANCE * cell.error


def _share(of: float | None) -> str:
    return "–" if of is None else percent(of)


def _exact(of: float | None) -> str:
    return "–" if of is None else f"{of:,.2f}"
