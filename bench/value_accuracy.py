"""Is the engine as good as the best closed form and the best simple rule, on ranking and on amounts at once?

Each log, and each simulated shop that breaks what the closed forms assume, is cut at three days (rolling
origins); everybody forecasts the quarter of the log after each, knowing nothing later. The contenders are the
engine, BG/NBD, MBG/NBD and Pareto/NBD (each with Gamma-Gamma), and six rules. Differences to the best of the
others, chosen afterwards on the very days that are judged, are bootstrapped over customers.

    .venv/bin/python -m bench.value_accuracy CDNOW_master.txt.gz:customer_id,date,dollar_value \\
        complete_journey_sample.csv.gz:household_id,transaction_timestamp,sales_value \\
        grocery_elog.csv.gz:cust,date

A log is FILE:CUSTOMER,DAY[,AMOUNT]; without an amount every purchase day counts one.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.results import write_result
from bench.value_coverage import purchase_log, read_log
from crmcore.value import MBGNBD, GammaGamma, ParetoNBD
from crmcore.value.accuracy import gini, rmse
from crmcore.value.backtest import Contender, backtest
from crmcore.value.purchase_log import PurchaseLog
from tests.value.worlds import DAYS, World, a_world

FloatArray = NDArray[np.float64]
Measure = Callable[[FloatArray, FloatArray], float]

WORLDS: tuple[World, ...] = ("plain", "season", "drift", "promotion", "batch", "heavy", "regular")
SEEDS = (101, 102, 103)
CUSTOMERS = 2_000
CUTS = (0.5, 0.625, 0.75)  # Shares of the log that are known.
AHEAD = 0.25
DRAWS = 300


def total_error(actual: FloatArray, forecast: FloatArray) -> float:
    return float(abs(forecast.sum() / max(actual.sum(), 1e-9) - 1))


# A measure, whether more is better, and whether a mere ranking can be judged by it.
MEASURES: dict[str, tuple[Measure, bool, bool]] = {
    "gini": (gini, True, True),
    "rmse": (rmse, False, False),
    "total_error": (total_error, False, False),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("logs", nargs="*")
    parser.add_argument("--dry", action="store_true", help="print the figures and write no file")
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    for name, logs in _all(given.logs):
        figures[name] = judged(logs)
        print(name, *(f"\n    {line}" for line in _lines(figures[name])), flush=True)
    if not given.dry:
        write_result(
            "value_accuracy",
            "python -m bench.value_accuracy " + " ".join(Path(log.split(":")[0]).name for log in given.logs),
            figures,
            "Means over the origins. 'best' is the best other contender of a measure, chosen afterwards; "
            "'difference' is the engine less it, signed so that more is better for the engine, with the 95 % "
            "interval of the mean over origins by bootstrap over customers. 'chosen' is what its own "
            "validation chose on each origin. Simulated shops: three seeds each.",
        )


def _all(given: list[str]) -> Iterator[tuple[str, list[PurchaseLog]]]:
    for log in given:
        path, _, columns = log.partition(":")
        yield Path(path).name.split(".")[0], [_read(Path(path), *columns.split(","))]
    for world in WORLDS:
        yield world, [a_world(world, seed, CUSTOMERS, DAYS) for seed in SEEDS]


def _read(path: Path, customer: str, day: str, amount: str = "") -> PurchaseLog:
    return purchase_log(read_log(path, customer, day, amount))


def judged(logs: list[PurchaseLog]) -> dict[str, Any]:
    rounds: list[tuple[dict[str, FloatArray], dict[str, list[Contender]]]] = []
    chosen = []
    for log in logs:
        first, last = int(log.day.min()), int(log.day.max())
        horizon = int(AHEAD * (last - first))
        for cut in CUTS:
            until = min(first + int(cut * (last - first)), last - horizon)
            found = backtest(log, until, horizon)
            chosen.append(str(found.forecaster.variant))
            known = log.until(until)
            contenders = [*found.contenders, *_closed_forms(known, until, horizon)]
            rounds.append(({"purchases": found.actual_purchases, "spend": found.actual_spend}, contenders))
    figures: dict[str, Any] = {"origins": len(rounds), "chosen": chosen}
    for what in ("purchases", "spend"):
        for name, (measure, more, ranking) in MEASURES.items():
            figures[f"{name} of {what}"] = _compared(rounds, what, measure, more, ranking)
    return figures


def _closed_forms(known: PurchaseLog, until: int, horizon: int) -> Iterator[Contender]:
    summary = known.summary(until)
    spend = GammaGamma().fit(summary)
    each = spend.expected_spend(summary)
    each = np.where(np.isfinite(each), each, np.nanmean(np.where(np.isfinite(each), each, np.nan)))
    for model in (MBGNBD(), ParetoNBD()):
        purchases = model.fit(summary).expected_purchases(summary, horizon)
        yield Contender(model.NAME, purchases, purchases * each, True)


def _compared(rounds: list[Any], what: str, measure: Measure, more: bool, ranking: bool) -> dict[str, Any]:
    sign = 1 if more else -1
    names = [c.name for c in rounds[0][1] if c.is_forecast or ranking]
    scores = {
        name: [measure(actual[what], getattr(_named(those, name), what)) for actual, those in rounds]
        for name in names
    }
    means = {name: float(np.mean(of)) for name, of in scores.items()}
    best = max((name for name in names if name != "engine"), key=lambda name: sign * means[name])
    rng = np.random.default_rng(1)
    drawn = np.empty((len(rounds), DRAWS))
    for i, (actual, those) in enumerate(rounds):
        truth, mine, its = actual[what], getattr(those[0], what), getattr(_named(those, best), what)
        for k in range(DRAWS):
            rows = rng.integers(0, len(truth), len(truth))
            drawn[i, k] = sign * (measure(truth[rows], mine[rows]) - measure(truth[rows], its[rows]))
    low, high = np.quantile(drawn.mean(axis=0), [0.025, 0.975])
    return {
        "engine": round(means["engine"], 5),
        "best": best,
        "best_is": round(means[best], 5),
        "difference": round(sign * (means["engine"] - means[best]), 5),
        "from": round(float(low), 5),
        "to": round(float(high), 5),
    }


def _named(contenders: list[Contender], name: str) -> Contender:
    return next(c for c in contenders if c.name == name)


def _lines(figures: dict[str, Any]) -> Iterator[str]:
    yield ", ".join(figures["chosen"])
    for name, found in figures.items():
        if isinstance(found, dict):
            yield (
                f"{name}: {found['engine']:.4f}, {found['best']} {found['best_is']:.4f}, "
                f"{found['difference']:+.4f} ({found['from']:+.4f} to {found['to']:+.4f})"
            )


if __name__ == "__main__":
    main()
