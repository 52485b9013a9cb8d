"""``rapport understand``: what the assistant understands of each line, with the model that the chat uses."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from crmcore.errors import CrmError
from crmcore.firm import Firm, load_firm
from crmcore.language import language_tools
from crmcore.needs import read_need, slots
from crmcore.needs.language import LanguageTools
from crmcore.settings import ROOT, read_settings
from serve.training import RASA_PYTHON, model_path, rasa_environment

# What a customer says with one of these may hold a need; "where is my guitar" holds none.
NEEDFUL = frozenset(
    "state_need inform correct ask_product_info ask_price_or_discount ask_delivery out_of_scope".split()
)
_IN_FLIGHT = 512


class CannotUnderstand(CrmError):
    """The understanding process cannot be started or stopped early; says what to do."""


def understand_lines(lines: Iterable[str], model: Path | None = None) -> Iterator[dict[str, Any]]:
    """Parse lines of JSON with the trained pipeline, in order, one answer for each line that is not blank.

    A line that cannot be read yields ``{"id", "error"}``. Answers come while lines are still being read.

    Raises
    ------
    CannotUnderstand : when no model is trained, or when the process ends before its last answer.
    """
    model = model or model_path()
    if not model.exists():
        raise CannotUnderstand(f"There is no trained model at {model}. Train it with `rapport train`.")
    process = subprocess.Popen(
        [str(RASA_PYTHON), "-m", "understanding.parse", "--model", str(model)],
        cwd=ROOT, env=rasa_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
    )  # fmt: skip
    # All three are pipes.
    assert process.stdin
    assert process.stdout
    assert process.stderr
    complaints: list[str] = []
    threading.Thread(target=_drain, args=(process.stderr, complaints), daemon=True).start()
    sent: queue.Queue[str | Exception | None] = queue.Queue(maxsize=_IN_FLIGHT)
    threading.Thread(target=_feed, args=(lines, process.stdin, sent), daemon=True).start()
    try:
        while (line := sent.get()) is not None:
            if isinstance(line, Exception):
                raise line
            answer = process.stdout.readline()
            if not answer:
                last = "".join(complaints[-5:]).strip()
                raise CannotUnderstand(f"The understanding process ended before its last answer.\n{last}")
            yield {**json.loads(answer), "previous_agent_turn": _previous_turn(line)}
    finally:
        process.kill()
        process.wait()


def answer(understood: dict[str, Any], firm: Firm, tools: LanguageTools) -> dict[str, Any]:
    """The line that ``rapport understand`` prints for one line understood."""
    if "error" in understood:
        return {"id": understood["id"], "error": understood["error"]}
    fallback = bool(understood["fallback"])
    intent = "out_of_scope" if fallback else understood["intent"]
    result = {
        "id": understood["id"],
        "intent": intent,
        "confidence": understood["confidence"],
        "fallback": fallback,
    }
    before = understood["previous_agent_turn"]
    if intent in NEEDFUL or before:
        today = firm.today(datetime.now(UTC))
        need = slots(read_need(understood["text"], firm, tools, today, before))
        if any(value for name, value in need.items() if name != "confidence"):
            result["need"] = need
    return result


def understand(
    jsonl: Annotated[
        bool, typer.Option("--jsonl", "--json", help='Read {"id", "text"} lines, write one line each.')
    ] = False,
    model: Annotated[Path | None, typer.Option(help="Another trained model than the chat's.")] = None,
) -> None:
    """Say what the assistant understands: intent, confidence, fallback and need.

    Without --jsonl every line of input is plain text and its number is the id. The intent is
    ``out_of_scope`` whenever ``fallback`` is true: the assistant would ask again or decline.
    """
    sys.stdin.reconfigure(encoding="utf-8", errors="replace", newline="\n")  # type: ignore[union-attr]
    lines: Iterable[str] = sys.stdin
    if not jsonl:
        lines = (json.dumps({"id": n, "text": t.rstrip("\r\n")}) for n, t in enumerate(sys.stdin, start=1))
    firm, tools = load_firm(read_settings().firm), language_tools()
    for understood in understand_lines(lines, model):
        print(json.dumps(answer(understood, firm, tools), ensure_ascii=False), flush=True)


def _feed(lines: Iterable[str], stdin: IO[str], sent: "queue.Queue[str | Exception | None]") -> None:
    try:
        for line in lines:
            if line.strip():
                stdin.write(line.rstrip("\r\n") + "\n")
                stdin.flush()
                sent.put(line)
        stdin.close()
    except BrokenPipeError:
        # The process has ended; the reader of its answers says so.
        sent.put("")
    except Exception as error:  # noqa: BLE001 -- of the caller's lines; whoever reads the answers raises it.
        sent.put(error)
    sent.put(None)


def _drain(stderr: IO[str], complaints: list[str]) -> None:
    """Read on, so that the process never waits for us; keep the end."""
    for line in stderr:
        complaints.append(line)
        del complaints[:-50]


def _previous_turn(line: str) -> str | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    turn = row.get("previous_agent_turn") if isinstance(row, dict) else None
    return turn if isinstance(turn, str) else None
