"""The example on the page about imports does what the page says."""

import re
import shlex
from pathlib import Path

import pytest

from crmcore.crm import Crm
from crmcore.imports.fields import FIELDS
from tests.builders import ROOT
from tests.imports.files import orders_in, returns_in
from tests.imports.test_import_command import run, told

PAGE = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_runs_as_it_stands(crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export.csv").write_text(block("csv"), encoding="utf-8")
    commands = [
        shlex.split(line)[2:] for line in block("sh").splitlines() if line.startswith("rapport import")
    ]
    trial, taken, again = (run(crm, *command) for command in commands)
    assert "nothing was changed" in trial.output
    assert "rapport score" in taken.output
    assert told(again)["unchanged"] == told(again)["read"] == 4
    assert [(row[0], row[3], row[5]) for row in orders_in(crm)] == [
        ("1001", 122400, "delivered"),
        ("1002", 700, "cancelled"),
    ]
    assert [(row[0], row[3]) for row in returns_in(crm)] == [("1003-R", 1250)]


def test_every_field_is_on_the_page() -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert {field.name for fields in FIELDS.values() for field in fields} <= named
