"""`rapport score-needs`: what we read in a file of other people's utterances, ready for their scorer."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from crmcore.firm import Firm, load_firm
from crmcore.language import language_tools
from crmcore.needs import read_need, slots
from crmcore.settings import read_settings

_TODAY = date(2026, 1, 5)  # Fixed, so that a prediction never depends on the day of its making.


def predictions(needs: Path, firm: Firm) -> list[str]:
    """One JSON line a row, from its ``text`` and ``prev_agent_turn`` and nothing else of it."""
    tools = language_tools()
    lines = []
    for number, line in enumerate(needs.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            text, row_id, before = str(row["text"]), row["id"], row.get("prev_agent_turn")
        except (ValueError, KeyError) as error:
            raise typer.BadParameter(f"{needs}:{number}: expected a JSON object with id and text") from error
        read = read_need(text, firm, tools, _TODAY, before if isinstance(before, str) else None)
        lines.append(json.dumps({"id": row_id, "slots": slots(read)}, ensure_ascii=False))
    return lines


def score_needs(
    needs: Annotated[Path, typer.Option(help="JSON lines with id, text and prev_agent_turn")],
    out: Annotated[Path, typer.Option(help="Where the predictions go")] = Path("needs_predictions.jsonl"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Read the needs of a JSON-lines file and write the predictions for its scorer."""
    lines = predictions(needs, load_firm(read_settings().firm))
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps({"predictions": len(lines), "out": str(out)}))
    else:
        typer.echo(f"{len(lines)} predictions in {out}")
