"""Which layers a forecast gets: the shop's own past decides, on windows inside the observation.

Every variant is fitted as of earlier days (rolling origins), to nothing but what was known then, and judged
by what came. The loss is a deviance, of counts (Poisson) and of money (Tweedie), which is small only when
ranking and amount are both right. A layer stays unless it was clearly worse in every window: a rhythm has
its own evidence in the pauses and pace in the weekly counts, habits are few coefficients under a penalty, and
one window of one shop is one case, which a Christmas decides as it likes. The dozen coefficients of the whole
history are taken only if they were clearly better in every window.
"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from crmcore.value.accuracy import relative_losses
from crmcore.value.forecast_features import Kind
from crmcore.value.forecast_fit import SAMPLE, Workshop
from crmcore.value.forecasting import Forecaster, Trial, Variant
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.summary import InvalidHistory

LEAST_REPEAT_BUYERS = 20
ENOUGH_TO_CHOOSE = 200  # Repeat buyers; of fewer, chance would choose, so nothing is tried.
_WINDOWS = 2
_CLEARLY = 0.02  # Of the loss; less, chance gives to one of two equals in both windows.

_PARETO = Variant("pareto-nbd")
_RHYTHM = Variant("pareto-cnbd")
_TRIPS = Variant("pareto-trips")


def fit_forecaster(log: PurchaseLog, until: int, horizon: int) -> Forecaster:
    """Choose among the variants by rolling origins inside the log until ``until``, and fit the chosen one.

    horizon : whole days after ``until``. Fewer than 200 repeat buyers get pace and habits without trials, and
    the rhythm or the trips that their pauses show. Raises :class:`InvalidHistory` when fewer than 20
    customers bought again: then past means are all that can be said.
    """
    known = log.until(until).some(SAMPLE)
    workshop = Workshop(known)
    repeat_buyers = int((known.summary(until).frequency > 0).sum())
    if repeat_buyers < LEAST_REPEAT_BUYERS:
        raise InvalidHistory(
            f"only {repeat_buyers} customers bought again until day {until}; a forecast needs "
            f"{LEAST_REPEAT_BUYERS}"
        )
    base = workshop.suggested(until)
    trials = _trials(workshop, base, until, horizon) if repeat_buyers >= ENOUGH_TO_CHOOSE else ()
    return replace(workshop.fit(choose(trials, base), until, horizon), trials=trials)


def choose(trials: tuple[Trial, ...], base: Variant = _PARETO) -> Variant:
    """``base``, which the pauses suggest, with pace and habits, less what was clearly worse in
    every window; history where it was better in all."""
    losses = _losses(trials)
    chosen = _PARETO if _better(losses, _PARETO, base) else base
    pace = replace(chosen, pace=True)
    if not _better(losses, chosen, pace):
        chosen = pace
    habits, history = (replace(chosen, recalibration=kind) for kind in get_args(Kind))
    if not _better(losses, chosen, habits):
        chosen = habits
    return history if _better(losses, history, chosen) else chosen


def why_chosen(trials: tuple[Trial, ...]) -> tuple[str, ...]:
    """A sentence for each layer: its losses, those without it, and what followed. None where fewer than two
    windows were judged, because then nothing followed from them."""
    losses = _losses(trials)
    suggested = next((base for base in (_RHYTHM, _TRIPS) if base in losses), _PARETO)
    chosen = choose(trials, suggested)
    plain = Variant(chosen.base)
    clock = replace(chosen, recalibration=None)
    habits, history = (replace(clock, recalibration=kind) for kind in get_args(Kind))
    plainer = clock if _better(losses, clock, habits) else habits
    asked = (
        ("the rhythm of customers", _RHYTHM, _PARETO, plain == _RHYTHM, "worse"),
        ("trips of several purchases", _TRIPS, _PARETO, plain == _TRIPS, "worse"),
        ("the pace of the shop", replace(plain, pace=True), plain, chosen.pace, "worse"),
        ("the habits of customers", habits, clock, plainer == habits, "worse"),
        ("their whole history", history, plainer, chosen == history, "better"),
    )
    return tuple(
        f"With {layer} the loss on earlier windows was {_listed(losses[one])}, without it "
        f"{_listed(losses[other])}: {_followed(taken, measure)}."
        for layer, one, other, taken, measure in asked
        if min(len(losses.get(one, ())), len(losses.get(other, ()))) >= _WINDOWS
    )


def _losses(trials: tuple[Trial, ...]) -> dict[Variant, tuple[float, ...]]:
    return {trial.variant: trial.losses for trial in trials}


def _better(losses: dict[Variant, tuple[float, ...]], one: Variant, other: Variant) -> bool:
    """Clearly, in every window of two at least; the two overlap by half."""
    pairs = list(zip(losses.get(one, ()), losses.get(other, ()), strict=False))
    return len(pairs) >= _WINDOWS and all(mine < its * (1 - _CLEARLY) for mine, its in pairs)


def _listed(losses: tuple[float, ...]) -> str:
    return " and ".join(f"{loss:.3f}" for loss in losses)


def _followed(taken: bool, measure: str) -> str:
    clearly = f"more than {_CLEARLY:.0%} {measure} in both".replace("%", " %")
    if measure == "better":
        return f"{clearly}, so it was taken" if taken else f"not {clearly}, so it was not taken"
    return f"not {clearly}, so it stays" if taken else f"{clearly}, so it was left out"


def _trials(workshop: Workshop, base: Variant, until: int, horizon: int) -> tuple[Trial, ...]:
    """Variants on the last two whole windows, the best first; none when the log is too short.

    The recalibrations are tried on the clock that stays.
    """
    window, origins = workshop.origins(until, horizon)
    judged = [origin for origin in origins if origin <= until - window][-_WINDOWS:]
    if not judged:
        return ()

    def tried(*variants: Variant) -> tuple[Trial, ...]:
        return tuple(
            Trial(variant, tuple(_loss(workshop, variant, origin, window) for origin in judged))
            for variant in variants
        )

    found = tried(*dict.fromkeys((Variant(), _PARETO, base)))
    base = Variant(choose(found, base).base)
    found += tried(replace(base, pace=True))
    if all(workshop.origins(origin, window)[1] for origin in judged):
        clock = replace(choose(found, base), recalibration=None)
        found += tried(*(replace(clock, recalibration=kind) for kind in get_args(Kind)))
    return tuple(sorted(found, key=lambda trial: trial.loss))


def _loss(workshop: Workshop, variant: Variant, origin: int, window: int) -> float:
    forecast = workshop.fit(variant, origin, window).predict(workshop.known_on(origin))
    actual = workshop.actual(origin, window)
    return float(relative_losses(*actual, forecast.purchases, forecast.spend).mean())
