"""Forecasts of what each customer buys in the next days, with pace and habits learnt from the log.

A closed-form forecast (Pareto/NBD times Gamma-Gamma) gets two layers, each of which the shop's own past may
refuse (see ``forecast_choice``):

* *pace*: the same models on a clock that follows the shop's growth and season (``operational_time``);
* *recalibration*: one factor a customer, learnt on earlier days of the same log (``recalibration``), from his
  own ``habits`` alone or from his whole ``history``.

Where customers buy in a rhythm the base is Pareto/CNBD-k, which their pauses show and the past may refuse
(``rhythm``). Else it is Pareto/NBD, because it lets a customer leave at any moment: BG/NBD holds whoever
bought once for active for ever, and so foresees too much where most buy once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from crmcore.value.forecast_base import BASES, Base, Foreseen, Scale
from crmcore.value.forecast_features import Kind, features_of
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.operational_time import OperationalTime
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.recalibration import Recalibration

BaseName = Literal["bg-nbd", "pareto-nbd", "pareto-cnbd", "pareto-trips"]
_NAMES: dict[BaseName, str] = {
    "bg-nbd": "BG/NBD",
    "pareto-nbd": "Pareto/NBD",
    "pareto-cnbd": "Pareto/CNBD",
    "pareto-trips": "Pareto/NBD of trips",
}


@dataclass(frozen=True)
class Variant:
    """The closed form, and which layers stand on it; without any, what the firm's values begin with."""

    base: BaseName = "bg-nbd"
    pace: bool = False
    recalibration: Kind | None = None

    def __str__(self) -> str:
        name = _NAMES[self.base]
        layers = [*(["pace"] if self.pace else []), *([self.recalibration] if self.recalibration else [])]
        return " + ".join([name, *layers])


@dataclass(frozen=True)
class Trial:
    """How a variant did on each window inside the observation: its loss, 1 for a constant."""

    variant: Variant
    losses: tuple[float, ...]

    @property
    def loss(self) -> float:
        """The mean over the windows."""
        return float(np.mean(self.losses))


@dataclass(frozen=True)
class Forecaster:
    """A fitted forecast: what :meth:`predict` needs of the past, with the trials that chose it."""

    variant: Variant
    base: Base
    horizon: int
    purchase_recalibration: Recalibration | None = None
    spend_recalibration: Recalibration | None = None
    trials: tuple[Trial, ...] = ()

    def predict(self, log: PurchaseLog, until: int | None = None) -> Foreseen:
        """For the customers of ``log`` as known at the end of ``until`` (the day of fitting, unless given),
        any number of them, each from his own purchases alone."""
        until = self.base.until if until is None else until
        summary = self.base.summary(log, until)
        closed = self.base.foresee(log, summary, self.horizon, until)
        purchases, spend = closed.purchases, closed.spend
        if self.purchase_recalibration is not None and self.spend_recalibration is not None:
            known = features_of(self.spend_recalibration.names, log, summary, self.base, closed, until)
            purchases = purchases * self.purchase_recalibration.factor(known)
            spend = spend * self.spend_recalibration.factor(known)
        return Foreseen(purchases, spend)

    def to_parameters(self) -> dict[str, Any]:
        """As JSON that loses no bit of any figure."""
        base = self.base
        return {
            "variant": asdict(self.variant),
            "trials": [asdict(trial) for trial in self.trials],
            "base": {
                "until": base.until,
                "window": base.window,
                "time": base.time.to_parameters(),
                "purchases": json.loads(base.purchases.to_json()),
                "spend": json.loads(base.spend.to_json()),
                "scale": asdict(base.scale),
                "trip_days": base.trip_days,
                "per_trip": base.per_trip,
            },
            "horizon": self.horizon,
            "purchase_recalibration": self.purchase_recalibration and asdict(self.purchase_recalibration),
            "spend_recalibration": self.spend_recalibration and asdict(self.spend_recalibration),
        }

    @classmethod
    def from_parameters(cls, stored: Mapping[str, Any]) -> Forecaster:
        """What :meth:`to_parameters` wrote; raises InvalidParameters for models of another version."""
        variant, base = Variant(**stored["variant"]), stored["base"]
        return cls(
            variant,
            Base(
                until=base["until"],
                window=base["window"],
                time=OperationalTime.from_parameters(base["time"]),
                purchases=BASES[variant.base].from_json(json.dumps(base["purchases"])),
                spend=GammaGamma.from_json(json.dumps(base["spend"])),
                scale=Scale(**base["scale"]),
                trip_days=base["trip_days"],
                per_trip=base["per_trip"],
            ),
            stored["horizon"],
            Recalibration.from_parameters(stored["purchase_recalibration"]),
            Recalibration.from_parameters(stored["spend_recalibration"]),
            tuple(Trial(Variant(**t["variant"]), tuple(t["losses"])) for t in stored["trials"]),
        )
