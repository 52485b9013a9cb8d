"""The doctor looks at a real installation: at its ports, its files and its database, and changes nothing."""

import json
import socket
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from cli import __main__ as rapport
from cli import doctor as command
from crmcore.crm import Crm
from crmcore.settings import Settings
from crmcore.store.database import Store, known_revisions, raw_connection
from crmcore.usecases.backup import back_up
from crmcore.usecases.firm import apply_firm
from crmcore.usecases.operating import database_facts, note_incident
from crmcore.usecases.staff import add_staff
from serve import examination
from serve.examination import look
from tests.builders import ROOT, a_crm
from tests.letters.mail_server import a_mail_server
from tests.live.product import free_port
from tests.postgres import Cluster
from tests.web.gateway.chat import FakeBrain, served, some_settings
from web.app import create_app
from web.live import Live


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home


def settings_for(home: Path, store: Store, **changes: object) -> Settings:
    nowhere = {
        "port": free_port(),
        "action_port": free_port(),
        "rasa_urls": (f"http://127.0.0.1:{free_port()}",),
    }
    return some_settings(home, database_url=store.url, **(nowhere | changes))


def in_service(store: Store) -> Crm:
    crm = a_crm(store)
    apply_firm(store, (ROOT / "firm.yml").read_text(encoding="utf-8"), crm.clock())
    return crm


def test_what_does_not_run_is_seen_as_such_and_the_database_is_read(home: Path, store: Store) -> None:
    crm = replace(in_service(store), clock=lambda: datetime.now(UTC))
    note_incident(crm, "tracker_in_memory")
    seen = look(settings_for(home, store))
    assert (seen.gateway_answers, seen.actions_answer, list(seen.brains.values())) == (False, False, [False])
    assert (seen.mail_is_set, seen.redis_is_set, seen.last_backup) == (False, False, None)
    assert seen.database is not None
    assert seen.database.kind in store.url
    assert seen.database.revision == known_revisions()[-1]
    assert seen.database.pending == ()
    assert seen.database.incidents == {"tracker_in_memory": 1}
    assert seen.database.figures["rapport_lost_messages"] == 0
    assert abs(seen.database.ahead_seconds) < 5


def test_what_runs_is_seen(home: Path, sqlite_store: Store) -> None:
    crm = in_service(sqlite_store)
    app = create_app(crm, FakeBrain(), Live(crm), some_settings(home))
    with served(app) as url, a_mail_server() as mail:
        port = int(url.rsplit(":", 1)[1])
        settings = settings_for(
            home, sqlite_store, port=port, action_port=port, smtp_url=f"smtp://127.0.0.1:{mail.port}"
        )
        seen = look(settings)
    assert (seen.gateway_answers, seen.actions_answer, seen.mail_answers) == (True, True, True)


def test_an_older_schema_is_told_and_left_as_it_is(home: Path, tmp_path: Path) -> None:
    old = Store(f"sqlite:///{tmp_path / 'old.db'}")
    old.migrate("0001")
    seen = look(settings_for(home, old)).database
    assert seen is not None
    assert (seen.revision, seen.pending[0]) == ("0001", "0002")
    assert old.revision() == "0001"
    old.dispose()


def test_a_database_that_is_away_is_told_without_its_password(home: Path, sqlite_store: Store) -> None:
    settings = settings_for(home, sqlite_store)
    away = replace(
        settings, database_url=f"postgresql+psycopg://rapport:hush@127.0.0.1:{free_port()}/rapport"
    )
    seen = look(away)
    assert seen.database is None
    assert "hush" not in seen.database_says


