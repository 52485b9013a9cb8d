"""Money: integer minor units in the database, ``Decimal`` in the core."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal

from crmcore.errors import CrmError

# Decimals of each currency's minor unit (ISO 4217). A currency that is not here is refused, because
# guessing two decimals would make a yen amount a hundred times too small.
_EXPONENTS = {
    "AUD": 2, "BHD": 3, "BRL": 2, "CAD": 2, "CHF": 2, "CLP": 0, "CNY": 2, "CZK": 2, "DKK": 2, "EUR": 2,
    "GBP": 2, "HKD": 2, "HUF": 2, "INR": 2, "ISK": 0, "JOD": 3, "JPY": 0, "KRW": 0, "KWD": 3, "MXN": 2,
    "NOK": 2, "NZD": 2, "OMR": 3, "PLN": 2, "SEK": 2, "SGD": 2, "TND": 3, "TWD": 2, "USD": 2, "VND": 0,
    "ZAR": 2,
}  # fmt: skip
_SYMBOLS = {"CNY": "CN¥", "EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "KRW": "₩", "USD": "$"}


class MoneyError(CrmError):
    """An amount that its currency cannot express, or a currency that is not known."""


def exponent(currency: str) -> int:
    """Decimals of the currency's minor unit: 2 for EUR, 0 for JPY."""
    try:
        return _EXPONENTS[currency]
    except KeyError:
        known = ", ".join(sorted(_EXPONENTS))
        raise MoneyError(f"currency {currency!r} is not known; use one of {known}") from None


def to_minor(amount: Decimal, currency: str) -> int:
    """The exact number of minor units; an amount finer than the minor unit is refused, not rounded."""
    places = exponent(currency)
    if not amount.is_finite():
        raise MoneyError(f"{amount} is not an amount of {currency}")
    minor = amount.scaleb(places)
    if minor != minor.to_integral_value():
        raise MoneyError(f"{amount} {currency} is finer than the minor unit; give at most {places} decimals")
    return int(minor)


def estimate_to_minor(amount: float, currency: str) -> int:
    """The nearest number of minor units (half to even) of an estimate; never for money that was paid."""
    if not math.isfinite(amount):
        raise MoneyError(f"an estimate of {amount} {currency} cannot be stored; check the model behind it")
    return int(Decimal(amount).scaleb(exponent(currency)).to_integral_value(ROUND_HALF_EVEN))


def from_minor(minor: int, currency: str) -> Decimal:
    """The amount in currency, with all the decimals of its minor unit."""
    return Decimal(minor).scaleb(-exponent(currency))


def amount_text(minor: int, currency: str) -> str:
    """The amount as programs exchange it: all the decimals of its minor unit, no exponent, no symbol.

    >>> amount_text(12990, "EUR"), amount_text(-5, "EUR"), amount_text(700, "JPY")
    ('129.90', '-0.05', '700')
    """
    return f"{from_minor(minor, currency):f}"


def format_money(amount: Decimal, currency: str) -> str:
    """For people: ``€1,234.50``, ``-£3.00``, ``PLN 12.00``; rounded to the minor unit, half to even."""
    places = exponent(currency)
    rounded = amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    sign = "-" if rounded < 0 else ""
    return f"{sign}{_SYMBOLS.get(currency, currency + ' ')}{abs(rounded):,.{places}f}"
