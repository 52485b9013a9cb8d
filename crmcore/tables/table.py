"""What every file looks like once it is open: batches of columns that know their lines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Progress = Callable[[int, int], None]  # Bytes read of how many.


@dataclass(frozen=True)
class Batch:
    """Some rows. ``lines`` are where each begins in the file, from 1; ``columns`` are Arrow arrays.

    A column is text unless the file itself gives numbers or moments a type.
    """

    lines: NDArray[np.int64]
    columns: tuple[Any, ...]


@dataclass(frozen=True)
class BrokenRow:
    """A row that has more or fewer columns than the file; ``text`` is all that can be shown of it."""

    line: int
    text: str
    expected: int
    found: int


class Table(Protocol):
    """An open file; it can be read as often as needed.

    ``names`` are the header's, or the numbers from 1. ``described`` says how the file was understood.
    """

    names: tuple[str, ...]
    header: bool
    described: str

    def batches(self, progress: Progress | None = None) -> Iterator[Batch | BrokenRow]: ...
