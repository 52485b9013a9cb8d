"""Tables by age, looked up for one customer alone."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.value.bgnbd import BGNBD
from crmcore.value.pareto_nbd import ParetoNBD
from crmcore.value.summary import PurchaseSummary

MODELS: list[Callable[[], BGNBD | ParetoNBD]] = [
    lambda: BGNBD.of(r=0.9, alpha=70.0, a=0.8, b=3.0),
    lambda: ParetoNBD.of(r=0.6, alpha=40.0, s=0.5, beta=90.0),
]


@pytest.mark.parametrize("make", MODELS)
@given(
    histories=st.lists(
        st.tuples(st.integers(0, 60), st.floats(0, 4_000), st.floats(0, 1)), min_size=2, max_size=8
    )
)
def test_one_customer_alone_has_the_bits_that_he_has_among_others(
    make: Callable[[], BGNBD | ParetoNBD], histories: list[tuple[int, float, float]]
) -> None:
    x, T, share = (np.array(column, dtype=np.float64) for column in zip(*histories, strict=True))
    everybody = PurchaseSummary.of(x, np.where(x > 0, share * T, 0.0), T)
    among_others = make().if_active(everybody, 365.0, 0.0003)
    for i in range(len(histories)):
        alone = make().if_active(everybody.take(np.array([i])), 365.0, 0.0003)
        assert [float(a[0]).hex() for a in alone] == [float(a[i]).hex() for a in among_others]
