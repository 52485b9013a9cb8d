"""What measurements beside other libraries share: the simulated firm, and each engine in its own process."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.value import BGNBD, GammaGamma
from crmcore.value.simulate import purchase_times

ROOT = Path(__file__).resolve().parent.parent
DAYS = 730
_BUYING = BGNBD.of(r=0.9, alpha=70.0, a=0.6, b=3.5)
_SPENDING = GammaGamma.of(p=5.0, q=4.0, v=60.0)


def simulated_orders(
    customers: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Customer, day (0 to ``DAYS``) and amount of every order of two years; the same every time."""
    rng = np.random.default_rng(20)
    joined = rng.integers(0, DAYS, customers)
    customer, when = purchase_times(rng, _BUYING, (DAYS - joined).astype(np.float64))
    spend = _SPENDING.params_
    amount = rng.gamma(spend.p, 1 / rng.gamma(spend.q, 1 / spend.v, customers)[customer])
    return customer, joined[customer] + np.floor(when).astype(np.int64), amount


def run_apart(command: list[str]) -> dict[str, Any]:
    """The JSON object that a process prints last, with one thread of linear algebra."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command[1:3])} failed:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result
