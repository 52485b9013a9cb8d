"""Understand messages outside the chat, with the pipeline that the chat uses.

    .venv-rasa/bin/python -m understanding.parse --model models/<name>.tar.gz < lines > lines

Every line in is a JSON object with a ``text`` and whatever else; every line out answers the line of
the same number: ``{"id", "text", "intent", "confidence", "fallback", "ranking", "entities"}``, or
``{"id", "error"}`` for a line that cannot be read. The answer to a line is written as soon as no more
input is waiting, so a program may write one line and read one line.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import queue
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

# Neither telemetry nor TensorFlow's notes belong between the lines.
os.environ["RASA_TELEMETRY_ENABLED"] = "false"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

MAX_LINE = 100_000
BATCH = 32
FALLBACKS = frozenset({"nlu_fallback", "out_of_scope"})
# Rasa takes a leading slash for a command. This mark keeps the text a text; the tokenizer drops it.
_PLAIN_TEXT_MARK = "\u200b"

Parse = Callable[[list[str]], list[dict[str, Any]]]


def load_model(path: Path) -> Parse:
    """Load a trained Rasa model; the function returned parses a batch of texts."""
    from rasa.core.agent import Agent
    from rasa.core.channels.channel import UserMessage
    from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER

    processor = Agent.load(model_path=str(path)).processor
    if processor is None:
        raise SystemExit(f"{path} is no Rasa model: train one with `rapport train`.")
    target = processor.model_metadata.nlu_target

    def parse(texts: list[str]) -> list[dict[str, Any]]:
        messages = [UserMessage(_as_plain_text(t)) for t in texts]
        inputs = {PLACEHOLDER_MESSAGE: messages, PLACEHOLDER_TRACKER: None}
        parsed = processor.graph_runner.run(inputs=inputs, targets=[target])[target]
        return [m.as_dict(only_output_properties=True) for m in parsed]

    return parse


def _as_plain_text(text: str) -> str:
    return _PLAIN_TEXT_MARK + text if text.lstrip().startswith("/") else text


def answer_lines(lines: list[str], parse: Parse) -> list[dict[str, Any]]:
    """Answer a batch of lines, one object each; a line that cannot be read gets an ``error``."""
    answers: list[dict[str, Any]] = []
    waiting: list[tuple[int, str]] = []
    for line in lines:
        answer, text = _read(line)
        if text is not None:
            waiting.append((len(answers), text))
        answers.append(answer)
    if waiting:
        for (place, text), parsed in zip(waiting, parse([t for _, t in waiting]), strict=True):
            answers[place].update(_understood(parsed), text=text)
    return answers


def _read(line: str) -> tuple[dict[str, Any], str | None]:
    """The start of an answer and the text to understand, or an error and nothing."""
    if len(line) > MAX_LINE:
        return {"id": None, "error": f"the line is longer than {MAX_LINE} characters"}, None
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as problem:
        return {"id": None, "error": f"not a line of JSON: {problem}"}, None
    if not isinstance(row, dict):
        return {"id": None, "error": 'not a JSON object: write {"id": …, "text": "…"}'}, None
    if not isinstance(row.get("text"), str):
        return {"id": row.get("id"), "error": "the object has no string named text"}, None
    # A lone surrogate is legal in JSON but has no UTF-8 form, so it could not be written back.
    return {"id": row.get("id")}, row["text"].encode("utf-8", "replace").decode("utf-8")


def _understood(parsed: dict[str, Any]) -> dict[str, Any]:
    intent = parsed.get("intent") or {"name": "nlu_fallback", "confidence": 0.0}
    return {
        "intent": intent["name"],
        "confidence": round(float(intent["confidence"]), 4),
        "fallback": intent["name"] in FALLBACKS,
        "ranking": [
            {"name": r["name"], "confidence": round(float(r["confidence"]), 4)}
            for r in parsed.get("intent_ranking", [])
        ],
        "entities": [
            {k: e[k] for k in ("entity", "value", "start", "end") if k in e}
            for e in parsed.get("entities", [])
        ],
    }


def batches(source: TextIO) -> Iterator[list[str]]:
    """Lines as they come, at most ``BATCH`` at once; never waits for more when some are there."""
    pending: queue.Queue[str | None] = queue.Queue(maxsize=4 * BATCH)

    def read() -> None:
        for line in source:
            pending.put(line)
        pending.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        line = pending.get()
        batch: list[str] = []
        while line is not None:
            if line.strip():
                batch.append(line)
            if len(batch) == BATCH:
                break
            try:
                line = pending.get_nowait()
            except queue.Empty:
                break
        if batch:
            yield batch
        if line is None:
            return


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--model", type=Path, required=True, help="A trained model, models/….tar.gz")
    model = arguments.parse_args().model
    if not model.exists():
        raise SystemExit(f"There is no model at {model}: train one with `rapport train`.")
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    sys.stdin.reconfigure(encoding="utf-8", errors="replace", newline="\n")
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # Whatever a library prints goes to the error stream, so that only answers are on the output.
    with contextlib.redirect_stdout(sys.stderr):
        parse = load_model(model)
        for batch in batches(sys.stdin):
            for answer in answer_lines(batch, parse):
                out.write(json.dumps(answer, ensure_ascii=False) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
