"""``rapport staff``: who may sign in to the workspace and the console."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from crmcore.crm import Crm
from crmcore.staff import ROLES, StaffMember
from crmcore.usecases.staff import add_staff, change_password, close_account, list_staff, reopen_account

app = typer.Typer(help="People who sign in: account managers, marketers, operators.", no_args_is_help=True)

NewPassword = Annotated[
    str,
    typer.Option(
        prompt="Password",
        confirmation_prompt=True,
        hide_input=True,
        envvar="RAPPORT_STAFF_PASSWORD",
        help="Asked for when it is not in the environment, so that it stays out of the shell's history.",
    ),
]


@app.command()
def add(
    context: typer.Context,
    name: str,
    email: str,
    role: Annotated[str, typer.Argument(help=f"One of {', '.join(ROLES)}.")],
    password: NewPassword,
    capacity: Annotated[int, typer.Option(help="Conversations that the person leads at once.")] = 4,
) -> None:
    """Let a person sign in."""
    member = add_staff(_crm(context), name, email, role, password, capacity=capacity)
    typer.echo(f"{member.name} ({member.role}) signs in as {member.email}.")


@app.command()
def passwd(context: typer.Context, email: str, password: NewPassword) -> None:
    """Give a person a new password; every open session of theirs ends."""
    member = change_password(_crm(context), email, password)
    typer.echo(f"{member.email} has a new password and is signed out everywhere.")


@app.command()
def close(context: typer.Context, email: str) -> None:
    """Sign a person out everywhere and let nobody sign in as him; what he did stays under his name."""
    member = close_account(_crm(context), email)
    typer.echo(
        f"{member.email} signs in no more. Customers whom he leads go back to the queue as they write."
    )


@app.command()
def reopen(context: typer.Context, email: str) -> None:
    """Let a person sign in again, with the password of before."""
    typer.echo(f"{reopen_account(_crm(context), email).email} may sign in again.")


@app.command(name="list")
def list_(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array instead of a table.")] = False,
) -> None:
    """Show everybody who can sign in, or could."""
    if as_json:
        typer.echo(json.dumps([_shown(member) for member in list_staff(_crm(context))], indent=2))
        return
    table = Table("Name", Column("E-mail", no_wrap=True), "Role", "State", "Last seen (UTC)")
    for member in list_staff(_crm(context)):
        seen = "never" if member.last_seen_at is None else f"{member.last_seen_at:%Y-%m-%d %H:%M}"
        state = "closed" if not member.active else "on duty" if member.on_duty else "off duty"
        table.add_row(member.name, member.email, member.role, state, seen)
    Console().print(table)


def _shown(member: StaffMember) -> dict[str, object]:
    seen = member.last_seen_at
    return {**vars(member), "last_seen_at": seen and seen.isoformat()}


def _crm(context: typer.Context) -> Crm:
    """The composition root puts a function there that opens the installation, so `--help` opens nothing."""
    crm: Crm = context.obj()
    return crm
