"""Until when the firm's rows are looked at."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from crmcore.errors import CrmError
from crmcore.firm import Firm
from crmcore.intake import EARLIEST


class DayInTheFuture(CrmError):
    """Nobody knows what will have been ordered until then; silence would pass for customers who left."""


class DayBeforeAllOrders(CrmError):
    """Nobody had ordered yet, so nothing was observed until then."""


def last_observed_day(firm: Firm, now: datetime, chosen: date | None) -> date:
    """The chosen day of the firm, or its last whole one.

    Raises :class:`DayInTheFuture`, :class:`DayBeforeAllOrders`.
    """
    today = firm.today(now)
    if chosen is not None and chosen > today:
        raise DayInTheFuture(f"{chosen} is still to come; choose a day until {today}")
    if chosen is not None and chosen < EARLIEST.date():
        raise DayBeforeAllOrders(
            f"no order can be as old as {chosen}; choose a day from {EARLIEST.date()} to {today}"
        )
    return chosen or today - timedelta(days=1)


def end_of(firm: Firm, day: date) -> datetime:
    """The moment at which a day of the firm is over."""
    return datetime.combine(day + timedelta(days=1), time(), firm.zone)
