"""Until when the firm's rows are looked at."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from crmcore.errors import CrmError
from crmcore.firm import Firm


class DayInTheFuture(CrmError):
    """Nobody knows what will have been ordered until then; silence would pass for customers who left."""


def last_observed_day(firm: Firm, now: datetime, chosen: date | None) -> date:
    """The chosen day of the firm, or its last whole one. Raises :class:`DayInTheFuture`."""
    today = firm.today(now)
    if chosen is not None and chosen > today:
        raise DayInTheFuture(f"{chosen} is still to come; choose a day until {today}")
    return chosen or today - timedelta(days=1)
