"""What a foreign currency was worth on a day."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from crmcore.imports.errors import UnreadableValue
from crmcore.money import exponent

STALE_AFTER_DAYS = 31  # A monthly table is fine; one that ended last year is not.


class Rates:
    """Units of the firm's currency for one of a foreign one; the latest rate on or before a day holds."""

    def __init__(self, own: str, rows: Iterable[tuple[date, str, Decimal]] = ()) -> None:
        self.own = own
        by_currency: dict[str, list[tuple[date, Decimal]]] = {}
        for day, currency, rate in rows:
            by_currency.setdefault(currency, []).append((day, rate))
        self._known = {currency: sorted(found) for currency, found in by_currency.items()}

    def convert(self, minor: int, currency: str, day: date) -> int:
        """Minor units of the firm's currency, rounded half to even.

        >>> rates = Rates("EUR", [(date(2024, 1, 2), "USD", Decimal("0.91"))])
        >>> rates.convert(10_00, "USD", date(2024, 1, 7))
        910

        Raises
        ------
        UnreadableValue : there is no rate of that currency for that day.
        """
        if currency == self.own:
            return minor
        known = self._known.get(currency)
        if known is None:
            raise UnreadableValue(
                f"is in {currency} and the firm counts in {self.own}; give the rates with --rates FILE"
            )
        place = bisect_right(known, day, key=lambda row: row[0])
        if place == 0 or (day - known[place - 1][0]).days > STALE_AFTER_DAYS:
            raise UnreadableValue(
                f"is in {currency}, and --rates has no rate for {day} or the {STALE_AFTER_DAYS} days before"
            )
        shift = exponent(self.own) - exponent(currency)
        return int((minor * known[place - 1][1]).scaleb(shift).to_integral_value(ROUND_HALF_EVEN))
