"""How days, times and amounts are written for a reader, by language."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$", "INR": "₹"}  # Others are written by their code.
_MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
}
_DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "es": "lunes martes miércoles jueves viernes sábado domingo".split(),
}
_DAY_FORMS = {"en": "{weekday} {day} {month}", "es": "{weekday} {day} de {month}"}


def spoken_amount(amount: Decimal, currency: str) -> str:
    """An amount to two places, whole amounts without them.

    >>> spoken_amount(Decimal("1299.50"), "EUR"), spoken_amount(Decimal(20), "CHF")
    ('€1,299.50', 'CHF 20')
    """
    figures = f"{amount:,.0f}" if amount == amount.to_integral_value() else f"{amount:,.2f}"
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{figures}" if symbol else f"{currency} {figures}"


def spoken_minor(minor: int, currency: str) -> str:
    """An amount of integer minor units (hundredths) as a reader expects it."""
    return spoken_amount(Decimal(minor) / 100, currency)


def spoken_day(day: date, language: str, today: date | None = None) -> str:
    """A day with its weekday; with its year when it is not near ``today``.

    >>> spoken_day(date(2026, 11, 24), "en", date(2026, 11, 20))
    'Tuesday 24 November'
    """
    if language not in _DAY_FORMS:
        return day.isoformat()
    words = _DAY_FORMS[language].format(
        weekday=_DAYS[language][day.weekday()], day=day.day, month=_MONTHS[language][day.month - 1]
    )
    far = today is not None and abs((day - today).days) > 180
    return f"{words} {day.year}" if far else words


def spoken_time(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """A moment in the firm's time zone, such as ``Tuesday 24 November, 09:00``."""
    local = moment.astimezone(zone)
    return f"{spoken_day(local.date(), language)}, {local:%H:%M}"
