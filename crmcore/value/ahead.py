"""Integrals over the time ahead of a customer who is active now, and their tables by age.

What an active customer does after s more days depends on his history through his frequency and his age alone.
So the integrals are tabulated: for each frequency that occurs, on panels of age laid out by the model, not
by the data. One customer alone therefore gets the same bits as among a million.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crmcore.value.fitting import blocks
from crmcore.value.summary import InvalidHistory

FloatArray = NDArray[np.float64]
Integrals = Callable[[FloatArray, FloatArray], list[FloatArray]]
# (frequency, age, time ahead) -> a mean over the customer's unknown traits; all of one shape.
After = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]

# Gauss-Legendre nodes by the length of the interval in v; each leaves an error below 1e-11.
_RULES = [(1.0, 10), (2.0, 13), (4.0, 20), (math.inf, 40)]
_NODES = {size: np.polynomial.legendre.leggauss(size) for _, size in _RULES}
# Chebyshev points of a panel. Ages grow by e across a panel; the integrals are analytic and bounded by their
# value on the positive axis for |Im log age| < pi/2, so 14 points leave an error below 1e-11.
_POINTS = 14
_ANGLES = np.pi * (np.arange(_POINTS) + 0.5) / _POINTS
_PLACES = (np.cos(_ANGLES) + 1) / 2
_TO_COEFFICIENTS = 2 / _POINTS * np.cos(np.outer(_ANGLES, np.arange(_POINTS)))
_TO_COEFFICIENTS[:, 0] /= 2
_FADING = 5.0
_FEW, _TOGETHER = 4, 16
_ENOUGH = 45.0  # exp(-45) is 3e-20: what comes later does not count.


def check_ahead(horizon: float, discount: float) -> None:
    """Raises InvalidHistory for a time ahead that has no value."""
    if not (horizon >= 0 and 0 <= discount < math.inf):
        raise InvalidHistory(f"needs horizon >= 0 and discount >= 0, got {horizon} and {discount}")
    if math.isinf(horizon) and discount == 0:
        raise InvalidHistory("an endless horizon needs a discount > 0; give one, or name a finite horizon")


def integrate(
    after: After,
    bend: Callable[[FloatArray, FloatArray], FloatArray],
    x: FloatArray,
    age: FloatArray,
    horizon: float,
    discounts: tuple[float, ...],
) -> list[FloatArray]:
    """Integral over (0, horizon) of exp(-discount s) after(x, age, s) ds, shape (n,), for each discount.

    Substituting s = bend (e^v - 1), where ``bend`` is the time in which the integrand first bends, makes it
    smooth in v at every parameter; the longer the interval in v, the more nodes.
    """
    first = bend(x, age)
    results = [np.empty(len(x)) for _ in discounts]
    # Where discounting fades everything within the horizon, the integrand needs more nodes.
    kinds = []
    for discount in discounts:
        end = min(horizon, _ENOUGH / discount if discount else math.inf)
        kinds.append((end, discount * end > _FADING))
    for end, fades in sorted(set(kinds)):
        top = np.log1p(end / first)
        for rows, size in _by_length(top, _RULES[2:] if fades else _RULES):
            s, weighted = _sampled(after, first[rows], top[rows], x[rows], age[rows], size)
            for result, discount, kind in zip(results, discounts, kinds, strict=True):
                if kind == (end, fades):
                    faded = weighted * np.exp(-discount * s) if discount else weighted
                    result[rows] = faded.sum(axis=1)
    return results


def integrate_until(
    after: After,
    bend: Callable[[FloatArray, FloatArray], FloatArray],
    x: FloatArray,
    age: FloatArray,
    until: FloatArray,
) -> FloatArray:
    """Integral over (0, until) of after(x, age, s) ds, where each row has an end of its own; all (n,)."""
    first = bend(x, age)
    top = np.log1p(until / first)
    result = np.empty(len(x))
    for rows, size in _by_length(top, _RULES):
        _, weighted = _sampled(after, first[rows], top[rows], x[rows], age[rows], size)
        result[rows] = weighted.sum(axis=1)
    return result


def _by_length(top: FloatArray, rules: Sequence[tuple[float, int]]) -> Iterator[tuple[NDArray[np.intp], int]]:
    """The rows whose interval ends at ``top`` by the number of nodes that they need."""
    shorter = -1.0
    for length, size in rules:
        rows = np.flatnonzero((top > shorter) & (top <= length))
        shorter = length
        if len(rows):
            yield rows, size


def _sampled(
    after: After, bend: FloatArray, top: FloatArray, x: FloatArray, age: FloatArray, size: int
) -> tuple[FloatArray, FloatArray]:
    """Times ahead and the integrand there with its weight, each shape (n, size)."""
    nodes, weights = _NODES[size]
    v = top[:, None] * ((nodes + 1) / 2)
    s = bend[:, None] * np.expm1(v)
    value = after(np.broadcast_to(x[:, None], s.shape), np.broadcast_to(age[:, None], s.shape), s)
    return s, value * np.exp(v) * (top * bend / 2)[:, None] * weights


class Tables:
    """Functions of frequency and age through tables by age; each panel is computed once, when it is needed.

    integrals : several functions of (frequency, age) at once, positive and analytic in log age.
    youngest : the age of somebody at T = 0.
    """

    def __init__(self, integrals: Integrals, youngest: float) -> None:
        self._integrals, self._youngest = integrals, youngest
        # Chebyshev coefficients, shape (points, functions), by frequency + 1j * panel.
        self._known: dict[complex, FloatArray] = {}

    def at(self, x: FloatArray, T: FloatArray) -> list[FloatArray]:
        """Every function of every customer, at the age ``youngest + T``; each shape (n,)."""
        if len(x) == 1:
            return self._of_one(float(x[0]), T)
        days = _WholeDays.of(x, T)
        if days is None:
            return self._through_panels(x, T)
        return [days.spread(figures, x, T) for figures in self._through_panels(*days.of_cells())]

    def _through_panels(self, x: FloatArray, T: FloatArray) -> list[FloatArray]:
        elapsed = np.log1p(T / self._youngest)
        panel = np.floor(elapsed)
        pairs, pair = np.unique(x + 1j * panel, return_inverse=True)
        named = pairs.tolist()
        self._compute(self._wanted([one for one in named if one not in self._known]))
        table = np.stack([self._known[one] for one in named], axis=-1)
        return list(_clenshaw(table, pair, 2 * (elapsed - panel) - 1))

    def _of_one(self, x: float, T: FloatArray) -> list[FloatArray]:
        """The same sums as of many, in plain numbers: arrays of one take ten times as long."""
        elapsed = float(np.log1p(T / self._youngest)[0])
        pair = complex(x, math.floor(elapsed))
        if pair not in self._known:
            self._compute(self._wanted([pair]))
        argument = 2 * (elapsed - pair.imag) - 1
        return [np.array([_clenshaw_of_one(c, argument)]) for c in self._known[pair].T.tolist()]

    def _wanted(self, missing: list[complex]) -> NDArray[np.complex128]:
        """The missing pairs; of a few customers with the frequencies around theirs, because several panels
        cost little more than one, and nobody's order should wait for a panel of his own."""
        if len(missing) > _FEW:
            return np.array(missing)
        begins = {complex(one.real - one.real % _TOGETHER, one.imag) for one in missing}
        together = [begin + n for begin in begins for n in range(_TOGETHER)]
        return np.array([pair for pair in together if pair not in self._known])

    def _compute(self, pairs: NDArray[np.complex128]) -> None:
        for some in blocks(len(pairs), 256):
            ages = self._youngest * np.exp(pairs[some].imag[:, None] + _PLACES)
            frequencies = np.broadcast_to(pairs[some].real[:, None], ages.shape)
            values = np.stack(self._integrals(frequencies.ravel(), ages.ravel()))
            coefficients = _coefficients(values.reshape(len(values), -1, _POINTS))
            self._known.update(zip(pairs[some].tolist(), coefficients.transpose(1, 2, 0), strict=True))


