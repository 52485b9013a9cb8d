"""Fits to simulated firms, and how often their 95% intervals cover the truth."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from crmcore.value import BGNBD, MBGNBD, Estimator, GammaGamma, ParetoNBD, ShiftedBetaGeometric
from tests.value.living import histories, members, spenders

CUSTOMERS, T = 4000, 270.0


@dataclass(frozen=True)
class Recovery:
    """By parameter: the share of intervals (of its logarithm) that cover it; median of found over true."""

    firms: int
    converged: int
    coverage: dict[str, float]
    median_ratio: dict[str, float]


TRUTHS: dict[str, Estimator[Any]] = {
    "bgnbd": BGNBD.of(0.5, 40.0, 0.8, 2.5),
    "mbgnbd": MBGNBD.of(0.6, 40.0, 0.8, 2.5),
    "pareto_nbd": ParetoNBD.of(0.6, 40.0, 0.7, 80.0),
    "gamma_gamma": GammaGamma.of(6.0, 4.0, 15.0),
    "sbg": ShiftedBetaGeometric.of(0.7, 1.8),
}
WORLDS: dict[str, Callable[[Any, np.random.Generator], Any]] = {
    "bgnbd": lambda model, rng: histories(model, rng, CUSTOMERS, T),
    "mbgnbd": lambda model, rng: histories(model, rng, CUSTOMERS, T),
    "pareto_nbd": lambda model, rng: histories(model, rng, CUSTOMERS, T),
    "gamma_gamma": lambda model, rng: spenders(model, rng, CUSTOMERS),
    "sbg": lambda model, rng: members(model, rng, CUSTOMERS, 8),
}


def recover(name: str, firms: int, seed: int = 0) -> Recovery:
    """Fit ``firms`` simulated firms of CUSTOMERS each."""
    truth = vars(TRUTHS[name].params_)
    covered: dict[str, list[bool]] = {parameter: [] for parameter in truth}
    ratios: dict[str, list[float]] = {parameter: [] for parameter in truth}
    converged = 0
    for number in range(firms):
        rng = np.random.default_rng([seed, number])
        fitted = type(TRUTHS[name])().fit(WORLDS[name](TRUTHS[name], rng))  # type: ignore[attr-defined]
        converged += fitted.publishable_
        for parameter, true in truth.items():
            found = getattr(fitted.params_, parameter)
            error = getattr(fitted.standard_errors_, parameter) / found
            covered[parameter].append(abs(math.log(found / true)) <= 1.959964 * error)
            ratios[parameter].append(found / true)
    return Recovery(
        firms,
        converged,
        {parameter: round(float(np.mean(hits)), 4) for parameter, hits in covered.items()},
        {parameter: round(float(np.median(found)), 4) for parameter, found in ratios.items()},
    )
