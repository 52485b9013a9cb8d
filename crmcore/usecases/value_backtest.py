"""What a forecast made on a past day would have been worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np

from crmcore.crm import Crm
from crmcore.errors import CrmError
from crmcore.firm import Firm
from crmcore.money import from_minor
from crmcore.store.transaction import Transaction
from crmcore.usecases.value_findings import Missing
from crmcore.value.backtest import Backtest, backtest
from crmcore.value.books import check_currency
from crmcore.value.forecast_choice import LEAST_REPEAT_BUYERS
from crmcore.value.forecast_fit import SAMPLE
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.summary import InvalidHistory


class OutcomeUnknown(CrmError):
    """The days to compare with are not over, are none, or saw no purchase."""


@dataclass(frozen=True)
class BacktestReport:
    """``until`` is the last day that the forecast knew; it looked ``horizon`` days ahead."""

    until: date
    horizon: int
    currency: str
    result: Backtest


def backtest_firm(crm: Crm, until: date, horizon: int) -> BacktestReport:
    """Forecast as of the end of ``until`` and compare with what came. Nothing is stored.

    Raises
    ------
    OutcomeUnknown : ``horizon`` days after ``until`` are not over yet, nobody bought in them, or ``horizon``
    is not positive.
    InvalidHistory : too few customers had bought again by then. ForeignCurrency.
    """
    firm = crm.firm
    check_outcome(until, horizon, firm.today(crm.clock()) - timedelta(days=1))
    with crm.store.read() as tx:
        log = purchase_log(tx, firm, until + timedelta(days=horizon))
    missing = too_few(log, until)
    if missing is not None:
        raise InvalidHistory(f"{missing.why} {missing.mend}")
    result = backtest(log, until.toordinal(), horizon)
    if not result.actual_purchases.any():
        raise OutcomeUnknown(
            f"none of {len(result.customer_id)} customers bought in the {horizon} days after {until}, so "
            "there is nothing to compare a forecast with; choose earlier days"
        )
    return BacktestReport(until, horizon, firm.currency, result)


def check_outcome(until: date, horizon: int, last: date) -> None:
    """Raises OutcomeUnknown unless ``horizon`` days after ``until`` were over at the end of ``last``."""
    check_length(horizon, last)
    if (last - until).days < horizon:  # So that no day beyond the calendar is asked for.
        latest = last - timedelta(days=horizon)
        raise OutcomeUnknown(
            f"{horizon} days after {until} are not over yet; choose a day until {latest}, or fewer days"
        )


def check_length(horizon: int, last: date) -> None:
    """Raises OutcomeUnknown for a horizon that is none, or longer than the calendar before ``last``."""
    if horizon < 1:
        raise OutcomeUnknown(f"a horizon of {horizon} days shows nothing; give at least one day")
    if horizon >= last.toordinal():
        raise OutcomeUnknown(f"{horizon} days are longer than any log; give fewer")


def too_few(log: PurchaseLog, until: date) -> Missing | None:
    """Why no forecast could be made at the end of ``until``, if none could."""
    day = until.toordinal()
    later = "Choose a later day with `--until`, import older orders, or wait until more have bought again."
    if not (log.first_day <= day).any():
        return Missing(f"Nobody had bought until {until}, so no forecast could be made then.", later)
    known = log.until(day).some(SAMPLE).summary(day)
    repeat = int((known.frequency > 0).sum())
    if repeat < LEAST_REPEAT_BUYERS:
        return Missing(
            f"Of {len(known)} customers {repeat} had bought again until {until}; a forecast needs "
            f"{LEAST_REPEAT_BUYERS} who did.",
            later,
        )
    return None


def purchase_log(tx: Transaction, firm: Firm, until: date) -> PurchaseLog:
    """Every purchase day of the firm until the end of ``until``; days are ordinals of the firm's calendar."""
    rows = tx.value.orders_before(datetime.combine(until + timedelta(days=1), time(), firm.zone))
    check_currency(rows, firm.currency)
    ids: dict[str, int] = {}
    customer = np.array([ids.setdefault(row.customer_id, len(ids)) for row in rows], dtype=np.int64)
    day = np.array([row.at.astimezone(firm.zone).toordinal() for row in rows], dtype=np.int64)
    unit = float(from_minor(1, firm.currency))
    amount = np.array([row.amount_minor for row in rows], dtype=np.float64) * unit
    return PurchaseLog.of(list(ids), customer, day, amount)
