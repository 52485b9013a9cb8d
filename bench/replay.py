"""Other people's customers replayed against the product, and against a plain Rasa server of the same model.

Each line of the file is one customer as JSON, {"id", "customer_turns": [texts]}. His messages go one after
the other through ``POST /webhooks/rest/webhook``, whatever the answers are. So no dialogue can come to its
end by skill: this finds crashes, silence, loops and waiting. The plain server is asked the same right
afterwards, by as many customers at once; it has no custom actions, so only the turns that it answers are
compared.

    .venv/bin/python -m bench.replay --dialogues FILE --transcripts FILE-OUTSIDE-THE-REPOSITORY
"""

import argparse
import json
import os
import re
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAML

from bench.latency import plain_rasa
from bench.results import percentile, write_result
from crmcore.settings import ROOT
from tests.live.product import RunningProduct

# The responses that say "I do not understand", in whatever wording of theirs.
NOT_UNDERSTOOD = ("utter_not_understood", "utter_choice", "utter_handing_over_not_understood")
OUT_OF_SCOPE = ("utter_out_of_scope",)
WORST = 10


@dataclass(frozen=True)
class Turn:
    """What a customer said, what came back, and how long he waited in seconds."""

    said: str
    answer: tuple[str, ...]
    error: str
    waited: float


@dataclass(frozen=True)
class Talk:
    name: str
    turns: tuple[Turn, ...]

    def longest_run(self, what: Callable[[Turn], bool]) -> int:
        longest = run = 0
        for turn in self.turns:
            run = run + 1 if what(turn) else 0
            longest = max(longest, run)
        return longest

    @property
    def longest_echo(self) -> int:
        """How many answers in a row were the very same."""
        longest = run = 0
        last: tuple[str, ...] | None = None
        for turn in self.turns:
            run = run + 1 if turn.answer and turn.answer == last else 1
            last, longest = turn.answer, max(longest, run)
        return longest


def main() -> None:
    arguments = _arguments()
    dialogues = [json.loads(line) for line in arguments.dialogues.read_text().splitlines() if line.strip()]
    if arguments.limit:
        dialogues = dialogues[: arguments.limit]
    with tempfile.TemporaryDirectory() as directory:
        product = RunningProduct(Path(directory))
        product.start()
        try:
            ours = replay(product.url, dialogues, arguments.customers, _key(product))
        finally:
            product.stop()
        peer, peer_url = plain_rasa(Path(directory))
        try:
            theirs = replay(peer_url, dialogues, arguments.customers)
        finally:
            peer.terminate()
            peer.wait(30)
    figures = measures(ours, theirs, arguments.customers)
    print(json.dumps(figures, indent=2))
    arguments.transcripts.write_text("\n\n".join(_written(talk) for talk in worst(ours)))
    print(f"wrote the worst {WORST} transcripts to {arguments.transcripts}")
    write_result(
        "replay",
        "python -m bench.replay --dialogues FILE --transcripts FILE",
        figures,
        "Customers of other firms, replayed without regard to the answers: no dialogue can end well by "
        "skill. The plain Rasa server has the same model and no custom actions; milliseconds are compared "
        "over the turns that it answered.",
    )


def replay(url: str, dialogues: Sequence[dict[str, Any]], customers: int, key: str = "") -> list[Talk]:
    """Every dialogue by a sender of its own, ``customers`` of them at a time."""
    run = uuid.uuid4().hex[:8]
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False) as http:

        def talk(dialogue: dict[str, Any]) -> Talk:
            sender = f"{run}-{dialogue['id']}"
            return Talk(
                dialogue["id"], tuple(_say(http, sender, text) for text in dialogue["customer_turns"])
            )

        with ThreadPoolExecutor(customers) as pool:
            return list(pool.map(talk, dialogues))


def _say(http: httpx.Client, sender: str, text: str) -> Turn:
    began = time.perf_counter()
    try:
        answer = http.post("/webhooks/rest/webhook", json={"sender": sender, "message": text})
        waited = time.perf_counter() - began
        if answer.status_code != 200:
            return Turn(text, (), f"status {answer.status_code}", waited)
        parts = tuple(part.get("text", "") for part in answer.json())
    except (httpx.HTTPError, ValueError) as error:
        return Turn(text, (), type(error).__name__, time.perf_counter() - began)
    return Turn(text, tuple(part for part in parts if part.strip()), "", waited)


