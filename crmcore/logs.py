"""Sets logging up, once for every process, and keeps personal data out of every line.

A line says what happened, in which request and conversation, and how long it took; it never holds a
customer's words, an address, a code or a token. Lines go to standard error and to ``logs/rapport.log``
in the home; with ``RAPPORT_LOG_FORMAT=json`` each of them is one JSON object.
"""

import fcntl
import logging
import os
import re
import secrets
import string
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from crmcore.errors import CrmError, StoreUnavailable
from crmcore.settings import Settings

FILE_BYTES = 20_000_000
KEPT_FILES = 5

# Their every request or statement is no event of ours.
_TALKATIVE = (
    "httpx",
    "httpcore",
    "alembic",
    "asyncio",
    "sqlalchemy",
    "rasa_sdk",
    "engineio",
    "socketio",
    "uvicorn",
)

# --- what may be written -----------------------------------------------------------------------------

_MASKS = (
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), "[token]"),
    (re.compile(r"\brap_[\w-]+"), "[key]"),
    (re.compile(r"(?i)\bbearer\s+\S+"), "[token]"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    # Six digits and more, also in groups: codes, phone and card numbers. Times and versions stay.
    (re.compile(r"(?<![\w.:-])\+?\d(?:[ -]?\d){5,}(?![\w:])"), "[number]"),
)

# What these say was written by a programmer or an operating system. Any other error may repeat the value
# that it could not use, and that may be what a customer typed.
_SAYS_NOTHING_PERSONAL = (OSError, ImportError, AttributeError, NameError, StoreUnavailable)


def mask(text: str) -> str:
    """The text without e-mail addresses, tokens, keys and runs of six digits or more."""
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text


def words_of(error: BaseException) -> str:
    """The class of an error, and what it says when that cannot be what a customer typed; masked."""
    safe = isinstance(error, (*_SAYS_NOTHING_PERSONAL, CrmError))
    return f"{type(error).__name__}: {mask(str(error))}" if safe else type(error).__name__


def trace_of(error: BaseException) -> str:
    """Where an error came from: files, lines, classes, and its words if they cannot be a customer's."""
    lines: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    chain: list[BaseException] = []
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        chain.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    for each in reversed(chain):
        lines.append("Traceback (most recent call last):\n")
        lines += traceback.format_tb(each.__traceback__)
        said = f": {each}" if isinstance(each, _SAYS_NOTHING_PERSONAL) else ""
        lines.append(f"{type(each).__module__}.{type(each).__qualname__}{said}\n")
    return "".join(lines).rstrip()


class MaskPersonal(logging.Filter):
    """Masks the finished line, the trace and every field, whatever the logger and its arguments were."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = mask(record.getMessage())
        record.args = None
        if record.exc_info and record.exc_info[1]:
            record.exc_text = trace_of(record.exc_info[1])  # What a formatter takes, instead of the error.
        record.exc_text = mask(record.exc_text) if record.exc_text else None
        record.stack_info = None
        for name, value in vars(record).items():
            if name not in RESERVED_ATTRS:
                setattr(record, name, _masked(value))
        return True


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, bool | int | float) or value is None:
        return value
    return mask(str(value))


def mask_logs(handlers: Iterable[logging.Handler]) -> None:
    """Put the mask on handlers and not on loggers, so that no logger goes past it."""
    for handler in handlers:
        if not any(isinstance(existing, MaskPersonal) for existing in handler.filters):
            handler.addFilter(MaskPersonal())


def all_handlers() -> list[logging.Handler]:
    """Those of the root logger and of the server's own, and the one that Python falls back to."""
    loggers = (logging.getLogger(name) for name in ("", "uvicorn", "uvicorn.error", "uvicorn.access"))
    last = [logging.lastResort] if logging.lastResort else []
    return [handler for logger in loggers for handler in logger.handlers] + last


# --- what a line belongs to --------------------------------------------------------------------------

_context: ContextVar[dict[str, str]] = ContextVar("log_context", default={})  # noqa: B039 - never changed.


