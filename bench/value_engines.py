"""One engine in a process of its own: fit both models, score, say how long and how much memory it took.

    python bench/value_engines.py ENGINE SUMMARY.npz REPETITIONS

Prints one JSON object. It imports nothing of ours but inside the engine ``ours``, so that peers run in
environments of their own.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HORIZON_DAYS = 365
DISCOUNT_RATE_A_MONTH = 0.01
PART = 1_000_000  # Ours scores larger firms in parts of so many customers, as any batch would.
WARM_UP = 2_000  # Customers of a first round whose times are thrown away: imports, compilers, caches.


class Ours:
    def __init__(self, x: Any, t_x: Any, T: Any, spend: Any) -> None:
        from crmcore.value import BGNBD, GammaGamma, PurchaseSummary

        self._bgnbd, self._gamma_gamma = BGNBD, GammaGamma
        self._summary = PurchaseSummary.of(x, t_x, T, np.where(x > 0, spend, np.nan))

    def fit_purchases(self) -> list[float]:
        self._buying = self._bgnbd().fit(self._summary)
        return list(vars(self._buying.params_).values())

    def fit_spend(self) -> list[float]:
        self._spend = self._gamma_gamma().fit(self._summary)
        return list(vars(self._spend.params_).values())

    def score(self) -> list[float]:
        discount = np.log1p(DISCOUNT_RATE_A_MONTH) * 12 / HORIZON_DAYS
        totals = np.zeros(3)
        for part in self._summary.parts(PART):
            ahead = self._buying.predict(part, HORIZON_DAYS, discount)
            value = ahead.discounted_purchases * self._spend.expected_spend(part)
            totals += [float(a.sum()) for a in (ahead.p_alive, ahead.expected_purchases, value)]
        return totals.tolist()


class Lifetimes:
    def __init__(self, x: Any, t_x: Any, T: Any, spend: Any) -> None:
        import lifetimes
        import pandas as pd

        self._lifetimes = lifetimes
        self._data = pd.DataFrame({"x": x, "t_x": t_x, "T": T, "spend": np.where(x > 0, spend, 0.0)})
        self._repeat = self._data[(self._data.x > 0) & (self._data.spend > 0)]

    def fit_purchases(self) -> list[float]:
        self._buying = self._lifetimes.BetaGeoFitter()
        self._buying.fit(self._data.x, self._data.t_x, self._data["T"])
        return [float(self._buying.params_[k]) for k in ("r", "alpha", "a", "b")]

    def fit_spend(self) -> list[float]:
        self._spend = self._lifetimes.GammaGammaFitter()
        self._spend.fit(self._repeat.x, self._repeat.spend)
        return [float(self._spend.params_[k]) for k in ("p", "q", "v")]

    def score(self) -> list[float]:
        d = self._data
        alive = self._buying.conditional_probability_alive(d.x, d.t_x, d["T"])
        purchases = self._buying.conditional_expected_number_of_purchases_up_to_time(
            HORIZON_DAYS, d.x, d.t_x, d["T"]
        )
        value = self._spend.customer_lifetime_value(
            self._buying, d.x, d.t_x, d["T"], d.spend, time=12, discount_rate=DISCOUNT_RATE_A_MONTH, freq="D"
        )
        return [float(np.asarray(a).sum()) for a in (alive, purchases, value)]


class PymcMarketing:
    """Maximum a posteriori, its fastest way; its default priors."""

    def __init__(self, x: Any, t_x: Any, T: Any, spend: Any) -> None:
        import logging

        import pandas as pd
        from pymc_marketing import clv

        logging.getLogger("pymc").setLevel(logging.ERROR)
        self._clv = clv
        self._data = pd.DataFrame(
            {
                "customer_id": np.arange(len(x)),
                "frequency": x,
                "recency": t_x,
                "T": T,
                "monetary_value": np.where(x > 0, spend, 0.0),
            }
        )
        self._repeat = self._data[(self._data.frequency > 0) & (self._data.monetary_value > 0)]

    def fit_purchases(self) -> list[float]:
        self._buying = self._clv.BetaGeoModel()
        self._buying.fit(self._data, method="map", progressbar=False)
        return self._found(self._buying, ("r", "alpha", "a", "b"))

    def fit_spend(self) -> list[float]:
        self._spend = self._clv.GammaGammaModel()
        self._spend.fit(self._repeat, method="map", progressbar=False)
        return self._found(self._spend, ("p", "q", "v"))

    def score(self) -> list[float]:
        alive = self._buying.expected_probability_alive(self._data)
        purchases = self._buying.expected_purchases(self._data, future_t=HORIZON_DAYS)
        value = self._spend.expected_customer_lifetime_value(
            self._buying, self._data, future_t=12, discount_rate=DISCOUNT_RATE_A_MONTH, time_unit="D"
        )
        return [float(np.asarray(a).sum()) for a in (alive, purchases, value)]

    @staticmethod
    def _found(model: Any, names: tuple[str, ...]) -> list[float]:
        posterior = model.idata["posterior"]
        return [float(np.asarray(posterior[name]).mean()) for name in names]


ENGINES: dict[str, Callable[..., Any]] = {
    "ours": Ours,
    "lifetimes": Lifetimes,
    "pymc_marketing": PymcMarketing,
}
TASKS = ("fit_purchases", "fit_spend", "score")


def main(engine: str, path: str, repetitions: int) -> None:
    warnings.simplefilter("ignore")
    with np.load(path) as stored:
        columns = [stored[name] for name in ("x", "t_x", "T", "spend")]
    first = ENGINES[engine](*(column[:WARM_UP] for column in columns))
    for task in TASKS:
        getattr(first, task)()
    at_start = _peak_mb()
    tool = ENGINES[engine](*columns)
    seconds: dict[str, list[float]] = {task: [] for task in TASKS}
    processor: dict[str, list[float]] = {task: [] for task in TASKS}
    found = {}
    for _ in range(repetitions):
        for task in TASKS:
            started, busy = time.perf_counter(), time.process_time()
            found[task] = getattr(tool, task)()
            seconds[task].append(time.perf_counter() - started)
            processor[task].append(time.process_time() - busy)
    result = {"seconds": seconds, "processor_seconds": processor, "found": found}
    print(json.dumps({**result, "peak_mb": _peak_mb(), "mb_before": at_start}))


def _peak_mb() -> float:
    """Of this program alone: the figure of getrusage begins with the parent's."""
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return round(int(peak.split()[1]) / 1024, 1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
