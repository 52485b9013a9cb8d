"""Reads what Rasa prints and lets through only what cannot be a customer's words.

Rasa and its libraries print what a customer wrote in many places: the local variables of a crash, the
parameters of a statement that failed, the body of a request, a warning about a message. No list of such
places would be whole, so this is a list of what may pass instead. Until Rasa is up it has seen no
customer, and everything passes; then its own known sentences pass, and of a trace the files, the lines
and the classes. What is left out is counted.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

FELL_BACK = "tracker_in_memory"

_UP = "Rasa server is up and running"
# Rasa's FailSafeTrackerStore (rasa/core/tracker_store.py) says so, and then goes on as if nothing were.
_MEMORY = re.compile(
    r"Error happened when trying to (?:save|retrieve) conversation tracker|InMemoryTrackerStore"
)
_KNOWN = (
    re.compile(r"^.*\b(?:Starting|Stopping) worker \[\d+\]"),
    re.compile(r"^.*\b(?:Starting Rasa server on|Rasa server is up and running|Server Stopped|Goin' Fast @)"),
    re.compile(r"^.*\bLoading model \S+\.tar\.gz"),
    re.compile(r"^.*Error happened when trying to (?:save|retrieve) conversation tracker (?:to|from) '\w+'"),
    re.compile(r"^.*Failed to run custom action '\w+'"),
    re.compile(
        r"^.*(?:Failed to execute custom action|Circuit breaker tripped|A ClientError occurred)\b[\w ']{0,60}"
    ),
    re.compile(r"^.*An exception occurred while handling uri: '/[\w/-]*"),
)
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")
_FRAME = re.compile(r'^\s*File "([^"]+)", line (\d+), in ([\w<>.]+)')
_ERROR = re.compile(
    r"^\s*(?:[|+-]\s*)*([A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Exit|Timeout|Refused))(?::|$)"
)
_CAUSE = re.compile(r"\(([A-Za-z_][\w.]*Error)\)")
_HEAD = re.compile(r"^\s*(?:\+ )?(?:Exception Group )?Traceback \(most recent call last\):")
# Rasa's own programs write these into a structured line; all other fields may hold a message.
_EVENT = re.compile(r"[a-z][\w.]{0,120}")


@dataclass(frozen=True)
class Line:
    """``text`` is what may be written, None to leave the line out."""

    text: str | None
    fell_back: bool = False


class RasaLog:
    """One Rasa process's output, line by line."""

    def __init__(self) -> None:
        self._up = False
        self._in_frame = False
        self._left_out = 0

    def read(self, line: str) -> Iterator[Line]:
        """What becomes of one line that was printed."""
        fell_back = bool(_MEMORY.search(line))
        text: str | None = line.rstrip("\n") if not self._up else reduced(line)
        self._up = self._up or _UP in line
        in_frame, self._in_frame = self._in_frame, bool(_FRAME.match(line))
        if text is None and not fell_back:
            # The line of source below a place is in the source, and not worth counting.
            self._left_out += bool(line.strip()) and not (in_frame and line.startswith("    "))
            return
        yield from self.rest()
        yield Line(text, fell_back)

    def rest(self) -> Iterator[Line]:
        """How many lines were left out since the last one that passed."""
        if self._left_out:
            lines = "a line" if self._left_out == 1 else f"{self._left_out} lines"
            yield Line(f"[{lines} left out that may hold a customer's words]")
            self._left_out = 0


def reduced(line: str) -> str | None:
    """What may be kept of a line that Rasa printed while customers talked to it; None: nothing.

    >>> reduced('  File "/rasa/core/agent.py", line 12, in handle_text')
    '  File "/rasa/core/agent.py", line 12, in handle_text'
    >>> reduced("ValueError: my name is Ruth")
    'ValueError'
    >>> reduced("    raise ValueError(text)") is None
    True
    """
    line = _STAMP.sub("", line.rstrip("\n"))  # The log has its own.
    if line.startswith("{"):
        return _reduced_json(line)
    if _HEAD.match(line):
        return "Traceback (most recent call last):"
    if frame := _FRAME.match(line):
        return f'  File "{frame[1]}", line {frame[2]}, in {frame[3]}'
    for known in _KNOWN:
        if said := known.match(line):
            cause = _CAUSE.search(line)
            return f"{said[0]} … ({cause[1]})" if cause else said[0]
    if error := _ERROR.match(line):
        cause = _CAUSE.search(line)
        return f"{error[1]} ({cause[1]})" if cause else error[1]
    return None


def _reduced_json(line: str) -> str | None:
    """The event, its level, and of its trace the places and classes: never a value and never a variable."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    kept: dict[str, Any] = {}
    for name in ("event", "event_key", "level", "action_name"):
        value = found.get(name)
        if isinstance(value, str) and _EVENT.fullmatch(value):
            kept[name] = value
    trace = found.get("exception")
    if isinstance(trace, list):
        kept["exception"] = [_reduced_error(error) for error in trace if isinstance(error, dict)]
    return json.dumps(kept) if kept else None


def _reduced_error(error: dict[str, Any]) -> dict[str, Any]:
    frames = error.get("frames")
    places = [
        f"{frame['filename']}:{frame['lineno']} {frame['name']}"
        for frame in (frames if isinstance(frames, list) else [])
        if isinstance(frame, dict) and {"filename", "lineno", "name"} <= frame.keys()
    ]
    kind = error.get("exc_type")
    return {"type": kind if isinstance(kind, str) and kind.isidentifier() else "?", "at": places}
