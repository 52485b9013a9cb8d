"""The figures of the value report: how far the forecasts can be trusted, and what the customers are worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crmcore.crm import Crm
from crmcore.usecases.value_backtest import purchase_log
from crmcore.usecases.value_findings import NO_ORDERS, Missing
from crmcore.usecases.value_holdout import HoldOut, hold_out
from crmcore.usecases.value_in_force import Values, not_published, values_in_force
from crmcore.value.purchase_log import PurchaseLog


@dataclass(frozen=True)
class Log:
    """What the orders of the firm span."""

    first_day: date
    last_day: date
    customers: int
    repeat_buyers: int
    purchases: int


@dataclass(frozen=True)
class ValueReport:
    firm: str
    currency: str
    made_at: datetime
    log: Log | None
    hold_out: HoldOut | Missing
    values: Values | Missing


def value_report(crm: Crm, until: date | None = None, horizon: int | None = None) -> ValueReport:
    """The hold-out of these days beside the values in force. Nothing is stored.

    Without both, the last third of the log is held out, in whole weeks and at most a year; with one of them
    the other follows from the end of the log. Raises ``OutcomeUnknown`` for days that are not over, and
    ``ForeignCurrency``.
    """
    now, firm = crm.clock(), crm.firm
    today = firm.today(now)
    yesterday = today - timedelta(days=1)
    with crm.store.read() as tx:
        run, newest = tx.value.run_in_force(), tx.value.newest_run()
        figures = tx.value.current_figures()
        log = purchase_log(tx, firm, yesterday)
    values: Values | Missing = NO_ORDERS
    if run is not None and newest is not None and figures:
        values = values_in_force(run, newest, figures, today - timedelta(days=firm.value.stale_after_days))
    elif len(log):
        values = not_published(newest)
    return ValueReport(
        firm=firm.name,
        currency=firm.currency,
        made_at=now.astimezone(firm.zone),
        log=_span(log) if len(log) else None,
        hold_out=NO_ORDERS if not len(log) else hold_out(log, until, horizon, yesterday),
        values=values,
    )


def _span(log: PurchaseLog) -> Log:
    last = int(log.day.max())
    repeat = int((log.summary(last).frequency > 0).sum())
    first = date.fromordinal(int(log.first_day.min()))
    return Log(first, date.fromordinal(last), len(log), repeat, len(log.day))
