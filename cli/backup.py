"""``rapport backup``, ``restore`` and ``upgrade``: what an operator does to the data as a whole."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from crmcore.settings import read_settings
from crmcore.usecases.backup import back_up, restore
from crmcore.usecases.upgrade import Upgrade, look, upgrade

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def backup_command(
    target: Annotated[
        Path, typer.Argument(help="A file, or a directory that exists: there the name tells the time.")
    ],
    with_secrets: Annotated[
        bool,
        typer.Option(help="Pack the secrets of the home too. The archive is mode 600 and NOT encrypted."),
    ] = False,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Keep so many archives of the directory, remove older ones.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Back up the database, the firm in service and Rasa's dialogues, while everything runs."""
    done = back_up(read_settings(), target, datetime.now(UTC), secrets=with_secrets, keep=keep)
    rows = sum(done.manifest.rows.values())
    if as_json:
        paths = {"path": str(done.path), "removed": [str(path) for path in done.removed]}
        typer.echo(json.dumps(paths | asdict(done.manifest), indent=2))
        return
    typer.echo(f"{done.path}: {rows} rows of schema {done.manifest.revision}.")
    if with_secrets:
        typer.echo("It holds the secrets and is not encrypted: keep it where only you can read it.")
    for path in done.removed:
        typer.echo(f"removed {path}")


def restore_command(
    archive: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    replace: Annotated[
        bool, typer.Option(help="Lose what the database holds now for what the backup holds.")
    ] = False,
    with_secrets: Annotated[bool, typer.Option(help="Take over the secrets that it has.")] = False,
    as_json: AsJson = False,
) -> None:
    """Restore a backup. Stop every part of Rapport first; an older schema is brought up to date."""
    done = restore(read_settings(), archive, replace=replace, secrets=with_secrets)
    if as_json:
        typer.echo(json.dumps({"revision": done.revision, "manifest": asdict(done.manifest)}, indent=2))
        return
    typer.echo(
        f"Restored {sum(done.manifest.rows.values())} rows of {done.manifest.made:%Y-%m-%d %H:%M} UTC; "
        f"the schema is {done.revision}."
    )


def upgrade_command(
    check: Annotated[
        bool, typer.Option("--check", help="Only say; ends with status 1 when there is something to do.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the database to this program's schema, with the data in place. Starting does it too."""
    settings = read_settings()
    done = look(settings) if check else upgrade(settings)
    if as_json:
        typer.echo(json.dumps(asdict(done) | {"pending": done.pending}, indent=2))
    else:
        typer.echo(_said(done, check))
    if check and done.pending:
        raise typer.Exit(1)


def _said(done: Upgrade, check: bool) -> str:
    if not done.pending:
        return f"The schema is {done.after}; there is nothing to do."
    before = done.before or "empty"
    if check:
        steps = ", ".join(done.pending)
        return f"The schema is {before} and would become {done.after} ({steps}). Back up first."
    return f"The schema was {before} and is {done.after} now."
