"""Tables of integrals by frequency and age: whoever asks first, everybody gets the same figures."""

import numpy as np
from numpy.typing import NDArray

from crmcore.value.ahead import Tables

FloatArray = NDArray[np.float64]
X, T = np.array([0.0, 3.0, 3.0, 40.0, 7.0]), np.array([0.0, 25.0, 600.0, 731.0, 90.5])


class Integrals:
    """Two smooth functions, and how many frequencies and ages they were asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, x: FloatArray, age: FloatArray) -> list[FloatArray]:
        self.asked += len(x)
        return [(1 + x) / age, np.sqrt(age) * np.exp(-x / 10)]


def test_a_table_gives_the_functions_to_ten_digits() -> None:
    found = Tables(Integrals(), 30.0).at(X, T)
    for figures, exact in zip(found, Integrals()(X, 30.0 + T), strict=True):
        np.testing.assert_allclose(figures, exact, rtol=1e-10)


def test_one_customer_gets_the_same_bits_first_alone_and_later_among_all() -> None:
    alone_first, all_first = Tables(Integrals(), 30.0), Tables(Integrals(), 30.0)
    alone = [alone_first.at(X[i : i + 1], T[i : i + 1]) for i in range(len(X))]
    for number, figures in enumerate(all_first.at(X, T)):
        assert figures.tolist() == [one[number][0] for one in alone]
    assert [list(f) for f in alone_first.at(X, T)] == [list(f) for f in all_first.at(X, T)]


def test_a_panel_is_computed_once() -> None:
    integrals = Integrals()
    tables = Tables(integrals, 30.0)
    tables.at(np.array([3.0]), np.array([25.0]))
    once = integrals.asked
    tables.at(np.array([3.0]), np.array([26.5]))
    assert integrals.asked == once
    tables.at(np.array([16.0]), np.array([25.0]))
    assert integrals.asked == 2 * once


def test_one_customers_panel_comes_with_those_that_his_next_orders_need() -> None:
    integrals = Integrals()
    tables = Tables(integrals, 30.0)
    tables.at(np.array([3.0]), np.array([25.0]))
    once = integrals.asked
    for frequency in range(16):
        tables.at(np.array([float(frequency)]), np.array([25.0]))
    assert integrals.asked == once