def in_blocks(function: Callable[..., FloatArray], *columns: FloatArray) -> FloatArray:
    """``function(*columns)``, elementwise, in ranges that stay in the processor's cache."""
    result = np.empty(len(columns[0]))
    for some in blocks(len(result)):
        result[some] = function(*(column[some] for column in columns))
    return result


def _coefficients(values: FloatArray) -> FloatArray:
    """Chebyshev coefficients along the last axis, summed in an order that does not depend on the pairs."""
    result = np.zeros_like(values)
    for k in range(_POINTS):
        result += values[..., k, None] * _TO_COEFFICIENTS[k]
    return result


def _clenshaw(table: FloatArray, pair: NDArray[np.intp], argument: FloatArray) -> FloatArray:
    """table : shape (points, functions, pairs). Returns shape (functions, n)."""
    result = np.empty((table.shape[1], len(argument)))
    for some in blocks(len(argument)):
        of, t = pair[some], argument[some]
        twice = 2 * t
        later, last = np.zeros_like(result[:, some]), np.zeros_like(result[:, some])
        for k in range(_POINTS - 1, 0, -1):
            later, last = twice * later - last + table[k][:, of], later
        result[:, some] = t * later - last + table[0][:, of]
    return result


def _clenshaw_of_one(coefficients: Sequence[float], t: float) -> float:
    """As ``_clenshaw``, to the bit."""
    twice, later, last = 2 * t, 0.0, 0.0
    for coefficient in coefficients[:0:-1]:
        later, last = twice * later - last + coefficient, later
    return t * later - last + coefficients[0]


@dataclass(frozen=True)
class _WholeDays:
    """Customers by frequency and whole days of age: so few cells that each is computed once.

    Everything the size of the customers is made in blocks, so that a prediction takes little more memory than
    its results.
    """

    first: float
    width: float
    cells: NDArray[np.intp]  # Of a dense table with one row a frequency and one column a day.
    size: int

    @classmethod
    def of(cls, x: FloatArray, T: FloatArray) -> _WholeDays | None:
        """None where times are not whole days, or the table would be far larger than the customers."""
        if len(x) < 2:
            return None
        first, width = float(T.min()), float(T.max() - T.min() + 1)
        size = (float(x.max()) + 1) * width
        if first != math.floor(first) or size > 4 * len(x) + 65_536:
            return None
        seen = np.zeros(int(size), dtype=bool)
        for some in blocks(len(x)):
            key = x[some] * width + (T[some] - first)
            row = key.astype(np.intp)
            if not np.array_equal(row, key):  # With a whole ``first``, all are whole where this holds.
                return None
            seen[row] = True
        return cls(first, width, np.flatnonzero(seen), int(size))

    def of_cells(self) -> tuple[FloatArray, FloatArray]:
        """Frequency and age of each cell."""
        cells = self.cells.astype(np.float64)
        return np.floor(cells / self.width), cells % self.width + self.first

    def spread(self, figures: FloatArray, x: FloatArray, T: FloatArray) -> FloatArray:
        """Each customer's figure, from that of his cell; (n,)."""
        dense = np.empty(self.size)
        dense[self.cells] = figures

        def looked_up(x: FloatArray, T: FloatArray) -> FloatArray:
            found: FloatArray = dense[(x * self.width + (T - self.first)).astype(np.intp)]
            return found

        return in_blocks(looked_up, x, T)
