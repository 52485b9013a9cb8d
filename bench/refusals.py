"""How long the server works on an input that is too large, before it has refused it.

The whole app (every middleware, every route, a database, no network) is called in this process, so that
the figure is the server's own time and not the client's or the wire's. A body comes in pieces of 64 kB, as
from a socket, once with its length declared and once without.

    .venv/bin/python -m bench.refusals
"""

import asyncio
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Mount

from bench.results import percentile, write_result
from crmcore.crm import Crm
from crmcore.store.database import Store
from crmcore.usecases.api_keys import create_key
from crmcore.usecases.conversations import open_conversation
from tests.builders import a_crm, client_id
from tests.web.gateway.chat import FakeBrain, some_settings
from web.app import create_app
from web.gateway.limits import MAX_API_BODY, MAX_BODY, Limits
from web.live import Live

PIECE = 64 * 1024
REPEATS = 20
BODIES = (5_000_000, 1_000_000, 100_000, 33_000)
TEXTS = (2_001, 10_000, 30_000, 100_000)
METHODS = ("POST", "PUT", "PATCH", "DELETE")

Answer = tuple[int, float]  # Status, and seconds until it began.


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        store = Store(f"sqlite:///{home}/rapport.db")
        store.migrate()
        crm = a_crm(store)
        app = create_app(
            crm, FakeBrain(), Live(crm), some_settings(Path(home)), limits=Limits.times(1_000_000)
        )
        found = asyncio.run(_measure(app, crm))
        store.dispose()
    rows = [
        {
            "what": what,
            "size": size,
            "endpoints": len({endpoint for endpoint, _ in taken}),
            "refusals": len(taken),
            "median_ms": round(percentile([ms for _, ms in taken], 50), 2),
            "p99_ms": round(percentile([ms for _, ms in taken], 99), 2),
        }
        for (what, size), taken in sorted(found.items())
    ]
    for row in rows:
        print(row)
    write_result(
        "refusals",
        "python -m bench.refusals",
        rows,
        "Milliseconds of the server's own work from the first byte to the beginning of the refusal, on every "
        "endpoint that takes a body (bodies, in bytes) and on those that take a text (texts, in characters; "
        f"above {MAX_BODY} bytes they are refused as bodies). Bodies below an endpoint's own limit, which is "
        f"{MAX_API_BODY} bytes under /api, are not counted there.",
    )


async def _measure(app: FastAPI, crm: Crm) -> Mapping[tuple[str, int], list[tuple[str, float]]]:
    found: dict[tuple[str, int], list[tuple[str, float]]] = defaultdict(list)
    async with app.router.lifespan_context(app):
        for method, path in endpoints(app):
            most = MAX_API_BODY if path.startswith("/api/") else MAX_BODY
            for size in (size for size in BODIES if size > most):
                for declared in (True, False):
                    for _ in range(REPEATS):
                        status, seconds = await ask(app, method, path, b"x" * size, {}, declared=declared)
                        assert status == 413, f"{method} {path} answered {status} to {size} bytes"
                        what = "body of known length" if declared else "body of unknown length"
                        found[what, size].append((f"{method} {path}", seconds * 1000))
        for name, path, headers, body in _texts(app, crm):
            # The first request of all opens the database's connection, which later ones need not.
            await ask(app, "POST", path, json.dumps(body("x")).encode(), headers, declared=True)
            for size in TEXTS:
                for _ in range(REPEATS):
                    content = json.dumps(body("x" * size)).encode()
                    status, seconds = await ask(app, "POST", path, content, headers, declared=True)
                    assert status == 413, f"{name} answered {status} to {size} characters"
                    found["text", size].append((name, seconds * 1000))
    return found


def endpoints(app: FastAPI) -> list[tuple[str, str]]:
    """Every method and path of the app that a body may be sent to, mounted apps included."""
    found = set(_endpoints(app.routes, ""))
    for mount in app.routes:
        if isinstance(mount, Mount):
            found |= set(_endpoints(mount.routes, mount.path)) or {("POST", f"{mount.path}/")}
    return sorted(found)


def _endpoints(routes: Sequence[BaseRoute], prefix: str) -> Iterator[tuple[str, str]]:
    for route in iter_route_contexts(routes):
        for method in getattr(route, "methods", None) or ():
            if method in METHODS:
                yield method, prefix + _filled(str(route.path))


def _filled(path: str) -> str:
    return "/".join("x" if part.startswith("{") else part for part in path.split("/"))


def _texts(
    app: FastAPI, crm: Crm
) -> Iterator[tuple[str, str, dict[str, str], Callable[[str], dict[str, Any]]]]:
    """The endpoints that take a customer's words, with a token that is good for them."""
    conversation = open_conversation(crm, "web", "vis_bench", "en")
    token, _ = app.state.tokens.mint(conversation, crm.clock(), signed_in=False)
    key = create_key(crm, "bench", ["chat"]).text
    yield (
        "/chat/messages", "/chat/messages", {"authorization": f"Bearer {token}"},
        lambda text: {"client_id": client_id(), "text": text},
    )  # fmt: skip
    yield (
        "/webhooks/rest/webhook", "/webhooks/rest/webhook", {"authorization": f"Bearer {key}"},
        lambda text: {"sender": "bench", "message": text},
    )  # fmt: skip


async def ask(
    app: FastAPI, method: str, path: str, body: bytes, headers: Mapping[str, str], *, declared: bool
) -> Answer:
    """One request straight into the app, without a socket."""
    lines = {"host": "localhost", "content-type": "application/json", **headers}
    if declared:
        lines["content-length"] = str(len(body))
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in lines.items()],
        "client": ("127.0.0.1", 1), "server": ("localhost", 80), "state": {},
    }  # fmt: skip
    pieces = [body[at : at + PIECE] for at in range(0, len(body), PIECE)] or [b""]
    status, began, answered = 0, 0.0, 0.0

    async def receive() -> dict[str, Any]:
        piece = pieces.pop(0) if pieces else b""
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal status, answered
        if message["type"] == "http.response.start":
            status, answered = message["status"], time.perf_counter()

    began = time.perf_counter()
    call: Awaitable[None] = app(scope, receive, send)
    await call
    return status, answered - began


if __name__ == "__main__":
    main()
