"""The catalogue in service: seeded from ``firm.yml``, changed by applying an edited file, exported back."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from crmcore.errors import CrmError
from crmcore.firm import Firm, digest, load_firm, parse_firm
from crmcore.store.database import Store


class NoFirm(CrmError):
    """Nothing was applied yet."""

    def __init__(self) -> None:
        super().__init__("no firm is in service yet; run `rapport firm apply` with your firm.yml")


@dataclass(frozen=True)
class Applied:
    """``is_new`` is false when the very same text was in service already."""

    version: int
    is_new: bool


def firm_in_service(store: Store, seed: Path, now: datetime) -> Firm:
    """The newest version in the database; an empty database takes the seed file as its first.

    Raises :class:`crmcore.firm.FirmError` with every problem of the text.
    """
    with store.read() as tx:
        newest = tx.firm.newest()
    if newest is not None:
        return parse_firm(newest.document, f"firm version {newest.version}")
    firm = load_firm(seed)
    apply_firm(store, seed.read_text(encoding="utf-8"), now, seed.name)
    return firm


def apply_firm(store: Store, text: str, now: datetime, file_name: str = "firm.yml") -> Applied:
    """Check a text and put it into service as a new version; the same text again changes nothing.

    A text of before becomes the newest again when it is applied again: its digest is salted with the
    version that it replaces, so that every version stays on record. Processes that run keep the firm
    they were started with.
    """
    parse_firm(text, file_name)
    with store.write() as tx:
        newest = tx.firm.newest()
        if newest is not None and newest.document == text:
            return Applied(newest.version, False)
        mark = digest(text)
        if newest is not None and tx.firm.by_digest(mark) is not None:
            mark = digest(f"{newest.version}\n{text}")
        is_new = tx.firm.add(mark, text, now)
        stored = tx.firm.by_digest(mark)
        assert stored is not None
        return Applied(stored.version, is_new)


def export_firm(store: Store) -> str:
    """The text in service, as it was applied, comments and all."""
    with store.read() as tx:
        newest = tx.firm.newest()
    if newest is None:
        raise NoFirm
    return newest.document


def diff_firm(store: Store, text: str, file_name: str = "firm.yml") -> str:
    """What applying this text would change, as a unified diff; empty when nothing."""
    with store.read() as tx:
        newest = tx.firm.newest()
    before = newest.document if newest else ""
    label = f"in service (version {newest.version})" if newest else "in service (none)"
    return "".join(difflib.unified_diff(before.splitlines(True), text.splitlines(True), label, file_name))
