"""``rapport webhooks``: which other programs hear of what happens, and what they never took."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from crmcore.crm import Crm
from crmcore.events import KINDS
from crmcore.usecases.webhooks import (
    ListedEndpoint,
    add_endpoint,
    dead_letters,
    enable_endpoint,
    list_endpoints,
    remove_endpoint,
    retry_dead,
    rotate_secret,
    send_test,
)
from crmcore.webhooks import Parcel

app = typer.Typer(help="Events for other programs, signed and sent over HTTP.", no_args_is_help=True)

EndpointId = Annotated[str, typer.Argument(metavar="ENDPOINT", help="Its id, see `rapport webhooks list`.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON array instead of a table.")]


@app.command()
def add(
    context: typer.Context,
    url: str,
    event: Annotated[list[str], typer.Option("--event", help=f"Repeat it; all, or {', '.join(KINDS)}.")],
) -> None:
    """Send events to an address from now on, and print the secret that signs them."""
    endpoint, secret = add_endpoint(_crm(context), url, event)
    typer.echo(f"{endpoint.endpoint_id} gets {', '.join(endpoint.events)}. Its secret:", err=True)
    typer.echo(secret)


@app.command(name="list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """Show every endpoint, how it does, and how much waits for it."""
    found = list_endpoints(_crm(context))
    if as_json:
        typer.echo(json.dumps([_endpoint(one) for one in found], indent=2))
        return
    # An id that is cut cannot be copied into the next command.
    whole = Column("Id", overflow="fold"), Column("Address", overflow="fold")
    table = Table(*whole, "Events", "Waiting", "Dead", "State")
    for one in found:
        kinds = "all" if one.endpoint.events == KINDS else " ".join(one.endpoint.events)
        table.add_row(
            one.endpoint.endpoint_id, one.endpoint.url, kinds, str(one.waiting), str(one.dead), _state(one)
        )
    Console().print(table)


@app.command()
def remove(context: typer.Context, endpoint_id: EndpointId) -> None:
    """Send nothing there any more; what was on its way is dropped."""
    endpoint = remove_endpoint(_crm(context), endpoint_id)
    typer.echo(f"{endpoint.endpoint_id} ({endpoint.url}) gets nothing any more.")


@app.command()
def enable(context: typer.Context, endpoint_id: EndpointId) -> None:
    """Send again to an endpoint that was switched off because it failed for days."""
    endpoint = enable_endpoint(_crm(context), endpoint_id)
    typer.echo(f"{endpoint.endpoint_id} gets events again; `rapport webhooks retry` sends what it missed.")


@app.command()
def rotate(context: typer.Context, endpoint_id: EndpointId) -> None:
    """Print a new secret; for a day events are signed with the old one, too."""
    typer.echo(rotate_secret(_crm(context), endpoint_id))


@app.command()
def test(context: typer.Context, endpoint_id: EndpointId) -> None:
    """Send an event of no meaning now and say what was answered."""
    answer = send_test(_crm(context), endpoint_id)
    typer.echo(f"answered {answer.status} {answer.excerpt}".strip())
    if not answer.is_good:
        raise typer.Exit(1)


@app.command()
def dead(context: typer.Context, as_json: AsJson = False) -> None:
    """Show what was given up, the oldest first."""
    letters = dead_letters(_crm(context))
    if as_json:
        typer.echo(json.dumps([_letter(letter) for letter in letters], indent=2))
        return
    table = Table("Number", "Endpoint", "Event", "Happened (UTC)", "Attempts", "Last answer")
    for letter in letters:
        table.add_row(*(str(value) for value in _letter(letter).values()))
    Console().print(table)


@app.command()
def retry(
    context: typer.Context,
    number: Annotated[int | None, typer.Argument(help="Of one letter on the list.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="All letters of this endpoint.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All letters.")] = False,
) -> None:
    """Try dead letters all over again; those of a switched-off endpoint stay where they are."""
    if (number is not None) + (endpoint is not None) + everything != 1:
        raise typer.BadParameter("name one letter, an --endpoint, or --all")
    typer.echo(f"{retry_dead(_crm(context), number, endpoint)} letters are tried again")


def _endpoint(one: ListedEndpoint) -> dict[str, Any]:
    endpoint = one.endpoint
    moments = {
        name: at and at.isoformat()
        for name in ("created_at", "failing_since", "retry_at", "disabled_at")
        for at in [getattr(endpoint, name)]
    }
    return {
        "endpoint_id": endpoint.endpoint_id,
        "url": endpoint.url,
        "events": endpoint.events,
        "waiting": one.waiting,
        "dead": one.dead,
        **moments,
    }


def _state(one: ListedEndpoint) -> str:
    if one.endpoint.disabled_at is not None:
        return f"switched off {one.endpoint.disabled_at:%Y-%m-%d %H:%M}"
    if one.endpoint.failing_since is not None:
        return f"failing since {one.endpoint.failing_since:%Y-%m-%d %H:%M}"
    return "in use"


def _letter(letter: Parcel) -> dict[str, Any]:
    return {
        "number": letter.delivery.delivery_id,
        "endpoint_id": letter.endpoint.endpoint_id,
        "event": letter.event.kind,
        "at": letter.event.at.isoformat(),
        "attempts": letter.delivery.attempts,
        "last_error": letter.delivery.last_error,
    }


def _crm(context: typer.Context) -> Crm:
    crm: Crm = context.obj()
    return crm
