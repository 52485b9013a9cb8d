"""``rapport import``: orders, customers and costs from the firm's own files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.mapping_file import save, with_saved
from crmcore.crm import Crm
from crmcore.imports.fields import FIELDS
from crmcore.imports.mapping import split_pairs
from crmcore.money import format_money
from crmcore.settings import read_settings

if TYPE_CHECKING:
    from crmcore.imports.report import ImportReport


class Kind(StrEnum):
    customers = "customers"
    orders = "orders"
    costs = "costs"


FIELDS_OF_EACH_KIND = "\n\n".join(
    f"Fields of {kind}: " + ", ".join(f.name + ("*" if f.required else "") for f in fields) + "."
    for kind, fields in FIELDS.items()
)


def import_command(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="What the file's rows are.")],
    file: Annotated[Path, typer.Argument(help="CSV, Excel (.xlsx) or Parquet, plain or gzip.")],
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="What a column means; once for each. amount=quantity*unit_price for a product, "
            "currency==USD for a constant.",
        ),
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="Read what was saved with --save-mapping.")] = None,
    save_mapping: Annotated[Path | None, typer.Option(help="Save what the columns mean, as YAML.")] = None,
    no_header: Annotated[
        bool, typer.Option("--no-header", help="Line 1 is data; columns go by number from 1.")
    ] = False,
    encoding: Annotated[
        str | None, typer.Option(help="utf-8, utf-16, cp1252 …; found out unless given.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="A sign, or tab, blank, comma …; found out unless given.")
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help="The sheet of an Excel file; the first unless given.")
    ] = None,
    date_format: Annotated[
        str | None, typer.Option(help="dmy, mdy, excel (day numbers), or a pattern such as '%d.%m.%y'.")
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(help="The decimal mark, . or , where the file leaves it open.")
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORD=MEANING", help="What a word of the file's own means, such as Versandt=shipped."
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=PATTERN", help="Pass over rows, such as customer_id='test*'."),
    ] = None,
    rates: Annotated[
        Path | None,
        typer.Option(help="CSV of date, currency, rate: what one unit was worth in the firm's currency."),
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Where rejected rows are written; a private file in the home unless given."),
    ] = None,
    round_: Annotated[
        bool, typer.Option("--round", help="Round amounts that are finer than the minor unit.")
    ] = False,
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="Import the good rows although others are rejected.")
    ] = False,
    drop_duplicates: Annotated[
        bool, typer.Option("--drop-duplicates", help="Take rows that repeat an earlier one only once.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Take in customers, orders or costs from a file of the firm's own.

    Importing a file twice changes nothing, and a longer export adds what is new. The file goes in as a whole
    or not at all: when a row cannot be used, nothing is imported and the status is 1.
    """
    from crmcore.tables.opening import Shape  # Loads Arrow, which no other command needs.
    from crmcore.usecases.imports import Request, import_file

    request = Request(
        path=file,
        workplace=read_settings().home / "imports",
        mapping=split_pairs(map_ or (), "--map", "customer_id=COLUMN"),
        shape=Shape(header=not no_header, encoding=encoding, delimiter=delimiter, sheet=sheet),
        decimal=decimal,
        date_format=date_format,
        statuses=split_pairs(status or (), "--status", "Versandt=shipped"),
        excluded=split_pairs(exclude or (), "--exclude", "customer_id='test*'"),
        rates=rates,
        rejects=rejects,
        rounding=round_,
        keep_good=keep_good,
        drop_duplicates=drop_duplicates,
        dry_run=dry_run,
    )
    if mapping is not None:
        request = with_saved(request, mapping, kind.value)
    crm: Crm = context.obj()
    with _progress() as step:
        report = import_file(crm, kind.value, request, step)
    if save_mapping is not None:
        save(save_mapping, request, report)
    typer.echo(json.dumps(_as_json(report), indent=2, ensure_ascii=False)) if as_json else _print(report)
    if report.outcome == "refused":
        raise typer.Exit(1)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Shows how far the import is, on a terminal; elsewhere it says nothing."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("opening", total=None)

        def step(doing: str, done: int, size: int) -> None:
            progress.update(task, description=doing, completed=done, total=size or None)

        yield step


def _print(report: ImportReport) -> None:
    typer.echo(f"Read as {report.described}.")
    if report.guessed:
        meant = ", ".join(f"{field} = {report.mapping[field]}" for field in report.guessed)
        typer.echo(f"Taken from the names of the columns: {meant}. Say otherwise with --map.")
    table = Table("Rows", "", box=None)
    for name, count in _counts(report).items():
        if count or name in ("read", "imported", "rejected"):
            table.add_row(name, f"{count:,}")
    Console().print(table)
    if report.total is not None:
        new = f" ({report.new_customers:,} of them new)" if report.new_customers else ""
        total = format_money(report.total, report.currency)
        typer.echo(f"{_many(report.customers, 'customer')}{new}, {total} in the good rows.")
    if report.repeats:
        done = "dropped" if report.duplicates else "counted all the same; --drop-duplicates drops them"
        typer.echo(f"{_many(report.repeats, 'repeat')} of an earlier row {done}.")
    if report.stayed:
        typer.echo(f"{report.stayed:,} contacts and consents stay as the customers gave them here.")
    if report.rounded:
        typer.echo(f"{report.rounded:,} amounts were finer than the minor unit and were rounded.")
    for reason in report.reasons:
        typer.echo(f"  {reason.rows:,} rejected, first in line {reason.first_line}: {reason.text}")
    if report.rejects_file is not None:
        typer.echo(f"The rejected rows are in {report.rejects_file}")
    match report.outcome:
        case "refused":
            typer.echo("Nothing was imported. Mend the rows, or import the good ones with --keep-good.")
        case "tried":
            typer.echo("This was a trial; nothing was changed.")
        case "imported" if report.values == "refreshed":
            typer.echo(f"The values of {_many(report.valued, 'customer')} are refreshed.")
        case "imported" if report.values == "next_scoring":
            typer.echo("The next scoring values these records: `rapport score`, or the one at night.")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _counts(report: ImportReport) -> dict[str, int]:
    return {
        "read": report.read,
        "imported": report.imported,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
        "duplicates": report.duplicates,
        "excluded": report.excluded,
    }


def _as_json(report: ImportReport) -> dict[str, object]:
    return {
        "kind": report.kind,
        "outcome": report.outcome,
        **_counts(report),
        "repeats": report.repeats,
        "rounded": report.rounded,
        "customers": report.customers,
        "new_customers": report.new_customers,
        "stayed": report.stayed,
        "total_amount": None if report.total is None else str(report.total),
        "currency": report.currency,
        "values": report.values,
        "valued": report.valued,
        "reasons": [{"reason": r.text, "rows": r.rows, "first_line": r.first_line} for r in report.reasons],
        "rejects_file": None if report.rejects_file is None else str(report.rejects_file),
        "read_as": report.described,
        "mapping": report.mapping,
        "guessed": list(report.guessed),
    }
