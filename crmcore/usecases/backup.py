"""Backing up an installation while it works, and restoring one into another."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from crmcore.backup import FORMAT, SUFFIX, Manifest, older_than_kept, private_folder, unpack, write_archive
from crmcore.errors import CrmError
from crmcore.settings import Settings
from crmcore.store.database import Store, known_revisions, require_known
from crmcore.store.dumps import (
    copy_sqlite,
    drop_tables,
    dump,
    holds_anything,
    kind_of,
    load,
    require_unused,
    require_unused_file,
    rows_of,
    sqlite_path,
)
from crmcore.usecases.firm import NoFirm, export_firm
from crmcore.version import VERSION

LAST = "last-backup.json"  # In the home: when the last one was made, for `rapport doctor`.


class NotEmpty(CrmError):
    """The installation that would be restored into holds something."""

    def __init__(self) -> None:
        super().__init__(
            "the database holds something already; give --replace to lose it for what the backup holds, "
            "or restore into an empty one (RAPPORT_HOME, RAPPORT_DATABASE_URL)"
        )


class NoDirectory(CrmError):
    """Archives are to be counted where there is no directory, such as a disk that is not mounted."""

    def __init__(self, target: Path) -> None:
        super().__init__(
            f"there is no directory {target}, and --keep counts the archives of one; "
            "make it (mkdir -m 700), or mount its disk"
        )


class WrongKind(CrmError):
    """A backup of the other kind of database."""


class NotAsCounted(CrmError):
    """What was restored has not the rows that were backed up."""


@dataclass(frozen=True)
class BackedUp:
    path: Path
    manifest: Manifest
    removed: tuple[Path, ...]  # Older archives that were more than should be kept.


@dataclass(frozen=True)
class Restored:
    manifest: Manifest
    revision: str  # After it was brought up to date.


def back_up(
    settings: Settings, target: Path, now: datetime, *, secrets: bool = False, keep: int | None = None
) -> BackedUp:
    """Write an archive of one moment: the database, the firm in service, Rasa's file of dialogues.

    ``target`` is a file or a directory that exists; in a directory the name tells the time, and with
    ``keep`` only so many of its archives stay. Secrets are packed only when asked for: the archive is
    readable by its owner alone and **not encrypted**.

    Raises
    ------
    NoDirectory : there is ``keep`` and no directory.
    CannotDump : see :func:`crmcore.store.dumps.dump`.
    """
    if keep is not None and not target.is_dir():
        raise NoDirectory(target)
    path = target / f"rapport-{now:%Y%m%dT%H%M%SZ}{SUFFIX}" if target.is_dir() else target
    store = Store(settings.database_url)
    try:
        with private_folder(settings.home) as folder:
            dumped = dump(store, folder / "database")
            members = ["database", *_beside(settings, store, folder)]
            if secrets:
                members += _secrets(settings, folder)
            manifest = Manifest(
                FORMAT, VERSION, now.isoformat(), dumped.kind, dumped.revision, dumped.rows,
                dict.fromkeys(members, ""),
            )  # fmt: skip
            manifest = write_archive(path, manifest, folder)
    finally:
        store.dispose()
    note = {"made_at": now.isoformat(), "path": str(path)}
    (settings.home / LAST).write_text(json.dumps(note))
    removed: tuple[Path, ...] = ()
    if keep is not None:
        removed = tuple(older_than_kept(list(target.glob(f"rapport-*{SUFFIX}")), keep))
        for old in removed:
            old.unlink()
    return BackedUp(path, manifest, removed)


def restore(settings: Settings, archive: Path, *, replace: bool = False, secrets: bool = False) -> Restored:
    """Put an archive in the place of this installation's data, brought up to this program's schema.

    The archive is checked as a whole first; what fails later leaves the old data in place (SQLite, whose
    file is swapped at the end) or an error that says so (PostgreSQL, in one transaction).

    Raises
    ------
    DamagedArchive, SchemaTooNew, WrongKind, NotEmpty, TargetInUse, CannotDump, NotAsCounted
    """
    with private_folder(settings.home) as folder:
        manifest = unpack(archive, folder)
        require_known(manifest.revision)
        _require_same_kind(manifest, settings)
        _require_free(settings, replace)
        if manifest.database == "sqlite":
            _check(manifest, f"sqlite:///{folder / 'database'}")
            _up_to_date(f"sqlite:///{folder / 'database'}")
            load(folder / "database", "sqlite", settings.database_url)
        else:
            _clear(settings.database_url, set(manifest.rows))
            load(folder / "database", "postgresql", settings.database_url)
            _check(manifest, settings.database_url)
            _up_to_date(settings.database_url)
        if "tracker.db" in manifest.members and not settings.tracker_url:
            load(folder / "tracker.db", "sqlite", f"sqlite:///{settings.home / 'tracker.db'}")
        if secrets:
            _put_secrets(settings, folder, manifest.members)
    return Restored(manifest, known_revisions()[-1])


def _beside(settings: Settings, store: Store, folder: Path) -> Iterable[str]:
    try:
        (folder / "firm.yml").write_text(export_firm(store), encoding="utf-8")
        yield "firm.yml"
    except NoFirm:
        pass
    tracker = settings.home / "tracker.db"
    if not settings.tracker_url and tracker.exists():
        copy_sqlite(tracker, folder / "tracker.db")
        yield "tracker.db"


def _secrets(settings: Settings, folder: Path) -> list[str]:
    """Those that lie in the home; what comes from the environment is kept where that is kept."""
    kept = sorted((settings.home / "secrets").glob("*"))
    (folder / "secrets").mkdir(mode=0o700)
    for file in kept:
        shutil.copy2(file, folder / "secrets" / file.name)
    return [f"secrets/{file.name}" for file in kept]


def _put_secrets(settings: Settings, folder: Path, members: Iterable[str]) -> None:
    place = settings.home / "secrets"
    place.mkdir(mode=0o700, exist_ok=True)
    for name in members:
        if name.startswith("secrets/"):
            target = place / Path(name).name
            target.unlink(missing_ok=True)
            shutil.copyfile(folder / name, target)
            target.chmod(0o600)


def _require_same_kind(manifest: Manifest, settings: Settings) -> None:
    wanted = kind_of(settings.database_url)
    if manifest.database != wanted:
        raise WrongKind(
            f"the backup is of a {manifest.database} database and RAPPORT_DATABASE_URL names a {wanted} one; "
            "restore it into one of its own kind"
        )


def _require_free(settings: Settings, replace: bool) -> None:
    url = settings.database_url
    there = kind_of(url) == "postgresql" or sqlite_path(url).exists()
    if there:
        require_unused(url)
        if not replace and _holds_anything(url):
            raise NotEmpty
    if not settings.tracker_url and (settings.home / "tracker.db").exists():
        require_unused_file(settings.home / "tracker.db")


def _holds_anything(url: str) -> bool:
    store = Store(url)
    try:
        return holds_anything(store)
    finally:
        store.dispose()


def _clear(url: str, keep: set[str]) -> None:
    store = Store(url)
    try:
        drop_tables(store, keep)
    finally:
        store.dispose()


def _check(manifest: Manifest, url: str) -> None:
    store = Store(url)
    try:
        found = rows_of(store)
    finally:
        store.dispose()
    for table, rows in manifest.rows.items():
        if found.get(table) != rows:
            raise NotAsCounted(
                f"{table} has {found.get(table, 0)} rows after restoring and had {rows} when it was backed up"
            )


def _up_to_date(url: str) -> None:
    store = Store(url)
    try:
        store.migrate()
    finally:
        store.dispose()
