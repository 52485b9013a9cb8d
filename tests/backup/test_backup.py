"""The drill: back up while customers write, restore elsewhere, compare every row, and go on talking."""

import json
import os
import shutil
import sqlite3
import stat
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from typer.testing import CliRunner

from cli import __main__ as rapport
from crmcore import backup as archives
from crmcore.backup import DamagedArchive
from crmcore.crm import Crm
from crmcore.settings import Settings
from crmcore.store import dumps, schema
from crmcore.store.database import SchemaTooNew, Store, known_revisions, raw_connection
from crmcore.store.dumps import CannotDump, TargetInUse, libpq_environment
from crmcore.usecases.backup import NoDirectory, NotEmpty, WrongKind, back_up, restore
from crmcore.usecases.conversations import receive
from crmcore.usecases.escalation import request_person
from crmcore.usecases.firm import apply_firm
from tests.builders import ROOT, a_conversation, a_crm, a_customer, a_staff_member, answered, client_id
from tests.upgrade.test_upgrade import rows_of
from tests.web.gateway.chat import FakeBrain, Visitor, gateway, some_settings

NOW = datetime(2026, 3, 11, 11, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Installation:
    """A home of its own and a database of either kind."""

    settings: Settings
    store: Store

    @property
    def crm(self) -> Crm:
        return a_crm(self.store)


@pytest.fixture
def lived_in(store: Store, tmp_path: Path) -> Installation:
    """Customers, conversations, a decision, a firm, secrets, and Rasa's own file of dialogues."""
    home = tmp_path / "here"
    home.mkdir()
    here = Installation(some_settings(home, database_url=store.url), store)
    crm = here.crm
    apply_firm(store, (ROOT / "firm.yml").read_text(encoding="utf-8"), crm.clock())
    manager = a_staff_member(crm)
    answered(crm, a_conversation(crm, a_customer(crm, "Saoirse O'Brien", manager=manager, tier="MVC")))
    request_person(crm, a_conversation(crm).conversation_id)
    (home / "secrets").mkdir()
    (home / "secrets" / "secret").write_text("ab" * 32)
    with sqlite3.connect(home / "tracker.db") as tracker:
        tracker.execute("CREATE TABLE events (id INTEGER, data TEXT)")
        tracker.execute("INSERT INTO events VALUES (1, 'a form is open')")
    return here


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> Iterator[Settings]:
    """A new installation of the same kind that holds nothing."""
    home = tmp_path / "there"
    home.mkdir()
    if store.url.startswith("sqlite"):
        yield some_settings(home, database_url=f"sqlite:///{home / 'rapport.db'}")
        return
    cluster = request.getfixturevalue("postgres")
    name = cluster.create()
    yield some_settings(home, database_url=cluster.url(name))
    cluster.drop(name)


def archive_of(here: Installation, **wishes: Any) -> Path:
    return back_up(here.settings, here.settings.home, NOW, **wishes).path


def test_the_drill_every_row_is_there_and_the_conversation_goes_on(
    lived_in: Installation, elsewhere: Settings
) -> None:
    before = rows_of(lived_in.store)
    archive = archive_of(lived_in)
    done = restore(elsewhere, archive)
    assert done.revision == known_revisions()[-1]
    restored = Store(elsewhere.database_url)
    try:
        assert rows_of(restored) == before
        with sqlite3.connect(elsewhere.home / "tracker.db") as tracker:
            assert tracker.execute("SELECT data FROM events").fetchall() == [("a form is open",)]
        _talk(a_crm(restored), elsewhere.home)
    finally:
        restored.dispose()


def _talk(crm: Crm, home: Path) -> None:
    """Somebody new is answered, and his message has a number after all restored ones."""
    with gateway(crm, home, FakeBrain()) as chat:
        visitor = Visitor(chat)
        visitor.begin()
        visitor.send("Are you still there?")
        (said,) = visitor.hears("bot")
        assert said["text"] == "You said: Are you still there?"


def test_a_backup_that_is_taken_while_customers_write_is_of_one_moment(
    lived_in: Installation, elsewhere: Settings
) -> None:
    crm, stopping, failed = lived_in.crm, threading.Event(), []
    conversations = [a_conversation(crm).conversation_id for _ in range(4)]

    def write(conversation_id: str) -> None:
        try:
            while not stopping.is_set():
                receive(crm, conversation_id, client_id(), "one more")
        except Exception as error:  # noqa: BLE001 - shown by the assertion below.
            failed.append(error)

    writers = [threading.Thread(target=write, args=(conversation_id,)) for conversation_id in conversations]
    for writer in writers:
        writer.start()
    try:
        archive = archive_of(lived_in)
    finally:
        stopping.set()
        for writer in writers:
            writer.join()
    assert failed == []
    restore(elsewhere, archive)
    restored = Store(elsewhere.database_url)
    messages, talks = schema.messages, schema.conversations
    last = select(messages.c.conversation_id, func.max(messages.c.seq), func.count())
    with raw_connection(restored) as connection:
        said = connection.execute(last.group_by(messages.c.conversation_id)).all()
        numbered = {
            row.conversation_id: row.last_seq
            for row in connection.execute(select(talks.c.conversation_id, talks.c.last_seq))
        }
    restored.dispose()
    assert {conversation_id: last_seq for conversation_id, last_seq, _ in said} == {
        conversation_id: numbered[conversation_id] for conversation_id, _, _ in said
    }
    assert all(last_seq == count for _, last_seq, count in said)


def test_an_archive_is_for_its_owner_alone_and_names_what_it_holds(lived_in: Installation) -> None:
    done = back_up(lived_in.settings, lived_in.settings.home, NOW)
    assert done.path.name == "rapport-20260311T113000Z.tar.gz"
    assert stat.S_IMODE(done.path.stat().st_mode) == 0o600
    with tarfile.open(done.path) as archive:
        names = archive.getnames()
        manifest = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
        firm = archive.extractfile("firm.yml").read().decode()  # type: ignore[union-attr]
    assert names == ["manifest.json", "database", "firm.yml", "tracker.db"]
    assert manifest["revision"] == known_revisions()[-1]
    assert manifest["rows"]["customers"] == 1
    assert firm == (ROOT / "firm.yml").read_text(encoding="utf-8")
    assert [path.name for path in lived_in.settings.home.glob(".backup-*")] == []


def test_secrets_travel_only_when_asked_for_both_ways(lived_in: Installation, elsewhere: Settings) -> None:
    with tarfile.open(archive_of(lived_in)) as plain:
        assert not [name for name in plain.getnames() if "secret" in name]
    archive = archive_of(lived_in, secrets=True)
    restore(elsewhere, archive)
    assert not (elsewhere.home / "secrets").exists()
    restore(elsewhere, archive, replace=True, secrets=True)
    secret = elsewhere.home / "secrets" / "secret"
    assert secret.read_text() == "ab" * 32
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_what_holds_something_is_replaced_only_when_that_is_said(
    lived_in: Installation, elsewhere: Settings
) -> None:
    archive = archive_of(lived_in)
    other = Store(elsewhere.database_url)
    other.migrate()
    a_customer(a_crm(other), "Somebody Else")
    before = rows_of(other)
    other.dispose()
    with pytest.raises(NotEmpty, match="--replace"):
        restore(elsewhere, archive)
    assert rows_of(other) == before
    other.dispose()
    restore(elsewhere, archive, replace=True)
    assert rows_of(other) == rows_of(lived_in.store)
    other.dispose()


def test_a_database_that_somebody_works_with_is_not_replaced_under_him(
    lived_in: Installation, elsewhere: Settings
) -> None:
    archive = archive_of(lived_in)
    restore(elsewhere, archive)
    working = Store(elsewhere.database_url)
    with working.read() as tx:
        tx.jobs.counts()
        with pytest.raises(TargetInUse, match="stop every part of Rapport first"):
            restore(elsewhere, archive, replace=True)
    working.dispose()


def test_an_older_backup_is_brought_up_to_date(
    lived_in: Installation, elsewhere: Settings, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if lived_in.store.url.startswith("sqlite"):
        old = Store(f"sqlite:///{tmp_path / 'old.db'}")
    else:
        cluster = request.getfixturevalue("postgres")
        old = Store(cluster.url(cluster.create()))
    old.migrate("0001")
    with raw_connection(old) as connection:
        connection.execute(
            text("INSERT INTO incidents (kind, detail, at) VALUES ('old', '', '2026-03-09 09:58:00.000000')")
        )
        connection.commit()
    archive = archive_of(Installation(some_settings(tmp_path, database_url=old.url), old))
    old.dispose()
    done = restore(elsewhere, archive)
    assert (done.manifest.revision, done.revision) == ("0001", known_revisions()[-1])
    restored = Store(elsewhere.database_url)
    assert restored.revision() == known_revisions()[-1]
    assert len(rows_of(restored)["incidents"]) == 1
    restored.dispose()


def test_an_older_backup_takes_the_place_of_a_newer_schema(
    lived_in: Installation, elsewhere: Settings, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Tables that the old schema did not have must not stand in the way."""
    test_an_older_backup_is_brought_up_to_date(lived_in, elsewhere, request, tmp_path)
    old = tmp_path / "rapport-20260311T113000Z.tar.gz"
    done = restore(elsewhere, old, replace=True)
    assert done.manifest.revision == "0001"


def test_a_backup_of_a_newer_schema_is_refused(
    lived_in: Installation, elsewhere: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = archive_of(lived_in)
    monkeypatch.setattr("crmcore.store.database.known_revisions", lambda: ["0001"])
    with pytest.raises(SchemaTooNew, match="a newer Rapport"):
        restore(elsewhere, archive)


@pytest.mark.parametrize("where", [0.02, 0.4, 0.8, 0.999])
def test_a_damaged_archive_is_refused_and_nothing_is_touched(
    lived_in: Installation, elsewhere: Settings, where: float
) -> None:
    archive = archive_of(lived_in)
    content = bytearray(archive.read_bytes())
    at = int(len(content) * where)
    content[at] ^= 0xFF
    archive.write_bytes(bytes(content))
    with pytest.raises(DamagedArchive, match="nothing was restored"):
        restore(elsewhere, archive)
    assert not (elsewhere.home / "rapport.db").exists()
    assert not (elsewhere.home / "tracker.db").exists()


def test_half_an_archive_and_no_archive_at_all_are_refused(
    lived_in: Installation, elsewhere: Settings
) -> None:
    archive = archive_of(lived_in)
    archive.write_bytes(archive.read_bytes()[:-2000])
    for path in (archive, ROOT / "README.md"):
        with pytest.raises(DamagedArchive, match=path.name):
            restore(elsewhere, path)


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "secrets/../../evil", "secrets/a/b"])
def test_an_archive_that_would_write_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    assert not archives.is_member(name)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "database").write_bytes(b"x")
    (folder / "evil").write_bytes(b"y")
    digest = {"database": "", name: ""}
    manifest = archives.Manifest(1, "0", NOW.isoformat(), "sqlite", "0001", {}, digest)
    path = tmp_path / "a.tar.gz"
    from dataclasses import asdict

    with tarfile.open(path, "w:gz") as archive:
        (tmp_path / "m").write_text(json.dumps(asdict(manifest)))
        archive.add(tmp_path / "m", "manifest.json")
        archive.add(folder / "evil", name)
    with pytest.raises(DamagedArchive):
        archives.unpack(path, folder)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.tar.gz", "folder", "m"]


def test_a_backup_of_the_other_kind_is_refused(sqlite_store: Store, tmp_path: Path) -> None:
    here = Installation(some_settings(tmp_path, database_url=sqlite_store.url), sqlite_store)
    there = some_settings(tmp_path, database_url="postgresql+psycopg://rapport@127.0.0.1:1/nothing")
    with pytest.raises(WrongKind, match="of a sqlite database"):
        restore(there, archive_of(here))


def test_without_postgresqls_programs_the_sentence_says_which_package(
    postgres_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dumps, "find_program", lambda _: None)
    settings = some_settings(tmp_path, database_url=postgres_store.url)
    with pytest.raises(CannotDump, match="postgresql-client"):
        back_up(settings, tmp_path, NOW)
    assert list(tmp_path.glob("rapport-*")) == []


def test_a_password_travels_in_the_environment_of_pg_dump() -> None:
    url = "postgresql+psycopg://rapport:hu%40sh@db.example.com:5433/rapport?sslmode=verify-full"
    assert libpq_environment(url) == {
        "PGHOST": "db.example.com", "PGPORT": "5433", "PGUSER": "rapport", "PGPASSWORD": "hu@sh",
        "PGDATABASE": "rapport", "PGSSLMODE": "verify-full",
    }  # fmt: skip


def test_only_so_many_archives_are_kept(sqlite_store: Store, tmp_path: Path) -> None:
    settings = some_settings(tmp_path, database_url=sqlite_store.url)
    made = [back_up(settings, tmp_path, NOW.replace(hour=hour), keep=2) for hour in (1, 2, 3)]
    assert [path.name for path in made[-1].removed] == ["rapport-20260311T013000Z.tar.gz"]
    assert len(list(tmp_path.glob("rapport-*.tar.gz"))) == 2


def test_a_disk_that_is_not_mounted_is_no_place_for_archives(sqlite_store: Store, tmp_path: Path) -> None:
    settings = some_settings(tmp_path, database_url=sqlite_store.url)
    with pytest.raises(NoDirectory, match="mount its disk"):
        back_up(settings, tmp_path / "backups", NOW, keep=14)
    assert not (tmp_path / "backups").exists()


def test_the_commands_back_up_and_restore(
    lived_in: Installation, elsewhere: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def typed(settings: Settings, *arguments: str) -> tuple[int, str]:
        monkeypatch.setenv("RAPPORT_HOME", str(settings.home))
        monkeypatch.setenv("RAPPORT_DATABASE_URL", settings.database_url)
        shutil.rmtree(settings.home / "secrets", ignore_errors=True)
        result = CliRunner().invoke(rapport.app, arguments)
        return result.exit_code, result.output

    target = lived_in.settings.home / "mine.tar.gz"
    status, said = typed(lived_in.settings, "backup", str(target), "--json")
    assert status == 0
    assert json.loads(said)["path"] == str(target)
    status, said = typed(elsewhere, "restore", str(target))
    assert (status, said.startswith("Restored ")) == (0, True)
    status, said = typed(elsewhere, "restore", str(target), "--replace", "--json")
    assert json.loads(said)["revision"] == known_revisions()[-1]
    assert os.path.exists(lived_in.settings.home / "last-backup.json")
