"""What every use case is given: the store, the firm, the clock and the tools that read language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crmcore.store.database import Store

if TYPE_CHECKING:
    from crmcore.firm import Firm
    from crmcore.needs.language import LanguageTools


@dataclass(frozen=True)
class Crm:
    """One installation of one firm. Build it once with :func:`open_crm` and pass it on."""

    store: Store
    firm: Firm
    language: LanguageTools  # By language code: recognises amounts and dates, embeds sentences.
    secret: bytes  # Keys the digests of codes, contacts and sessions.
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
