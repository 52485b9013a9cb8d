"""Bringing a database up to this program's schema."""

from __future__ import annotations

from dataclasses import dataclass

from crmcore.settings import Settings
from crmcore.store.database import Store, known_revisions, require_known


@dataclass(frozen=True)
class Upgrade:
    """The schema before (None: an empty database), the program's own, and the steps between."""

    before: str | None
    after: str
    pending: tuple[str, ...]


def look(settings: Settings) -> Upgrade:
    """What an upgrade would do; nothing is changed.

    Raises
    ------
    SchemaTooNew : a newer program upgraded the database already.
    """
    store = Store(settings.database_url)
    try:
        return steps_from(store.revision())
    finally:
        store.dispose()


def upgrade(settings: Settings) -> Upgrade:
    """Do it; two programs that do it at the same moment do it once."""
    store = Store(settings.database_url)
    try:
        steps = steps_from(store.revision())
        store.migrate()
    finally:
        store.dispose()
    return steps


def steps_from(before: str | None) -> Upgrade:
    """The steps from this schema to the program's own; raises ``SchemaTooNew``."""
    require_known(before)
    known = known_revisions()
    done = 0 if before is None else known.index(before) + 1
    return Upgrade(before, known[-1], tuple(known[done:]))
