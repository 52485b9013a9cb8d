"""A program that receives events: a real HTTP server that answers as the test says, well or badly."""

import base64
import contextlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Got:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


@dataclass
class Receiver:
    """``says`` is the status of the next answers; ``hang`` and ``trickle`` never end one."""

    url: str = ""
    says: int | str = 200
    body: bytes = b"thanks"
    headers: dict[str, str] = field(default_factory=dict)
    got: list[Got] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def kinds(self) -> list[str]:
        return [got.event["type"] for got in self.got]


def is_signed_with(secret: str, got: Got) -> bool:
    """What any receiver does, written from the specification and not from our own code."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    said = b".".join(
        [got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode(), got.body]
    )
    mine = base64.b64encode(hmac.new(key, said, sha256).digest()).decode()
    signatures = [part.split(",", 1) for part in got.headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(mine, given) for version, given in signatures)


@contextlib.contextmanager
def receiver(host: str = "127.0.0.1") -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.got.append(Got(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if state.says == "hang":
                state.released.wait(60)
                return
            if state.says == "trickle":
                with contextlib.suppress(OSError):
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                    while not state.released.wait(0.05):
                        self.wfile.write(b"X: y\r\n")
                return
            self.send_response(int(state.says))
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(state.body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # Whoever has read enough hangs up.
                self.wfile.write(state.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    state.url = f"http://{host}:{server.server_address[1]}/hook"
    try:
        yield state
    finally:
        state.released.set()
        server.shutdown()
        server.server_close()