@contextmanager
def log_context(**fields: str) -> Iterator[None]:
    """Every line that is written inside the block carries these fields, in tasks begun there too."""
    token = _context.set({**_context.get(), **fields})
    try:
        yield
    finally:
        _context.reset(token)


def request_id() -> str | None:
    """The request on whose behalf this runs, for handing it on to another process."""
    return _context.get().get("request_id")


def new_request_id() -> str:
    """Letters alone, so that no mask takes it for a number."""
    return "req_" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(20))


class AddContext(logging.Filter):
    """Gives a line the fields of the ``log_context`` that it is written in."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in _context.get().items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


# --- where lines go ----------------------------------------------------------------------------------


class PrivateRotatingFile(RotatingFileHandler):
    """A log file for its owner alone, turned over by size; several processes may share it.

    The one that finds it full turns it over under a lock; the others notice that the file has another
    name now and go on with the new one.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock_file = path.with_name(f".{path.name}.lock")
        super().__init__(path, maxBytes=FILE_BYTES, backupCount=KEPT_FILES - 1, encoding="utf-8", delay=True)

    def _open(self) -> Any:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def doRollover(self) -> None:  # noqa: N802 - the library's name.
        with os.fdopen(os.open(self._lock_file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._was_turned_over_by_another():
                if self.stream:
                    self.stream.close()
                self.stream = self._open()
            else:
                super().doRollover()

    def _was_turned_over_by_another(self) -> bool:
        if self.stream is None:
            return False
        try:
            now = os.stat(self.baseFilename)
        except FileNotFoundError:
            return True
        mine = os.fstat(self.stream.fileno())
        return (now.st_dev, now.st_ino) != (mine.st_dev, mine.st_ino)


def file_log(name: str, path: Path) -> logging.Logger:
    """A logger that writes its lines as they are, masked, into a private file of its own."""
    logger = logging.getLogger(name)
    for old in logger.handlers[:]:
        logger.removeHandler(old)
        old.close()
    handler = PrivateRotatingFile(path)
    handler.setFormatter(_in_utc(logging.Formatter("%(asctime)s %(message)s")))
    handler.addFilter(MaskPersonal())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


def set_up_logs(settings: Settings) -> None:
    """Let the whole process log to standard error and to the file; to be called once, before anything runs.

    A terminal is for people: written plainly, standard error shows warnings and errors and the file has
    the rest. As JSON both have everything, because a collector reads standard error.
    """
    as_json = settings.log_format == "json"
    formatter = _json() if as_json else _plain()
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.INFO if as_json else logging.WARNING)
    file = PrivateRotatingFile(settings.home / "logs" / "rapport.log")
    for handler in (screen, file):
        handler.setFormatter(formatter)
        handler.addFilter(AddContext())
        handler.addFilter(MaskPersonal())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(screen)
    root.addHandler(file)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _log_what_ends_the_process


def _json() -> logging.Formatter:
    return _in_utc(_Json(
        "%(asctime)s %(levelname)s %(name)s %(message)s %(process)d",
        rename_fields={
            "asctime": "time", "levelname": "level", "name": "logger", "process": "pid", "exc_info": "trace",
        },
        json_ensure_ascii=False,
    ))  # fmt: skip


def _plain() -> logging.Formatter:
    return _in_utc(_Plain("%(asctime)s %(levelname)s %(name)s[%(process)d] %(message)s"))


def _in_utc(formatter: logging.Formatter) -> logging.Formatter:
    formatter.converter = time.gmtime
    formatter.default_time_format = "%Y-%m-%dT%H:%M:%S"
    formatter.default_msec_format = "%s.%03dZ"
    return formatter


class _Json(JsonFormatter):
    """python-json-logger formats the error anew and would print what it says."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's name.
        return mask(trace_of(ei[1])) if ei[1] else ""


class _Plain(logging.Formatter):
    """The sentence first, then the fields as ``name=value``."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name.
        fields = [f" {name}={value}" for name, value in vars(record).items() if name not in RESERVED_ATTRS]
        return super().formatMessage(record) + "".join(fields)


def _log_what_ends_the_process(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logging.getLogger("rapport").critical("the process ends", exc_info=error)
