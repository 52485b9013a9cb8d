"""Numpy's arrays as Arrow's and back, without copies where they can be left out."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def ints(values: NDArray[Any], missing: NDArray[np.bool_] | None = None) -> Any:
    """Whole numbers of 64 bits, null where ``missing``."""
    plain = np.ascontiguousarray(values, dtype=np.int64)
    present = None if missing is None or not missing.any() else _bits(~missing)
    return pa.Array.from_buffers(pa.int64(), len(plain), [present, pa.py_buffer(plain)])


def bools(values: NDArray[np.bool_]) -> Any:
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, _bits(values)])


def mask_of(array: Any) -> NDArray[np.bool_]:
    """Truth values without nulls, as numpy has them."""
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _bits(values: NDArray[np.bool_]) -> Any:
    return pa.py_buffer(np.packbits(values, bitorder="little"))
