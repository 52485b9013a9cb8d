"""What is said beside figures: what is missing, what a fit found, and what it could not find."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from crmcore.value.estimator import Estimator
from crmcore.value.fitting import Diagnostic
from crmcore.value.mending import BY_ANOTHER_VERSION, WHAT_TO_DO


@dataclass(frozen=True)
class Missing:
    """Something that the data do not allow: why, and how to mend it, in full sentences."""

    why: str
    mend: str


NO_ORDERS = Missing(
    "No order is in the books yet, so there is nothing to forecast from.",
    "Take the firm's orders in with `rapport import orders FILE`.",
)


@dataclass(frozen=True)
class Parameter:
    """``standard_error`` is None where the data do not hold the parameter in its place."""

    model: str
    name: str
    estimate: float
    standard_error: float | None


@dataclass(frozen=True)
class Found:
    """A diagnostic with what can be done about it."""

    code: str
    message: str
    blocking: bool
    mend: str


def parameters(*models: Estimator[Any]) -> tuple[Parameter, ...]:
    """Of fitted models, in their order."""
    return tuple(
        Parameter(model.NAME, name, estimate, _known(vars(model.standard_errors_)[name]))
        for model in models
        for name, estimate in vars(model.params_).items()
    )


def _known(figure: float) -> float | None:
    return None if np.isnan(figure) else figure


def with_advice(diagnostics: Iterable[Diagnostic]) -> tuple[Found, ...]:
    """Each with what to do about it; a run that is kept may hold codes that no fit uses any more."""
    return tuple(
        Found(d.code, d.message, d.blocking, WHAT_TO_DO.get(d.code, BY_ANOTHER_VERSION)) for d in diagnostics
    )
