"""Figures as people read them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from crmcore.money import format_money


def count(number: float) -> str:
    """``1,234``"""
    return f"{number:,.0f}"


def percent(share: float, places: int = 0) -> str:
    """``94 %``, the blank not to be broken."""
    return f"{share:,.{places}%}".replace("%", "\u00a0%").replace("-", "\u2212")


def day(of: date) -> str:
    """``3 April 2026``"""
    return f"{of.day} {of:%B %Y}"


def money(amount: Decimal | float, currency: str) -> str:
    """In whole units where that is near enough, else to the minor unit; with a true minus."""
    exact = Decimal(str(amount))
    whole = round(exact)
    near = abs(exact) >= 100 or exact == whole
    text = format_money(Decimal(whole) if near else exact, currency)
    return (text.partition(".")[0] if near else text).replace("-", "\u2212")


def signed(number: float, places: int = 3) -> str:
    """``+0.002``, with a true minus."""
    return f"{number:+,.{places}f}".replace("-", "\u2212")
