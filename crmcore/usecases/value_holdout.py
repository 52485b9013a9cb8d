"""The hold-out of the value report: a forecast made on a past day beside what came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from crmcore.usecases.value_backtest import OutcomeUnknown, check_length, check_outcome, too_few
from crmcore.usecases.value_findings import Found, Missing, Parameter, parameters, with_advice
from crmcore.value.accuracy import Accuracy
from crmcore.value.backtest import Backtest, Cell, Difference, backtest
from crmcore.value.bgnbd import BGNBD
from crmcore.value.concentration import check_concentration
from crmcore.value.forecast_choice import why_chosen
from crmcore.value.forecasting import Trial
from crmcore.value.lift import Tenth, lift_by_tenth
from crmcore.value.operational_time import WEEK, OperationalTime
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.tracking import track, track_base

Measure = Literal["purchases", "spend"]

_MOST_WEEKS = 52  # Of a hold-out that nobody asked for.
_LEAST_WEEKS = 2
_THIRD = 3


@dataclass(frozen=True)
class Entrant:
    """One way to foresee, against what came; ``total_share`` is its total over the true one. It and ``rmse``
    (per customer) are None where it only ranks."""

    name: str
    total_share: float | None
    gini: float
    top_decile: float
    rmse: float | None


@dataclass(frozen=True)
class Contest:
    """Totals over the hold-out (count or currency), and every entrant; the engine is the first."""

    measure: Measure
    actual: float
    foreseen: float
    entrants: tuple[Entrant, ...]
    differences: tuple[Difference, ...]
    lift: tuple[Tenth, ...]


@dataclass(frozen=True)
class Week:
    """Repeat purchases until the end of ``day``; ``paced`` is expected on the shop's own clock, None where
    the forecast goes by the calendar."""

    day: date
    actual: int
    expected: float
    paced: float | None


@dataclass(frozen=True)
class HoldOut:
    """The forecast knew the days until ``until`` and is compared with the ``horizon`` days after it.

    ``contests``: of purchases, and of spend where anything was spent. ``tracking``: whole weeks of the
    customers known then, expected by the closed form.
    """

    until: date
    horizon: int
    by_default: bool
    customers: int
    variant: str
    trials: tuple[Trial, ...]
    why_chosen: tuple[str, ...]
    contests: tuple[Contest, ...]
    by_frequency: tuple[Cell, ...]
    tracking: tuple[Week, ...]
    parameters: tuple[Parameter, ...]
    diagnostics: tuple[Found, ...]


def hold_out(log: PurchaseLog, until: date | None, horizon: int | None, yesterday: date) -> HoldOut | Missing:
    """See :func:`~crmcore.usecases.value_report.value_report` for what follows where a day is not given."""
    first, last = (date.fromordinal(int(day)) for day in (log.first_day.min(), log.day.max()))
    by_default = until is None and horizon is None
    if by_default:
        span = (last - first).days + 1
        horizon = min(span // _THIRD // WEEK, _MOST_WEEKS) * WEEK
        if horizon < _LEAST_WEEKS * WEEK:
            return Missing(
                f"The orders span {span} days, from {first} to {last}; too short to hold a third out.",
                "Import older orders, or wait until the log is longer.",
            )
    if horizon is None and until is not None:
        horizon = min((last - until).days, _MOST_WEEKS * WEEK)
        if horizon < 1:
            raise OutcomeUnknown(f"the orders end on {last}; choose a day before it, not {until}")
    days = horizon or 0
    check_length(days, last)
    until = until or last - timedelta(days=days)
    check_outcome(until, days, yesterday)
    return too_few(log, until) or _compare(log, until, days, by_default)


def _compare(log: PurchaseLog, until: date, horizon: int, by_default: bool) -> HoldOut | Missing:
    day = until.toordinal()
    log = log.until(day + horizon)
    result = backtest(log, day, horizon)
    if not result.actual_purchases.any():
        return Missing(
            f"None of {len(result.customer_id)} customers bought in the {horizon} days after {until}, so "
            "there is nothing to compare a forecast with.",
            "Choose earlier days with `--until` and `--horizon`; look whether orders are missing in the "
            "import.",
        )
    base = result.forecaster.base
    of_log = check_concentration(log.until(day).summary(day).spent, "spend")
    measures: tuple[Measure, ...] = ("purchases", "spend") if result.actual_spend.any() else ("purchases",)
    return HoldOut(
        until=until,
        horizon=horizon,
        by_default=by_default,
        customers=len(result.customer_id),
        variant=str(result.forecaster.variant),
        trials=result.forecaster.trials,
        why_chosen=why_chosen(result.forecaster.trials),
        contests=tuple(_contest(result, measure) for measure in measures),
        by_frequency=result.by_frequency,
        tracking=_tracking(log, result, day, horizon),
        parameters=parameters(base.purchases, base.spend),
        diagnostics=with_advice([*base.purchases.diagnostics_, *base.spend.diagnostics_, *of_log]),
    )


def _contest(result: Backtest, measure: Measure) -> Contest:
    actual = getattr(result, f"actual_{measure}")
    foreseen = getattr(result.contenders[0], measure)
    entrants = []
    for measured in result.measured:
        found: Accuracy = getattr(measured, measure)
        amounts = (1 + found.total_error, found.rmse) if measured.is_forecast else (None, None)
        entrants.append(Entrant(measured.name, amounts[0], found.gini, found.top_decile, amounts[1]))
    return Contest(
        measure,
        float(actual.sum()),
        float(foreseen.sum()),
        tuple(entrants),
        tuple(d for d in result.differences if d.measure.endswith(measure)),
        lift_by_tenth(actual, foreseen),
    )


def _tracking(log: PurchaseLog, result: Backtest, until: int, horizon: int) -> tuple[Week, ...]:
    first, base = int(log.first_day.min()), result.forecaster.base
    calendar = OperationalTime.calendar(first, until + horizon)
    found = track(log, BGNBD().fit(log.until(until).summary(until)), calendar, until, horizon)
    paced: list[float] | list[None] = [None] * len(found.day)
    if result.forecaster.variant.pace:
        paced = track_base(log, base, horizon).expected.tolist()
    rows = zip(found.day.tolist(), found.actual.tolist(), found.expected.tolist(), paced, strict=True)
    return tuple(
        Week(date.fromordinal(day), int(actual), expected, its) for day, actual, expected, its in rows
    )
