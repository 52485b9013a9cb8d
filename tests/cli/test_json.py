"""Whatever only reads can be read by a program: ``--json``."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from cli import __main__ as rapport
from cli.__main__ import app
from cli.nlu_measures import as_object, score
from cli.plain_json import plain
from crmcore.crm import Crm
from crmcore.usecases.escalation import request_person
from crmcore.usecases.firm import apply_firm
from tests.builders import ROOT, a_conversation, a_staff_member

# These change something; what they print is for the person who did it.
WRITING = {
    "run", "train", "work", "firm apply", "staff add", "staff passwd", "staff close", "staff reopen",
    "keys add", "keys revoke",
    "webhooks add", "webhooks remove", "webhooks enable", "webhooks rotate", "webhooks test",
    "webhooks retry", "value answer",
}  # fmt: skip

Read = Callable[..., tuple[int, Any]]


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(path), command
        return
    for name, child in below.items():
        yield from commands(child, (*path, name))


ALL = dict(commands(get_command(app)))


@pytest.fixture
def read(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> Read:
    monkeypatch.setattr(rapport, "_open", lambda: crm)

    def run(*arguments: str) -> tuple[int, Any]:
        result = CliRunner().invoke(rapport.app, [*arguments, "--json"])
        return result.exit_code, json.loads(result.output)

    return run


@pytest.mark.parametrize("name", sorted(set(ALL) - WRITING))
def test_a_command_that_reads_takes_json(name: str) -> None:
    options = [option for parameter in ALL[name].params for option in parameter.opts]
    assert "--json" in options


def test_the_list_of_writing_commands_names_no_command_that_is_not_there() -> None:
    assert set(ALL) >= WRITING


def test_staff_decisions_and_the_firm_are_read_as_json(crm: Crm, read: Read) -> None:
    apply_firm(crm.store, (ROOT / "firm.yml").read_text(encoding="utf-8"), crm.clock())
    a_staff_member(crm, "Anna Berg")
    request_person(crm, a_conversation(crm).conversation_id)
    status, staff = read("staff", "list")
    assert (status, staff[0]["name"], staff[0]["role"]) == (0, "Anna Berg", "account_manager")
    assert "password_hash" not in staff[0]
    assert read("decisions", "replay") == (0, {"checked": {"escalation": 1}, "differences": []})
    assert read("firm", "diff", str(ROOT / "firm.yml")) == (0, {"changes": False, "diff": ""})
    status, firm = read("firm", "export")
    assert (status, firm["name"]) == (0, crm.firm.name)
    assert read("check")[1]["sound"] is True


def test_moments_are_in_iso_form_and_money_is_text() -> None:
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    assert plain((noon, noon.date(), Decimal("1.50"))) == ["2026-03-10T12:00:00+00:00", "2026-03-10", "1.50"]


def test_scores_are_whole_as_json() -> None:
    found = as_object(score(["greet", "greet", "thank"], ["greet", "thank", "thank"]))
    assert json.loads(json.dumps(found))["accuracy"]["hits"] == 2
    assert found["confusions"] == [{"gold": "greet", "predicted": "thank", "count": 1}]
    assert found["outside_found"] == {"value": None, "interval": (0.0, 1.0), "hits": 0, "n": 0}
