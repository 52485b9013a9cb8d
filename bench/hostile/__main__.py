"""Throw a file of hostile inputs at the product and count what went wrong.

    .venv/bin/python -m bench.hostile PATH

``PATH`` is a ``.jsonl`` file, a ``.yml`` page or a folder of pages (``tests/hostile``). The product is
started in a home of its own with a real Rasa, and every text goes through the widget's interface and
through the REST channel. Counts go to ``bench/results/hostile.json``; the transcripts, which
a person must read against ``must_not``, to ``--transcripts``, because they quote the inputs.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.hostile.doors import Door, RestChannel, Widget
from bench.hostile.inputs import read_attacks
from bench.hostile.judge import Outcome, attack_chat, attack_port
from bench.hostile.state import Watch, touched
from bench.results import percentile, write_result
from tests.live.product import RunningProduct


def main() -> int:
    arguments = _arguments()
    attacks = read_attacks(arguments.path)
    with _installation(arguments) as (url, watch, key):
        doors: list[Door] = [Widget(url)]
        if key:
            doors.append(RestChannel(url, key))
        outcomes: dict[str, list[Outcome]] = {name: [] for name in (*(door.name for door in doors), "port")}
        before = watch.rows(large=True)
        for attack in attacks:
            if attack.request is not None:
                outcomes["port"].append(attack_port(url, watch, attack))
                continue
            for door in doors:
                outcomes[door.name].append(attack_chat(door, watch, attack))
                print(".", end="", flush=True, file=sys.stderr)
        reached = touched(before, watch.rows(large=True))
    print(file=sys.stderr)
    _keep_transcripts(arguments.transcripts, outcomes)
    failed = [(name, each) for name, found in outcomes.items() for each in found if each.failures]
    for name, each in failed:
        print(f"{name} {each.attack.id} [{each.attack.category}]: {'; '.join(each.failures)}")
    if reached:
        print(f"over the whole run something changed that no text may change: {reached}")
    figures: dict[str, Any] = {name: _figures(found) for name, found in outcomes.items() if found}
    figures["out_of_reach_but_changed"] = reached
    print(json.dumps(figures, indent=2))
    if arguments.result:
        write_result(
            "hostile", f"python -m bench.hostile {arguments.path.name}", figures,
            "Every text in a fresh conversation between two plain greetings. 'failed' counts a forbidden "
            "word, an answer 5xx, silence, more than 10 s, or a change of state that the text must not "
            "cause; what was promised in words, a person has read. Milliseconds are those of the reply to "
            "the hostile text, refusals included.",
        )  # fmt: skip
    return 1 if failed or reached else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.hostile", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument(
        "--transcripts", type=Path, default=Path(tempfile.gettempdir()) / "hostile-transcripts.jsonl"
    )
    parser.add_argument("--no-result", dest="result", action="store_false", help="write no result file")
    parser.add_argument("--url", help="a running product instead of a new one; then also the two below")
    parser.add_argument("--database-url", help="its database")
    parser.add_argument("--rasa-url", help="its dialogue engine")
    parser.add_argument("--key", help="a key of scope chat for its REST channel")
    return parser.parse_args()


@contextmanager
def _installation(arguments: argparse.Namespace) -> Iterator[tuple[str, Watch, str | None]]:
    if arguments.url:
        yield arguments.url, Watch.over(arguments.database_url, arguments.rasa_url), arguments.key
        return
    with tempfile.TemporaryDirectory() as home:
        product = RunningProduct(Path(home), extra_environment={"RAPPORT_REQUEST_LIMIT_FACTOR": "1000"})
        product.start()
        try:
            rasa_url = f"http://127.0.0.1:{product.rasa_port}"
            watch = Watch.over(f"sqlite:///{home}/rapport.db", rasa_url)
            yield product.url, watch, product.api_key("chat")
        finally:
            product.stop()


def _keep_transcripts(path: Path, outcomes: dict[str, list[Outcome]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for door, found in outcomes.items():
            for outcome in found:
                file.write(json.dumps({"door": door, **outcome.record}) + "\n")
    print(f"transcripts: {path}")


def _figures(outcomes: list[Outcome]) -> dict[str, Any]:
    counted = Counter(outcome.attack.category for outcome in outcomes)
    failed = Counter(outcome.attack.category for outcome in outcomes if outcome.failures)
    milliseconds = [outcome.seconds * 1000 for outcome in outcomes]
    return {
        "inputs": len(outcomes),
        "failed": failed.total(),
        "by_category": {
            name: {"inputs": number, "failed": failed[name]} for name, number in sorted(counted.items())
        },
        "statuses": {str(status): n for status, n in sorted(Counter(o.status for o in outcomes).items())},
        "p50_ms": round(percentile(milliseconds, 50), 1),
        "p99_ms": round(percentile(milliseconds, 99), 1),
    }


if __name__ == "__main__":
    sys.exit(main())
