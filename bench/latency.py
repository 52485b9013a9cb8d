"""How long a customer waits for a reply, beside a plain Rasa server of the same model asked directly.

The same sentences go, at conversation turns 10, 100 and 400, through the whole product (widget interface,
database, gateway, Rasa, database, stream) and straight to ``POST /webhooks/rest/webhook`` of a second Rasa
server with the same model and its default tracker in memory. The two take turns, so that both see the same
machine. The sentences need no custom action, because a plain Rasa server has none.

    .venv/bin/python -m bench.latency
"""

import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx

from bench.results import percentile, write_result
from crmcore.settings import ROOT
from serve.training import RASA_PYTHON, rasa_environment, train_when_stale
from tests.live.product import RunningProduct, free_port

TURNS = (10, 100, 400)
MEASURED_TURNS = 10  # Up to and with the turn that a row names.
CUSTOMERS = (1, 20)
SENTENCES = ("hello there", "thank you so much", "what can you do for me")

Say = Callable[[str], None]


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        product = RunningProduct(Path(directory), extra_environment={"RAPPORT_REQUEST_LIMIT_FACTOR": "1000"})
        product.start()
        peer, peer_url = plain_rasa(Path(directory))
        try:
            rows = []
            first = uuid.uuid4().hex
            for customers in CUSTOMERS:
                ours = _measure([_product_customer(product.url) for _ in range(customers)])
                theirs = (
                    _measure([_rasa_customer(peer_url, first)])
                    if customers == 1
                    else _measure_copies(peer_url, first, customers)
                )
                for turn in TURNS:
                    rows.append(_row(customers, turn, ours[turn], theirs[turn]))
                    print(rows[-1], flush=True)
        finally:
            peer.terminate()
            peer.wait(30)
            product.stop()
    write_result(
        "latency",
        "python -m bench.latency",
        rows,
        "Milliseconds from sending a message to having the whole reply. 'ratio' is ours / plain Rasa at p50. "
        "Ours includes two database commits and the stream; "
        "the peer keeps its tracker in memory and stores nothing.",
    )


def _row(customers: int, turn: int, ours: list[float], theirs: list[float]) -> dict[str, float]:
    milliseconds = {
        f"{who}_p{percent}_ms": round(percentile(values, percent) * 1000, 1)
        for who, values in (("rapport", ours), ("plain_rasa", theirs))
        for percent in (50, 95)
    }
    ratio = milliseconds["rapport_p50_ms"] / milliseconds["plain_rasa_p50_ms"]
    return {
        "customers": customers,
        "turn": turn,
        "messages": len(ours),
        **milliseconds,
        "ratio": round(ratio, 2),
    }


def _measure_copies(url: str, first: str, customers: int) -> dict[int, list[float]]:
    """The same for many customers of the plain server, each with the first one's real history.

    Talking twenty conversations to turn 400 on a server whose cost grows with the turn takes half an hour;
    appending the recorded events of one that was talked gives the same trackers in seconds.
    """
    http = httpx.Client(base_url=url, timeout=60)
    events = http.get(f"/conversations/{first}/tracker", params={"include_events": "ALL"}).json()["events"]
    said = [index for index, event in enumerate(events) if event["event"] == "user"]
    waited = {}
    for turn in TURNS:
        senders = [uuid.uuid4().hex for _ in range(customers)]
        history = events[: said[turn - MEASURED_TURNS]]
        for sender in senders:
            http.post(f"/conversations/{sender}/tracker/events", json=history).raise_for_status()
        talkers = [_rasa_customer(url, sender) for sender in senders]
        waited[turn] = _measure(talkers, turn - MEASURED_TURNS, turn)[turn]
    return waited


def _measure(customers: list[Say], begin: int = 0, end: int = max(TURNS)) -> dict[int, list[float]]:
    """Seconds a reply at each of ``TURNS`` between the two, all customers talking at once."""
    waited: dict[int, list[float]] = {turn: [] for turn in TURNS}

    def talk(say: Say) -> None:
        for number in range(begin + 1, end + 1):
            began = time.perf_counter()
            say(SENTENCES[number % len(SENTENCES)])
            took = time.perf_counter() - began
            for turn in TURNS:
                if turn - MEASURED_TURNS < number <= turn:
                    waited[turn].append(took)

    threads = [threading.Thread(target=talk, args=(say,)) for say in customers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waited


def _rasa_customer(url: str, sender: str) -> Say:
    http = httpx.Client(base_url=url, timeout=60)

    def say(text: str) -> None:
        answer = http.post("/webhooks/rest/webhook", json={"sender": sender, "message": text})
        answer.raise_for_status()
        assert answer.json(), f"the plain Rasa server gave no reply to {text!r}"

    return say


def _product_customer(url: str) -> Say:
    """Sends as the widget does and waits on the stream, so that no polling interval is measured."""
    http = httpx.Client(base_url=url, timeout=60)
    session = http.post("/chat/session", json={})
    session.raise_for_status()
    http.headers["Authorization"] = f"Bearer {session.json()['token']}"
    request = http.build_request(
        "GET", "/chat/stream", params={"after": session.json()["last_seq"]}, timeout=None
    )
    lines = http.send(request, stream=True).iter_lines()

    def say(text: str) -> None:
        sent = http.post("/chat/messages", json={"client_id": uuid.uuid4().hex, "text": text})
        sent.raise_for_status()
        for line in lines:
            if line.startswith("data:") and '"sender":"bot"' in line.replace(" ", ""):
                return

    return say


def plain_rasa(directory: Path) -> "tuple[subprocess.Popen[bytes], str]":
    port = free_port()
    (directory / "endpoints.yml").write_text("")
    (directory / "credentials.yml").write_text("rest:\n")
    process = subprocess.Popen(
        [
            str(RASA_PYTHON), "-m", "rasa", "run", "--enable-api", 
            "--interface", "127.0.0.1", "--port", str(port),
            "--model", str(train_when_stale()), "--endpoints", str(directory / "endpoints.yml"),
            "--credentials", str(directory / "credentials.yml"),
        ],
        cwd=ROOT, env=rasa_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            if httpx.get(f"{url}/status", timeout=2).status_code == 200:
                return process, url
        except httpx.HTTPError:
            time.sleep(0.2)
    process.kill()
    raise SystemExit("the plain Rasa server did not start")


if __name__ == "__main__":
    main()
