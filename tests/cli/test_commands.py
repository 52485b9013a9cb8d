"""The commands that an operator types: what they print, and how they end."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from cli import __main__ as rapport
from crmcore.crm import Crm
from crmcore.store import schema
from crmcore.store.database import raw_connection
from crmcore.usecases.escalation import request_person
from crmcore.usecases.firm import apply_firm
from tests.builders import ROOT, a_conversation

SEED = ROOT / "firm.yml"
Type = Callable[..., tuple[int, str]]


@pytest.fixture
def typed(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> Type:
    """``rapport …`` on the test's own installation."""
    monkeypatch.setattr(rapport, "_open", lambda: crm)

    def run(*arguments: str, says: str | None = None) -> tuple[int, str]:
        result = CliRunner().invoke(rapport.app, arguments, input=says)
        return result.exit_code, result.output

    return run


def a_decision(crm: Crm) -> None:
    request_person(crm, a_conversation(crm).conversation_id)


def test_help_opens_no_database(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ended = subprocess.run(
        [sys.executable, "-m", "cli", "--help"],
        cwd=ROOT, env={"RAPPORT_HOME": str(home), "PATH": ""}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 0
    assert "decisions" in ended.stdout
    assert not home.exists()


def test_a_mistake_is_one_sentence_without_a_traceback(tmp_path: Path) -> None:
    broken = tmp_path / "firm.yml"
    broken.write_text("name: 5\n")
    ended = subprocess.run(
        [sys.executable, "-m", "cli", "firm", "apply"],
        cwd=ROOT, env={"RAPPORT_HOME": str(tmp_path), "RAPPORT_FIRM": str(broken), "PATH": ""},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.startswith("rapport: ")
    assert "firm.yml" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_replay_says_how_many_decisions_were_recomputed(crm: Crm, typed: Type) -> None:
    a_decision(crm)
    assert typed("decisions", "replay") == (0, "escalation: 1 recomputed\n0 of 1 decisions differ.\n")


def test_replay_names_a_decision_that_comes_out_differently_and_fails(crm: Crm, typed: Type) -> None:
    a_decision(crm)
    with raw_connection(crm.store) as connection:
        connection.execute(update(schema.decisions).values(outcome="own"))
        connection.commit()
    status, output = typed("decisions", "replay", "--kind", "escalation")
    assert status == 1
    assert "kept 'own', now 'queue'" in output


def test_replay_refuses_a_kind_that_there_is_not(typed: Type) -> None:
    status, output = typed("decisions", "replay", "--kind", "tears")
    assert status == 2
    assert "escalation" in output


def test_the_catalogue_is_compared_applied_and_exported(crm: Crm, typed: Type, tmp_path: Path) -> None:
    apply_firm(crm.store, SEED.read_text(encoding="utf-8"), crm.clock())
    assert typed("firm", "diff", str(SEED)) == (0, "Nothing would change.\n")
    changed = tmp_path / "firm.yml"
    changed.write_text(SEED.read_text(encoding="utf-8").replace("name: Alder & Bell", "name: Bell & Alder"))
    status, difference = typed("firm", "diff", str(changed))
    assert status == 1
    assert "+name: Bell & Alder" in difference
    assert "in service" in typed("firm", "apply", str(changed))[1]
    assert typed("firm", "export") == (0, changed.read_text(encoding="utf-8"))


def test_a_person_is_let_in_with_a_password_that_is_asked_for_and_not_shown(typed: Type) -> None:
    password = "a long enough password"
    status, output = typed(
        "staff", "add", "Anna Berg", "anna@example.com", "account_manager", says=f"{password}\n{password}\n"
    )
    assert status == 0
    assert password not in output
    assert "anna@example.com" in typed("staff", "list")[1]
    assert "signs in no more" in typed("staff", "close", "anna@example.com")[1]
    assert "closed" in typed("staff", "list")[1]
    assert typed("staff", "reopen", "anna@example.com")[0] == 0
    assert "closed" not in typed("staff", "list")[1]


def test_the_firm_and_the_dialogue_of_this_tree_are_sound(typed: Type) -> None:
    status, output = typed("check")
    assert output.endswith("firm.yml and the dialogue are sound\n")
    assert status == 0


def test_check_names_every_problem_and_fails(
    typed: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "firm.yml"
    broken.write_text(SEED.read_text(encoding="utf-8").replace("currency: EUR", "currency: EURO"))
    monkeypatch.setenv("RAPPORT_FIRM", str(broken))
    status, output = typed("check")
    assert status == 1
    assert "currency" in output
    assert output.endswith("1 problem\n")
