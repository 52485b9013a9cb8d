"""The one special function of the BG/NBD model, finite and exact over its whole domain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, hyp2f1

FloatArray = NDArray[np.float64]
Quadrature = Callable[[float, FloatArray, FloatArray, FloatArray], FloatArray]

_ROWS = 256

# Beyond z = 0.9 scipy changes to a series in 1 - z, which loses up to all digits where m - a is near a whole
# number (a = 3, a + beta = 4.01, m = 1, sigma = 1000: five digits).
_FAR = 8.0
# With both shapes above this the Gauss series loses digits, and the integrand is a narrow bell.
_LARGE = 12.0
_BELL_NODES = np.linspace(-13.0, 13.0, 241)
# Almost every bell is so narrow that the poles of the integrand, pi away from the axis, lie beyond six of its
# widths: then the trapezoidal rule gains nothing from finer steps, and takes a sixth of the time.
_NARROW = 0.5
_NARROW_NODES = np.linspace(-10.8, 10.8, 37)
_GAUSS, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(16)
_PANELS = 40
_PANEL_NODES = ((np.arange(_PANELS)[:, None] + (_GAUSS + 1) / 2) / _PANELS).ravel()
_PANEL_WEIGHTS = np.tile(_GAUSS_WEIGHTS / 2 / _PANELS, _PANELS)


def mean_power(a: float, beta: FloatArray, m: FloatArray, sigma: FloatArray) -> FloatArray:
    """E[(1 + p sigma)^-m] for p ~ Beta(a, beta), which is 2F1(m, a; a + beta; -sigma).

    All of a, beta, m > 0 and sigma >= 0; the arrays broadcast. The result lies in (0, 1].

    Source: Euler's integral (Abramowitz & Stegun 15.3.1). The series is summed at z = sigma/(1 + sigma)
    after one of the two Pfaff transformations (15.3.4, 15.3.5), whichever keeps it bounded as z -> 1; its
    power of 1 + sigma is what overflows in the textbook form of the BG/NBD expectation (frequency 1,500
    over a year). For large ``a`` or ``sigma``, or where the series fails, Euler's integral is summed over
    logit(p), where the integrand is smooth: on panels, or by the trapezoidal rule where it is a narrow bell.
    """
    beta, m, sigma = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (beta, m, sigma)))
    if a > _LARGE:
        narrow = beta > _LARGE
        split = np.empty(beta.shape)
        split[narrow] = _in_parts(_by_bell, a, beta[narrow], m[narrow], sigma[narrow])
        split[~narrow] = _in_parts(_by_panels, a, beta[~narrow], m[~narrow], sigma[~narrow])
        return split
    c = a + beta
    z = sigma / (1.0 + sigma)
    first = a <= m
    with np.errstate(over="ignore", invalid="ignore"):
        near = np.where(sigma > _FAR, 0.0, z)
        series = hyp2f1(np.where(first, c - m, m), np.where(first, a, beta), c, near)
        result: FloatArray = np.exp(-np.where(first, a, m) * np.log1p(sigma)) * series
    apart = (sigma > _FAR) | ~np.isfinite(result) | (result <= 0) | (result > 1 + 1e-12)
    if apart.any():
        result[apart] = _in_parts(_by_panels, a, beta[apart], m[apart], sigma[apart])
    return result


def _in_parts(
    quadrature: Quadrature, a: float, beta: FloatArray, m: FloatArray, sigma: FloatArray
) -> FloatArray:
    """The same in parts, so that a matrix of nodes takes some megabytes however many rows there are."""
    result = np.empty(beta.shape)
    for begin in range(0, len(beta), _ROWS):
        some = slice(begin, begin + _ROWS)
        result[some] = quadrature(a, beta[some], m[some], sigma[some])
    return result


def _by_panels(a: float, beta: FloatArray, m: FloatArray, sigma: FloatArray) -> FloatArray:
    """Euler's integral over u = logit(p): Gauss-Legendre panels between two analytic tails.

    Beyond the ends e^u (or e^-u) times its coefficient is below 1e-8, so the first-order expansion of the
    integrand leaves an error of 1e-16.
    """
    left, right = a + beta + m * sigma, a + beta + m * sigma / (1 + sigma)
    start, end = -18.5 - np.log(left), 18.5 + np.log(right)
    scale = -betaln(a, beta)
    floor = -m * np.log1p(sigma)
    small, tiny = np.exp(start), np.exp(-end)
    tails = np.exp(scale + a * start) * (1 / a - left * small / (a + 1))
    tails += np.exp(scale + floor - beta * end) * (
        1 / beta + (m * sigma / (1 + sigma) - a - beta) * tiny / (beta + 1)
    )
    u = start[..., None] + (end - start)[..., None] * _PANEL_NODES
    log_value = _log_integrand(a, beta[..., None], m[..., None], sigma[..., None], u) + scale[..., None]
    result: FloatArray = tails + (np.exp(log_value) * _PANEL_WEIGHTS).sum(axis=-1) * (end - start)
    return result


def _by_bell(a: float, beta: FloatArray, m: FloatArray, sigma: FloatArray) -> FloatArray:
    """Euler's integral over u = logit(p): the trapezoidal rule around the mode, in its own width."""
    # The mode solves a (1-p)(1+p sigma) - beta p (1+p sigma) - m sigma p (1-p) = 0, a quadratic in p.
    square = sigma * (m - a - beta)
    linear = sigma * (a - m) - a - beta
    p = 2 * a / (-linear + np.sqrt(np.maximum(linear**2 - 4 * square * a, 0.0)))
    p = np.clip(p, 1e-300, 1 - 1e-16)
    q, grown = 1 - p, 1 + p * sigma
    bend = p * q * (a + beta + m * sigma * ((q - p) * grown - sigma * p * q) / grown**2)
    width = 1 / np.sqrt(np.maximum(bend, 1e-300))
    top = np.log(p) - np.log1p(-p)
    result = np.empty(beta.shape)
    narrow = width <= _NARROW
    for rows, nodes in ((narrow, _NARROW_NODES), (~narrow, _BELL_NODES)):
        u = top[rows, None] + width[rows, None] * nodes
        log_value = _log_integrand(a, beta[rows, None], m[rows, None], sigma[rows, None], u)
        log_value -= betaln(a, beta[rows])[:, None]
        result[rows] = np.exp(log_value).sum(axis=-1) * (nodes[1] - nodes[0]) * width[rows]
    return result


def _log_integrand(a: float, beta: FloatArray, m: FloatArray, sigma: FloatArray, u: FloatArray) -> FloatArray:
    log_p, log_q = -np.logaddexp(0, -u), -np.logaddexp(0, u)
    value: FloatArray = a * log_p + beta * log_q - m * np.log1p(sigma * np.exp(log_p))
    return value
