"""Writes a result with the command that made it and the machine it was made on."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

RESULTS = Path(__file__).parent / "results"


def write_result(name: str, command: str, figures: object, reading: str) -> None:
    """``figures`` is JSON; ``reading`` says in a sentence or two what they mean and where they stop."""
    document = {
        "command": command,
        "measured_on": datetime.now(UTC).date().isoformat(),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "reading": reading,
        "figures": figures,
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(document, indent=2) + "\n")
    print(f"wrote {path.relative_to(RESULTS.parent.parent)}")


def read_figures(name: str) -> dict[str, Any]:
    """What an earlier run kept, for a result that is made of several runs; empty before the first."""
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text())["figures"] if path.exists() else {}
    return found


def percentile(values: Sequence[float], percent: int) -> float:
    """The ``percent``-th percentile, 1 to 99, of at least two values."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]