def test_rasa_that_answers_at_another_address_of_this_machine_is_seen(
    home: Path, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux answers at every address of 127.0.0.0/8: a second one stands for the machine's network."""
    monkeypatch.setattr(examination, "_own_addresses", lambda: {"127.0.0.2"})
    crm = in_service(sqlite_store)
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    rasa = Starlette(routes=[Route("/", lambda _: PlainTextResponse("Hello from Rasa: 3.6.21"))])
    for host, seen in (("0.0.0.0", True), ("127.0.0.1", False)):
        with socket.create_server((host, 0)) as listening, served(rasa, listening) as url:
            port = url.rsplit(":", 1)[1]
            settings = settings_for(home, crm.store, rasa_urls=(f"http://127.0.0.1:{port}",))
            assert look(settings).brain_seen_at == ((f"127.0.0.2:{port}",) if seen else ())
            assert look(settings).brains == {f"http://127.0.0.1:{port}": True}


def test_files_that_others_may_read_are_named(home: Path, sqlite_store: Store) -> None:
    (home / "secrets").mkdir()
    (home / "secrets" / "secret").write_text("x")
    (home / "secrets" / "secret").chmod(0o644)
    (home / "rapport.db").touch(mode=0o644)
    settings = settings_for(home, sqlite_store)
    assert look(settings).open_files == ("secrets/secret",)
    home.chmod(0o755)
    assert sorted(look(settings).open_files) == ["rapport.db", "secrets/secret"]
    assert look(settings).home_mode == 0o755


def test_the_last_backup_is_remembered(home: Path, sqlite_store: Store) -> None:
    in_service(sqlite_store)
    settings = settings_for(home, sqlite_store)
    now = datetime(2026, 3, 11, 3, 0, tzinfo=UTC)
    back_up(settings, home, now)
    assert look(settings).last_backup == now


def test_a_password_of_the_demonstration_that_still_opens_is_found(sqlite_store: Store, home: Path) -> None:
    crm = in_service(sqlite_store)
    add_staff(crm, "Anna Byrne", "anna@alderandbell.example", "account_manager", "left-as-it-was-made")
    kept = [
        {"role": "account manager", "email": "anna@alderandbell.example", "password": "left-as-it-was-made"},
        {"role": "operator", "email": "olive@alderandbell.example", "password": "long since changed"},
    ]
    (home / "demonstration-sign-ins.json").write_text(json.dumps(kept))
    seen = look(settings_for(home, sqlite_store)).database
    assert seen is not None
    assert seen.demonstration_sign_ins == ("anna@alderandbell.example",)


def test_a_superuser_is_told_from_an_ordinary_role(
    postgres: Cluster, postgres_store: Store, home: Path
) -> None:
    settings = settings_for(home, postgres_store)
    assert database_facts(settings, []).superuser
    with raw_connection(postgres_store) as connection:
        connection.execute(text("CREATE ROLE ordinary LOGIN"))
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO ordinary"))
        connection.commit()
    ordinary = postgres_store.url.replace("//rapport@", "//ordinary@")
    assert not database_facts(replace(settings, database_url=ordinary), []).superuser
    with raw_connection(postgres_store) as connection:
        connection.execute(text("DROP OWNED BY ordinary"))
        connection.execute(text("DROP ROLE ordinary"))
        connection.commit()


# --- the command ---------------------------------------------------------------------------------------


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, home: Path, sqlite_store: Store) -> CliRunner:
    monkeypatch.setattr(command, "read_settings", lambda: settings_for(home, sqlite_store))
    return CliRunner()


def test_the_command_says_what_to_mend_and_fails(typed: CliRunner) -> None:
    result = typed.invoke(rapport.app, ["doctor"])
    assert result.exit_code == 1
    assert "MISSING" in result.output
    assert "->" in result.output


def test_as_json_every_check_has_its_verdict(typed: CliRunner) -> None:
    result = typed.invoke(rapport.app, ["doctor", "--json"])
    said = json.loads(result.output)
    assert (result.exit_code, said["healthy"]) == (1, False)
    assert said["checks"]["gateway"]["verdict"] == "missing"
    assert said["checks"]["files"] == {
        "verdict": "ok", "says": "The home and the secrets are for their owner alone.",
    }  # fmt: skip


def test_a_whole_installation_ends_with_status_0(typed: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.doctor.test_checks import facts

    monkeypatch.setattr(command, "look", lambda _: facts())
    assert typed.invoke(rapport.app, ["doctor"]).exit_code == 0
