"""What a check says."""

from dataclasses import dataclass
from typing import Literal

# missing: something that should be there or run is not. unsafe: it works, and should not stay so.
Verdict = Literal["ok", "warning", "unsafe", "missing"]


@dataclass(frozen=True)
class Finding:
    """A sentence about one check, and what to do unless all is well."""

    verdict: Verdict
    says: str
    mend: str = ""


def ok(says: str) -> Finding:
    return Finding("ok", says)


def warning(says: str, mend: str) -> Finding:
    return Finding("warning", says, mend)


def unsafe(says: str, mend: str) -> Finding:
    return Finding("unsafe", says, mend)


def missing(says: str, mend: str) -> Finding:
    return Finding("missing", says, mend)
