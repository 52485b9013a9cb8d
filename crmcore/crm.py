"""What every use case is given: the store, the firm, the clock and the tools that read language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crmcore.store.database import Store
from crmcore.webhook_http import Post, to_any_address, to_public_addresses

if TYPE_CHECKING:
    from crmcore.firm import Firm
    from crmcore.mail import Send
    from crmcore.needs.language import LanguageTools
    from crmcore.settings import Settings


@dataclass(frozen=True)
class Crm:
    """One installation of one firm. Build it once with :func:`open_crm` and pass it on."""

    store: Store
    firm: Firm
    language: LanguageTools  # By language code: recognises amounts and dates, embeds sentences.
    secret: bytes  # Keys the digests of codes, contacts and sessions.
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    post: Post = to_public_addresses  # Sends an event to its receiver.
    private_webhooks: bool = False  # Whether a receiver may be on this machine or network.
    mail: Send | None = None  # None: letters stay in the outbox, where the demonstration shows them.


def open_crm(settings: Settings) -> Crm:
    """The installation that ``settings`` name: its database brought up to date, its firm, its language tools.

    The firm in service is the newest version in the database; an empty database takes ``firm.yml`` as
    its first. Raises ``FirmError`` with every problem of the file, ``UnusableMailServer`` for an address
    that is none.
    """
    from crmcore.language import language_tools
    from crmcore.mail import smtp
    from crmcore.usecases.firm import firm_in_service

    mail = smtp(settings.smtp_url) if settings.smtp_url else None
    store = Store(settings.database_url)
    store.migrate()
    firm = firm_in_service(store, settings.firm, datetime.now(UTC))
    return Crm(
        store=store,
        firm=firm,
        language=language_tools(),
        secret=settings.secret,
        post=to_any_address if settings.private_webhooks else to_public_addresses,
        private_webhooks=settings.private_webhooks,
        mail=mail,
    )
