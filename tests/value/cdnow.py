"""The published CDNOW sample (2,357 customers), read from the lifetimes package."""

import importlib.util
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from crmcore.value.summary import PurchaseSummary, summarise

CALIBRATION_END = date(1997, 9, 30)
# Fader, Hardie & Lee (2005), figure 1, with the digits that CLVTools' tests print; unit of time: weeks.
PUBLISHED = {"r": 0.2425945, "alpha": 4.4136019, "a": 0.7929199, "b": 2.4258881}


def _folder() -> Path:
    spec = importlib.util.find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets"


@cache
def orders() -> list[tuple[str, date, float]]:
    """(customer, day, dollars) of the whole 78 weeks."""
    lines = (_folder() / "CDNOW_sample.txt").read_text().splitlines()
    rows = [line.split() for line in lines if line.strip()]
    return [
        (customer, date.fromisoformat(f"{day[:4]}-{day[4:6]}-{day[6:]}"), float(dollars))
        for _, customer, day, _, dollars in rows
    ]


def summary(observed_until: date = CALIBRATION_END) -> PurchaseSummary:
    """In days."""
    return summarise(orders(), observed_until=observed_until)


def weekly_summary() -> PurchaseSummary:
    """In weeks, as the papers print it."""
    s = summary()
    return PurchaseSummary.of(s.frequency, s.recency / 7, s.T / 7, s.monetary_value, s.customer_id)


def published_summary() -> np.ndarray:
    """Columns ID, x, t_x, T (weeks, two decimals), zbar, as Bruce Hardie's sheet has them."""
    name = "cdnow_customers_summary_with_transactions.csv"
    return np.loadtxt(_folder() / name, delimiter=",", skiprows=1)
