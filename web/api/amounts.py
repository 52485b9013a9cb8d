"""Money between the API's decimal texts and the core's minor units."""

from decimal import Decimal

from crmcore.crm import Crm
from crmcore.errors import CrmError
from crmcore.money import MoneyError, to_minor


class WrongMoney(CrmError):
    """An amount or currency that this firm does not have."""


def minor(crm: Crm, amount: str, currency: str) -> int:
    """The amount in minor units of the firm's currency; raises :class:`WrongMoney` for any other."""
    if currency != crm.firm.currency:
        raise WrongMoney(
            f"this firm's currency is {crm.firm.currency}; convert {currency} before you send it"
        )
    try:
        return to_minor(Decimal(amount), currency)
    except MoneyError as error:
        raise WrongMoney(str(error)) from error


def decimal_text(amount: Decimal) -> str:
    """Never with an exponent."""
    return f"{amount:f}"
