"""What every fitted model of the value engine has in common: its parameters, how sure they are, its JSON.

The names are scikit-learn's: ``Model().fit(data)`` returns the model, and what was learnt carries a trailing
underscore. Underneath lies one frozen :class:`Fit`, so a fitted model can be shared and never half changes.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import CrmError
from crmcore.value.fitting import NOT_CONVERGED, Diagnostic, Optimum

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


FloatArray = NDArray[np.float64]


class InvalidParameters(CrmError):
    """Parameters outside their domain, or stored by a version that this code does not read."""


class NotFitted(CrmError):
    """A model that has seen no data and was given no parameters."""


@dataclass(frozen=True)
class Fit[P: DataclassInstance]:
    """``standard_errors`` are of the parameters in their own units; nan where the likelihood is flat, or
    where the parameters were given and not fitted. ``n_informative`` counts who says something: repeat
    buyers, or contracts that came up for renewal. ``information`` is the observed one of the log parameters,
    (k, k); None where the parameters were given or stored, and for Pareto/CNBD."""

    params: P
    standard_errors: P
    log_likelihood: float = math.nan
    n_customers: int = 0
    n_informative: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()
    information: FloatArray | None = None


class Estimator[P: DataclassInstance]:
    """A model with parameters ``P``, a frozen dataclass of floats > 0."""

    NAME: ClassVar[str]
    VERSION: ClassVar[int]
    PARAMETERS: ClassVar[type[Any]]

    def __init__(self) -> None:
        self._fit: Fit[P] | None = None

    @classmethod
    def of(cls, *values: float, **named: float) -> Self:
        """The model with known parameters, in their order or by name; raises InvalidParameters."""
        model = cls()
        params = cls.PARAMETERS(*values, **named)
        for name, value in asdict(params).items():
            if not (math.isfinite(value) and value > 0):
                raise InvalidParameters(f"{cls.NAME} needs {name} > 0 and finite, got {value}; fit it again")
        model._fit = Fit(params, model._named([math.nan] * len(fields(params))))
        return model

    @property
    def params_(self) -> P:
        return self._fitted.params

    @property
    def standard_errors_(self) -> P:
        """From the observed information; nan where the likelihood is flat."""
        return self._fitted.standard_errors

    @property
    def log_likelihood_(self) -> float:
        return self._fitted.log_likelihood

    @property
    def diagnostics_(self) -> tuple[Diagnostic, ...]:
        """What a reader of the fit must know, in words."""
        return self._fitted.diagnostics

    @property
    def n_customers_(self) -> int:
        return self._fitted.n_customers

    @property
    def n_informative_(self) -> int:
        """Who says something of the parameters: see :class:`Fit`."""
        return self._fitted.n_informative

    def variance_of(self, gradient: FloatArray) -> float:
        """The variance of a figure because the parameters are estimates: the delta method.

        gradient : its derivatives by the log parameters, (k,). Zero where the parameters were given; raises
        NotFitted for a model that does not hold the information of its fit.
        """
        fit = self._fitted
        if fit.information is not None:
            return max(float(gradient @ np.linalg.solve(fit.information, gradient)), 0.0)
        if math.isnan(fit.log_likelihood):
            return 0.0
        name = type(self).__name__
        raise NotFitted(
            f"this {name} does not hold the information of its fit, which is not stored; fit the model again"
        )

    @property
    def publishable_(self) -> bool:
        """False when a diagnostic forbids using the numbers."""
        return not any(d.blocking for d in self.diagnostics_)

    def to_json(self) -> str:
        """Readable, loses no bit of any figure, and carries the version that :meth:`from_json` demands."""
        fit = self._fitted
        return json.dumps(
            {
                "model": self.NAME,
                "version": self.VERSION,
                "parameters": asdict(fit.params),
                "standard_errors": {k: _none(v) for k, v in asdict(fit.standard_errors).items()},
                "log_likelihood": _none(fit.log_likelihood),
                "customers": fit.n_customers,
                "informative": fit.n_informative,
                "diagnostics": [asdict(d) for d in fit.diagnostics],
            },
            indent=2,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What :meth:`to_json` wrote; raises InvalidParameters for anything else."""
        try:
            stored = json.loads(text)
        except json.JSONDecodeError as error:
            raise InvalidParameters(f"{cls.NAME} is stored as JSON, but {error}; fit it again") from error
        found = stored if isinstance(stored, dict) else {}
        if (found.get("model"), found.get("version")) != (cls.NAME, cls.VERSION):
            raise InvalidParameters(
                f"expected {cls.NAME} version {cls.VERSION}, got {found.get('model')} version "
                f"{found.get('version')}; fit and score again to write what this version reads"
            )
        try:
            model = cls.of(**found["parameters"])
            errors = [_nan(found["standard_errors"][f.name]) for f in fields(cls.PARAMETERS)]
            model._fit = Fit(
                model.params_,
                model._named(errors),
                _nan(found["log_likelihood"]),
                found["customers"],
                found["informative"],
                tuple(Diagnostic(**d) for d in found["diagnostics"]),
            )
        except (KeyError, TypeError) as error:
            raise InvalidParameters(
                f"the stored {cls.NAME} lacks or misnames something ({error}); fit and score again"
            ) from error
        return model

    def __repr__(self) -> str:
        if self._fit is None:
            return f"{type(self).__name__}()"
        values = ", ".join(f"{k}={v:.6g}" for k, v in asdict(self._fit.params).items())
        return f"{type(self).__name__}({values})"

    @property
    def _fitted(self) -> Fit[P]:
        if self._fit is None:
            name = type(self).__name__
            raise NotFitted(
                f"this {name} has seen no data; call {name}().fit(...), or {name}.of(...) with parameters"
            )
        return self._fit

    def _named(self, values: list[float]) -> P:
        return cast(P, self.PARAMETERS(*values))

    def _keep(
        self,
        found: Optimum,
        n_customers: int,
        n_informative: int,
        diagnostics: list[Diagnostic],
        log_likelihood: float,
    ) -> Self:
        """Take the maximum as this model's parameters."""
        values = [math.exp(v) for v in found.log_parameters]
        errors = [float(e) * v for e, v in zip(found.standard_errors, values, strict=True)]
        if not found.converged:
            diagnostics = [NOT_CONVERGED, *diagnostics]
        self._fit = Fit(
            self._named(values),
            self._named(errors),
            log_likelihood,
            n_customers,
            n_informative,
            tuple(diagnostics),
            found.information,
        )
        return self


def _none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _nan(value: float | None) -> float:
    return math.nan if value is None else float(value)
