"""When the firm is open: weekly hours, holidays, and the next opening."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SEARCHED_DAYS = 366


@dataclass(frozen=True)
class Span:
    """Open from ``opens`` (included) to ``closes`` (not included), on one day of the firm."""

    opens: time
    closes: time

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


@dataclass(frozen=True)
class OpeningHours:
    """The week (seven tuples of spans, Monday first) and the days on which the firm stays closed.

    ``closed_on`` maps ``MM-DD`` (each year) or ``YYYY-MM-DD`` to the reason. A span never crosses
    midnight; ``00:00`` as closing time means the end of the day.
    """

    week: tuple[tuple[Span, ...], ...]
    closed_on: dict[str, str]
    zone: ZoneInfo

    def holiday(self, day: date) -> str | None:
        """Why the firm is closed on this day, or None when its usual hours apply."""
        return self.closed_on.get(day.isoformat()) or self.closed_on.get(day.strftime("%m-%d"))

    def on(self, day: date) -> tuple[Span, ...]:
        """The spans of one day of the firm, none on a holiday."""
        return () if self.holiday(day) else self.week[day.weekday()]

    def is_open(self, now: datetime) -> bool:
        local = now.astimezone(self.zone)
        return any(_holds(span, local.time()) for span in self.on(local.date()))

    def next_opening(self, now: datetime) -> datetime | None:
        """The first moment after ``now`` at which the firm opens (aware UTC), or None within a year.

        While the firm is open this is the opening after the present one.
        """
        today = now.astimezone(self.zone).date()
        for offset in range(_SEARCHED_DAYS):
            day = today + timedelta(days=offset)
            for span in self.on(day):
                opens = datetime.combine(day, span.opens, self.zone).astimezone(UTC)
                if opens > now:
                    return opens
        return None

    def closes_at(self, now: datetime) -> datetime | None:
        """When the present span ends (aware UTC), or None while the firm is closed."""
        local = now.astimezone(self.zone)
        for span in self.on(local.date()):
            if _holds(span, local.time()):
                day = local.date() + timedelta(days=span.closes == time(0))
                return datetime.combine(day, span.closes, self.zone).astimezone(UTC)
        return None


def _holds(span: Span, clock: time) -> bool:
    return span.opens <= clock and (clock < span.closes or span.closes == time(0))
