"""``rapport decisions``: every tier, offer and escalation, recomputed from what was kept of it."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from crmcore.crm import Crm
from crmcore.decisions import DecisionKind
from crmcore.usecases.decisions import DECIDERS, Replay, replay_decisions

app = typer.Typer(help="Decisions with their reasons and inputs.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``replay`` a command of its own while it is the only one."""


@app.command()
def replay(
    context: typer.Context,
    kind: Annotated[str | None, typer.Option(help=f"Only one of {', '.join(DECIDERS)}.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Recompute every stored decision. Ends with status 1 when one comes out differently."""
    crm: Crm = context.obj()
    result = replay_decisions(crm.store, _kind(kind))
    if as_json:
        typer.echo(json.dumps(asdict(result), indent=2))
    else:
        _print(result)
    if result.differences:
        raise typer.Exit(1)


def _print(result: Replay) -> None:
    for name, count in sorted(result.checked.items()):
        typer.echo(f"{name}: {count} recomputed")
    for difference in result.differences:
        typer.echo(
            f"{difference.decision_id} ({difference.kind}, {difference.model_version}): "
            f"kept {difference.kept!r}, now {difference.now!r}"
        )
    typer.echo(f"{len(result.differences)} of {sum(result.checked.values())} decisions differ.")


def _kind(name: str | None) -> DecisionKind | None:
    known: dict[str, DecisionKind] = {kind: kind for kind in DECIDERS}
    if name is not None and name not in known:
        raise typer.BadParameter(f"{name!r} is no kind of decision; known: {', '.join(known)}")
    return known[name] if name is not None else None
