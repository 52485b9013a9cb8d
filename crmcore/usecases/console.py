"""The marketer's reads."""

from __future__ import annotations

from crmcore.console import NeedsReport
from crmcore.crm import Crm
from crmcore.needs.board import BoardFilter


def needs_report(crm: Crm, wanted: BoardFilter) -> NeedsReport:
    """The board of needs and the value behind it, of one moment."""
    with crm.store.read() as tx:
        customers, clv_minor, potential_minor = tx.console.total_worth(wanted)
        return NeedsReport(
            board=tx.needs.board(wanted),
            worth=tx.console.worth(wanted),
            customers=customers,
            clv_minor=clv_minor,
            potential_minor=potential_minor,
            value_as_of=tx.console.value_as_of(),
            state=tx.console.state(),
        )


def state_of_needs(crm: Crm) -> str:
    """A text that differs whenever a need was added or changed."""
    with crm.store.read() as tx:
        return tx.console.state()
