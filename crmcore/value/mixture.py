"""Likelihoods that are sums, or integrals by quadrature, over what may have become of a customer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def mixture(
    log_parts: FloatArray, slopes: Sequence[FloatArray]
) -> tuple[float, FloatArray, FloatArray, FloatArray]:
    """The sum over customers of the logarithm of their parts' sum, its gradient by k parameters, what the
    differences between parts bring to its Hessian (upper half), and the weight of each part, 1 in a row.

    log_parts : logarithms, shape (n, m). slopes : their derivatives by each parameter, k of shape (n, m).
    """
    top = log_parts.max(axis=1, keepdims=True)
    weight = np.exp(log_parts - top)
    total = weight.sum(axis=1, keepdims=True)
    weight /= total
    means = [(weight * slope).sum(axis=1, keepdims=True) for slope in slopes]
    hessian = np.zeros((len(slopes), len(slopes)))
    for i, slope in enumerate(slopes):
        spread = weight * (slope - means[i])
        for j in range(i, len(slopes)):
            hessian[i, j] = (spread * (slopes[j] - means[j])).sum()
    gradient = np.array([mean.sum() for mean in means])
    return float((top + np.log(total)).sum()), gradient, hessian, weight