def measures(ours: Sequence[Talk], theirs: Sequence[Talk], customers: int) -> dict[str, Any]:
    not_understood, out_of_scope = says(*NOT_UNDERSTOOD), says(*OUT_OF_SCOPE)
    turns = [turn for talk in ours for turn in talk.turns]
    peer_turns = [turn for talk in theirs for turn in talk.turns]
    both = [(one, other) for one, other in zip(turns, peer_turns, strict=True) if other.answer]
    return {
        "dialogues": len(ours),
        "turns": len(turns),
        "customers_at_once": customers,
        "errors": sum(bool(turn.error) for turn in turns),
        "empty_replies": sum(not turn.answer and not turn.error for turn in turns),
        "not_understood_turns": sum(not_understood(turn) for turn in turns),
        "out_of_scope_turns": sum(out_of_scope(turn) for turn in turns),
        "longest_run_of_not_understood": max(talk.longest_run(not_understood) for talk in ours),
        "longest_run_of_the_same_answer": max(talk.longest_echo for talk in ours),
        "rapport_ms": _milliseconds([turn.waited for turn in turns]),
        "plain_rasa": {
            "errors": sum(bool(turn.error) for turn in peer_turns),
            "empty_replies": sum(not turn.answer and not turn.error for turn in peer_turns),
        },
        "turns_that_both_answered": {
            "turns": len(both),
            "rapport_ms": _milliseconds([one.waited for one, _ in both]),
            "plain_rasa_ms": _milliseconds([other.waited for _, other in both]),
        },
    }


def worst(talks: Sequence[Talk]) -> list[Talk]:
    """Errors and silence first, then not being understood, then hearing the same again and again."""
    not_understood = says(*NOT_UNDERSTOOD, *OUT_OF_SCOPE)

    def badness(talk: Talk) -> tuple[float, ...]:
        return (
            sum(bool(turn.error) or not turn.answer for turn in talk.turns),
            talk.longest_run(not_understood),
            talk.longest_echo,
            sum(map(not_understood, talk.turns)) / len(talk.turns),
        )

    return sorted(talks, key=badness, reverse=True)[:WORST]


def says(*responses: str) -> Callable[[Turn], bool]:
    """Whether an answer holds one of these responses of the domain, whatever values stand in it."""
    domain = YAML(typ="safe").load((ROOT / "domain.yml").read_text())
    sentences = [one["text"] for name in responses for one in domain["responses"][name] if one.get("text")]
    known = re.compile("|".join(re.sub(r"\\\{\w+\\\}", ".*", re.escape(text)) for text in sentences))
    return lambda turn: any(known.fullmatch(part) for part in turn.answer)


def _milliseconds(waited: Sequence[float]) -> dict[str, float]:
    return {f"p{percent}": round(percentile(waited, percent) * 1000, 1) for percent in (50, 95)}


def _written(talk: Talk) -> str:
    lines = [f"=== {talk.name}"]
    for turn in talk.turns:
        lines.append(f"customer: {turn.said}")
        lines += [f"     {turn.error or 'bot'}: {part}" for part in turn.answer or ("",)]
    return "\n".join(lines)


def _key(product: RunningProduct) -> str:
    made = subprocess.run(
        [str(ROOT / "rapport"), "keys", "add", "replay", "--scope", "chat"],
        env=product.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return made.stdout.strip()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dialogues", type=Path, required=True, help="one JSON object a line")
    parser.add_argument("--transcripts", type=Path, required=True, help="where the worst are written")
    parser.add_argument("--customers", type=int, default=4, help="who talk at the same time")
    parser.add_argument("--limit", type=int, default=0, help="only so many dialogues")
    arguments = parser.parse_args()
    if arguments.transcripts.resolve().is_relative_to(ROOT):
        parser.error(f"the transcripts are other people's words: write them outside of {ROOT}")
    return arguments


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
