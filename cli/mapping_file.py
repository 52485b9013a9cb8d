"""What an operator once said about a file, saved as YAML and read again; what he says now goes first."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from crmcore.imports.errors import WrongMapping

if TYPE_CHECKING:
    from crmcore.imports.report import ImportReport
    from crmcore.usecases.imports import Request

_TEXTS = ("encoding", "delimiter", "sheet", "decimal", "date_format")
_TABLES = ("fields", "status", "exclude")


def with_saved(request: Request, path: Path, kind: str) -> Request:
    """The request, completed by the file; raises WrongMapping."""
    saved = _read(path, kind)
    shape = request.shape
    return replace(
        request,
        mapping={**saved["fields"], **request.mapping},
        statuses={**saved["status"], **request.statuses},
        excluded={**saved["exclude"], **request.excluded},
        decimal=request.decimal or saved["decimal"],
        date_format=request.date_format or saved["date_format"],
        shape=replace(
            shape,
            header=shape.header and saved["header"],
            encoding=shape.encoding or saved["encoding"],
            delimiter=shape.delimiter or saved["delimiter"],
            sheet=shape.sheet or saved["sheet"],
        ),
    )


def save(path: Path, request: Request, report: ImportReport) -> None:
    """Every field as it was understood, guesses too, and what else was said; nothing of the data."""
    said = {
        "kind": report.kind,
        "header": request.shape.header,
        "encoding": request.shape.encoding,
        "delimiter": request.shape.delimiter,
        "sheet": request.shape.sheet,
        "decimal": request.decimal,
        "date_format": request.date_format,
        "fields": dict(report.mapping),
        "status": dict(request.statuses),
        "exclude": dict(request.excluded),
    }
    text = io.StringIO()
    YAML().dump({key: value for key, value in said.items() if value not in (None, {})}, text)
    try:
        path.write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise WrongMapping(f"the mapping cannot be saved as {path}: {error.strerror}") from error


def _read(path: Path, kind: str) -> dict[str, Any]:
    try:
        found = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongMapping(f"the mapping {path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, YAMLError) as error:
        said = " ".join(str(error).split())  # YAML's own words point at the place over several lines.
        raise WrongMapping(f"the mapping {path} is no YAML: {said}") from error
    known = {"kind", "header", *_TEXTS, *_TABLES}
    if not isinstance(found, dict) or not isinstance(found.get("fields"), dict):
        raise WrongMapping(f"{path} is no mapping; save one with --save-mapping to see what it looks like")
    if unknown := [str(key) for key in found if key not in known]:
        raise WrongMapping(
            f"{path} has {', '.join(unknown)}, which a mapping does not; it has {', '.join(sorted(known))}"
        )
    if found.get("kind", kind) != kind:
        raise WrongMapping(f"{path} is a mapping of {found['kind']} and not of {kind}")
    if found.get("header", True) not in (True, False):
        raise WrongMapping(f"{path}: header is true or false")
    if odd := [name for name in _TABLES if not isinstance(found.get(name) or {}, dict)]:
        raise WrongMapping(f"{path}: {odd[0]} is a table, with lines such as `name: meaning`")
    tables = {name: {str(k): str(v) for k, v in (found.get(name) or {}).items()} for name in _TABLES}
    texts = {name: None if found.get(name) is None else str(found[name]) for name in _TEXTS}
    return {"header": found.get("header", True), **texts, **tables}
