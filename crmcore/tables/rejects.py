"""Writes the rows that were not taken, with line and reason, so that they can be mended."""

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crmcore.imports.errors import UnreadableFile
from crmcore.tables.columns import is_text
from crmcore.tables.table import Batch, Table

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_rejects(path: Path, table: Table, between: Callable[[int, int], dict[int, str]]) -> None:
    """The rejected rows of the table, in a file that only its owner can read.

    ``between`` gives the reasons by line of a range of lines.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise UnreadableFile(f"the rejected rows cannot be written to {path}: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "reason", *table.names])
        for batch in table.batches():
            if not isinstance(batch, Batch):
                reason = between(batch.line, batch.line).get(batch.line)
                if reason is not None:
                    writer.writerow([batch.line, reason, _harmless(batch.text)])
                continue
            if not len(batch.lines):
                continue
            wrong = between(int(batch.lines[0]), int(batch.lines[-1]))
            for place, line in enumerate(batch.lines.tolist()) if wrong else ():
                if line in wrong:
                    writer.writerow([line, wrong[line], *(_shown(column, place) for column in batch.columns)])


def _shown(column: Any, place: int) -> str:
    value = column[place].as_py()
    if value is None:
        return ""
    return (
        _harmless(value.removesuffix("e0") if value[:1].isdigit() else value)
        if is_text(column)
        else str(value)
    )


def _harmless(text: str) -> str:
    """A spreadsheet runs a cell that begins like a formula; numbers below zero stay as they are."""
    if text.startswith(_FORMULA) and not text[1:2].isdigit():
        return "'" + text
    return text
