"""``rapport import``, as an operator types it."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.imports import import_command
from crmcore.crm import Crm
from crmcore.errors import CrmError
from tests.imports.files import a_file, orders_in

ORDERS = "Kunde;Datum;Betrag;Zustand\nanna;31.03.2025;1.234,50;Versandt\nben;01.04.2025;7,00;Storno\n"
SAID = ["--map", "customer_id=Kunde", "--map", "status=Zustand",
        "--status", "Versandt=shipped", "--status", "Storno=cancelled"]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(crm: Crm, *arguments: object) -> Result:
    app = typer.Typer()

    @app.callback()
    def _installation(context: typer.Context) -> None:
        context.obj = lambda: crm

    app.command("import")(import_command)
    return CliRunner().invoke(app, ["import", *map(str, arguments)])


def told(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.output)
    return found


def test_it_says_what_it_understood_and_what_to_do_next(crm: Crm, home: Path, tmp_path: Path) -> None:
    result = run(crm, "orders", a_file(tmp_path, ORDERS), *SAID)
    assert result.exit_code == 0, result.output
    assert "columns separated by semicolons" in result.output
    assert "ordered_at = Datum, amount = Betrag" in result.output
    assert "2 customers (2 of them new), €1,241.50" in result.output
    assert "rapport score" in result.output
    assert [(row[3], row[5]) for row in sorted(orders_in(crm), key=lambda r: r[3])] == [
        (700, "cancelled"),
        (123450, "shipped"),
    ]


def test_json_is_one_object_with_every_count(crm: Crm, home: Path, tmp_path: Path) -> None:
    found = told(run(crm, "orders", a_file(tmp_path, ORDERS), *SAID, "--json"))
    counts = ("read", "imported", "updated", "unchanged", "rejected", "duplicates", "excluded", "customers")
    assert [found[name] for name in counts] == [2, 2, 0, 0, 0, 0, 0, 2]
    assert (found["total_amount"], found["currency"], found["outcome"]) == ("1241.50", "EUR", "imported")


def test_what_was_said_is_saved_and_said_again_from_the_file(crm: Crm, home: Path, tmp_path: Path) -> None:
    path, mapping = a_file(tmp_path, ORDERS), tmp_path / "orders.yml"
    assert run(crm, "orders", path, *SAID, "--save-mapping", mapping).exit_code == 0
    assert "amount: Betrag" in mapping.read_text()
    assert told(run(crm, "orders", path, "--mapping", mapping, "--json"))["unchanged"] == 2
    wrong = run(crm, "costs", path, "--mapping", mapping)
    assert isinstance(wrong.exception, CrmError)
    assert "a mapping of orders and not of costs" in str(wrong.exception)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("amount: 5\n", "--save-mapping"),
        ("fields: {amount: x}\ncolour: red\n", "has colour"),
        ("fields: [", "is no YAML: while parsing"),
        ("fields: {amount: x}\nstatus: [a, b]\n", "status is a table"),
    ],
)
def test_a_mapping_that_is_none_says_so(crm: Crm, home: Path, tmp_path: Path, text: str, why: str) -> None:
    mapping = a_file(tmp_path, text, "mapping.yml")
    result = run(crm, "orders", a_file(tmp_path, ORDERS), "--mapping", mapping)
    assert why in str(result.exception)


def test_rejected_rows_end_with_status_1_and_lie_in_a_private_file(
    crm: Crm, home: Path, tmp_path: Path
) -> None:
    path = a_file(tmp_path, ORDERS + "eve;32.04.2025;1,00;Versandt\n=cmd;01.04.2025;x;Versandt\n")
    result = run(crm, "orders", path, *SAID)
    assert result.exit_code == 1
    assert "Nothing was imported" in result.output
    assert "first in line 4: ordered_at is no day of the calendar" in result.output
    assert "eve" not in result.output
    rejects = home / "imports" / "rejected-export.csv"
    assert rejects.stat().st_mode & 0o077 == 0
    assert rejects.read_text().splitlines()[-1] == "5,amount is no number,'=cmd,01.04.2025,x,Versandt"
    chosen = tmp_path / "mine.csv"
    again = run(crm, "orders", path, *SAID, "--keep-good", "--rejects", chosen, "--json")
    assert (again.exit_code, told(again)["imported"], told(again)["rejected"]) == (0, 2, 2)
    assert chosen.exists()


def test_nothing_is_left_of_a_file_that_was_taken_in(crm: Crm, home: Path, tmp_path: Path) -> None:
    run(crm, "orders", a_file(tmp_path, ORDERS), *SAID)
    assert list((home / "imports").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "teaches"),
    [
        (["--map", "Kunde"], "write --map customer_id=COLUMN"),
        (["--map", "amount=Betrag", "--map", "amount=Betrag"], "twice"),
        (["--date-format", "european"], "write dmy, mdy"),
        (["--decimal", "x"], "write --decimal . or"),
        (["--delimiter", "sigma"], "tab, blank"),
        (["--status", "Versandt=on its way"], "a meaning is one of"),
        (["--exclude", "email=x*"], "neither a mapped field nor a column"),
        (["--rates", "nowhere.csv"], "there is no file"),
        ([], "--map customer_id=COLUMN"),
    ],
)
def test_every_refusal_teaches(
    crm: Crm, home: Path, tmp_path: Path, arguments: list[str], teaches: str
) -> None:
    said = [] if not arguments else ["--map", "customer_id=Kunde"]
    result = run(crm, "orders", a_file(tmp_path, ORDERS), *said, *arguments)
    assert isinstance(result.exception, CrmError)
    assert teaches in str(result.exception)
    assert orders_in(crm) == []
