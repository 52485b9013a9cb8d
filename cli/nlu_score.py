"""``rapport score-understanding``: how well intents are understood, on a labelled file."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.nlu_measures import CORE, as_object, score, table
from cli.understand import understand_lines

_START, _END = "<!-- scores:{} -->", "<!-- end:{} -->"


def score_understanding(
    intents: Annotated[
        Path, typer.Option(help="JSON lines with text and intent.", exists=True, dir_okay=False)
    ],
    every_intent: Annotated[bool, typer.Option(help="Score all labels, not only the core intents.")] = False,
    model: Annotated[Path | None, typer.Option(help="Another trained model than the chat's.")] = None,
    page: Annotated[
        Path | None, typer.Option(help="Put the table into this page, between its marks.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Measure accuracy, macro-F1, out-of-scope recall and in-scope rejection, with Wilson intervals."""
    gold, lines = read_rows(intents, every_intent)
    understood = understand_lines(lines, model)
    predicted = ["out_of_scope" if a.get("fallback", True) else a["intent"] for a in understood]
    scores = score(gold, predicted)
    result = table(scores)
    typer.echo(json.dumps(as_object(scores), indent=2) if as_json else result)
    if page is not None:
        _put(page, intents.stem, result)


def read_rows(path: Path, every_intent: bool) -> tuple[list[str], list[str]]:
    """The intents of a labelled file, and the lines to understand, with the line number as id."""
    gold: list[str] = []
    lines: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        row = json.loads(line)
        if not isinstance(row.get("text"), str) or not isinstance(row.get("intent"), str):
            raise typer.BadParameter(f"{path}:{number}: a row needs a text and an intent, both strings")
        if every_intent or row["intent"] in CORE:
            gold.append(row["intent"])
            lines.append(json.dumps({"id": number, "text": row["text"]}))
    return gold, lines


def _put(page: Path, name: str, result: str) -> None:
    """Replace what stands between the marks of this file's name."""
    text, start, end = page.read_text(encoding="utf-8"), _START.format(name), _END.format(name)
    if start not in text or end not in text:
        raise typer.BadParameter(f"{page} has no lines {start} and {end} to put the table between")
    before, after = text.split(start)[0], text.split(end)[1]
    page.write_text(f"{before}{start}\n{result}\n{end}{after}", encoding="utf-8")
