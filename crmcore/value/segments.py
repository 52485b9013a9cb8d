"""The value of several customers together, and how far it may be off."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from crmcore.value.outlook import COVERAGE

FloatArray = NDArray[np.float64]


def segment_interval(
    clv: FloatArray,
    deviation: FloatArray,
    contribution: FloatArray,
    parameter_error: float,
    coverage: float = COVERAGE,
) -> tuple[float, float]:
    """The sums between which the value of these customers lies with this probability, currency.

    What happens to each customer is independent of the others and averages out; what is wrong with the
    parameters is wrong for all of them and does not: ``parameter_error`` (relative) of the whole
    contribution. The firm's error stands for that of any segment. A normal law, so not for a handful.
    """
    of_chance = float((deviation**2).sum())
    of_parameters = (parameter_error * float(contribution.sum())) ** 2
    half = float(ndtri((1 + coverage) / 2)) * math.sqrt(of_chance + of_parameters)
    total = float(clv.sum())
    return total - half, total + half
