"""Sums and products of columns of numbers, exact: whole numbers with a common count of decimals."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.imports.expressions import Column, Expression
from crmcore.imports.numbers import PLACES
from crmcore.tables.columns import Ints, Mask, Read

_ROOM = 4e18  # Well below the largest of 64 bits.


@dataclass(frozen=True)
class Fixed:
    """``values`` are whole numbers of 10**-scale; they are Python's own where 64 bits do not hold them."""

    values: NDArray[Any]
    scale: int
    missing: Mask
    problems: dict[int, str]

    def to_minor(self, places: int, *, rounding: bool) -> tuple[Ints, dict[int, str], int]:
        """Whole minor units of a currency with ``places`` decimals, the rows that are finer, and their count.

        With ``rounding`` the finer ones are rounded half to even instead.
        """
        if self.scale <= places:
            return _small(_times(self.values, 10 ** (places - self.scale))), {}, 0
        unit = 10 ** (self.scale - places)
        whole, rest = self.values // unit, self.values % unit
        finer = np.flatnonzero(rest != 0)
        if not len(finer):
            return _small(whole), {}, 0
        up = (rest * 2 > unit) | ((rest * 2 == unit) & (whole % 2 == 1))
        reason = f"is finer than the minor unit ({places} decimals); say --round to round it"
        problems = {} if rounding else {int(i): reason for i in finer}
        return _small(whole + up), problems, len(finer)

    def share_of(self, minor: Ints) -> Ints:
        """These shares of amounts in minor units, rounded half to even."""
        values, scale = _multiply((minor, 0), (self.values, self.scale))
        return Fixed(values, scale, self.missing, {}).to_minor(0, rounding=True)[0]


def evaluate(expression: Expression, rows: int, number: Callable[[Column], Read]) -> Fixed:
    """The expression for every row; a row is missing when one of its columns is."""
    if expression.constant is not None:
        raise ValueError("a constant is read once, not for every row")
    missing = np.zeros(rows, dtype=np.bool_)
    problems: dict[int, str] = {}
    total: tuple[NDArray[Any], int] | None = None
    for product in expression.products:
        value: tuple[NDArray[Any], int] = (np.full(rows, product.sign, dtype=np.int64), 0)
        for factor in product.factors:
            if isinstance(factor, Column):
                read = number(factor)
                missing |= read.missing
                problems.update(read.problems)
                value = _multiply(value, _shortened(read.values))
            else:
                value = _multiply(value, _constant(factor, rows))
        total = value if total is None else _add(total, value)
    assert total is not None, "an expression has at least one product"
    return Fixed(total[0], total[1], missing, problems)


def constant(value: Decimal, rows: int) -> Fixed:
    values, scale = _constant(value, rows)
    return Fixed(values, scale, np.zeros(rows, dtype=np.bool_), {})


def _constant(value: Decimal, rows: int) -> tuple[NDArray[Any], int]:
    return _shortened(np.full(rows, int(value.scaleb(PLACES)), dtype=np.int64))


def _shortened(millionths: Ints) -> tuple[NDArray[Any], int]:
    """The fewest decimals that hold every value, so that products stay small."""
    for scale in (0, 2, 4):
        unit = 10 ** (PLACES - scale)
        if not (millionths % unit).any():
            return millionths // unit, scale
    return millionths, PLACES


def _multiply(a: tuple[NDArray[Any], int], b: tuple[NDArray[Any], int]) -> tuple[NDArray[Any], int]:
    if _largest(a[0]) * _largest(b[0]) < _ROOM:
        return a[0] * b[0], a[1] + b[1]
    return a[0].astype(object) * b[0].astype(object), a[1] + b[1]


def _add(a: tuple[NDArray[Any], int], b: tuple[NDArray[Any], int]) -> tuple[NDArray[Any], int]:
    scale = max(a[1], b[1])
    left, right = _times(a[0], 10 ** (scale - a[1])), _times(b[0], 10 ** (scale - b[1]))
    if _largest(left) + _largest(right) < _ROOM:
        return left + right, scale
    return left.astype(object) + right.astype(object), scale


def _times(values: NDArray[Any], factor: int) -> NDArray[Any]:
    if factor == 1:
        return values
    return values * factor if _largest(values) * factor < _ROOM else values.astype(object) * factor


def _largest(values: NDArray[Any]) -> float:
    return float(max(abs(int(values.max())), abs(int(values.min())))) if len(values) else 0.0


def _small(values: NDArray[Any]) -> Ints:
    """As 64 bits; what no column of the database holds is cut to a number that the limits refuse."""
    if values.dtype == object:
        limit = 2**62
        values = np.array([max(-limit, min(limit, int(v))) for v in values], dtype=np.int64)
    return values.astype(np.int64)
