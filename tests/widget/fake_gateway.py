"""A fake gateway: speaks the documented HTTP of the real one from memory, and misbehaves on request.

It serves the real widget under the real security headers, so what passes here is what customers load.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import jwt
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from web.security import SecurityHeaders
from web.widget.routes import router as widget_router

WIDGET_SECRET = "a widget secret that only tests know, long enough"
GREETING = "Hello! I am Coda, the digital assistant of Alder & Bell. What can I do for you?"
SHOP = """<!doctype html><html lang="en"><title>A shop</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width"><h1>A shop</h1><a href="#x">A link before the chat</a>
<script src="{widget}/widget.js" async {attributes}></script>"""


@dataclass
class FakeConversation:
    conversation_id: str
    token: str
    customer: str = ""
    owner: dict[str, str] = field(default_factory=lambda: {"kind": "bot", "name": "Coda"})
    messages: list[dict[str, Any]] = field(default_factory=list)
    watchers: list[asyncio.Queue[str]] = field(default_factory=list)

    def add(self, sender: str, text: str, name: str = "", client_id: str = "", **more: Any) -> dict[str, Any]:
        message = {
            "seq": len(self.messages) + 1,
            "client_id": client_id or secrets.token_hex(6),
            "sender": sender,
            "name": name or ("Coda" if sender == "bot" else ""),
            "kind": "text",
            "text": text,
            "buttons": [],
            "at": datetime.now(UTC).isoformat(),
            "state": "done",
            **more,
        }
        self.messages.append(message)
        self.push(event("message", message, message["seq"]))
        return message

    def push(self, block: str) -> None:
        for watcher in self.watchers:
            watcher.put_nowait(block)

    def own(self, kind: str, name: str = "") -> None:
        self.owner = {"kind": kind, "name": name}
        self.push(event("owner", self.owner))


def event(name: str, data: Any, number: int | None = None) -> str:
    head = f"id: {number}\n" if number else ""
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n"


class FakeGateway:
    """One gateway on ``port`` of 127.0.0.1, and a shop that embeds it.

    On ``localhost`` the shop is another site, so Chromium denies the frame its storage; on
    ``127.0.0.1`` it is the same site.

    ``failures`` holds answers to give instead, one a request, by path: ``{"/chat/messages": [503]}``.
    """

    def __init__(self, port: int, shop_host: str = "localhost") -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.shop = f"http://{shop_host}:{port}/shop"
        self.firm = SimpleNamespace(
            name="Alder & Bell",
            voice=SimpleNamespace(assistant="Coda"),
            languages=("en",),
            origins=(f"http://{shop_host}:{port}",),
        )
        self.conversations: list[FakeConversation] = []
        self.failures: dict[str, list[int]] = {}
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.lose_answers = 0  # So many messages are stored, but their acknowledgement is lost.
        self.echo = True  # Whether the assistant answers.
        self.down = False
        self.used: set[str] = set()  # Sign-in tokens, each good for one conversation.
        self.loop: asyncio.AbstractEventLoop | None = None
        self.app = Starlette(routes=[Route("/shop", self._shop), Mount("/", self._build())])

    @property
    def last(self) -> FakeConversation:
        return self.conversations[-1]

    def soon(self, action: Any, *arguments: Any, **named: Any) -> None:
        """Do something on the server's own thread, from a test."""
        assert self.loop
        done = asyncio.run_coroutine_threadsafe(_call(action, arguments, named), self.loop)
        done.result(5)

    def texts(self) -> list[str]:
        """What customers said, in order, over all conversations."""
        return [m["text"] for c in self.conversations for m in c.messages if m["sender"] == "customer"]

    def cut(self) -> None:
        """Break every open stream."""
        for conversation in self.conversations:
            conversation.push("")

    def of(self, request: Request) -> FakeConversation | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return next((c for c in self.conversations if c.token == token), None)

    def _build(self) -> FastAPI:
        app = FastAPI()
        app.state.crm = SimpleNamespace(firm=self.firm)
        app.include_router(widget_router())

        @app.middleware("http")
        async def misbehave(request: Request, call_next: Any) -> Response:
            self.loop = asyncio.get_running_loop()
            failures = self.failures.get(request.url.path)
            if self.down and request.url.path.startswith("/chat"):
                return _error(503)
            if failures and request.method == "POST":
                return _error(failures.pop(0))
            return await call_next(request)

        app.add_middleware(SecurityHeaders, embedding_origins=self.firm.origins)
        app.post("/chat/session")(self._session)
        app.get("/chat/messages")(self._messages)
        app.get("/chat/stream")(self._stream)
        app.post("/chat/messages")(self._send)
        app.post("/chat/person")(self._person)
        app.post("/chat/typing")(self._typing)
        app.post("/chat/sign-out")(self._sign_out)
        return app

    async def _shop(self, request: Request) -> HTMLResponse:
        """A shop with as strict a policy as can be: it allows the widget's script and frame, nothing else."""
        query = request.query_params
        attributes = f'data-token="{sign_in_token(query["customer"])}"' if "customer" in query else ""
        policy = f"default-src 'none'; script-src {self.url}; frame-src {self.url}; img-src data:"
        page = SHOP.format(widget=self.url, attributes=attributes)
        return HTMLResponse(page, headers={"Content-Security-Policy": policy})

    async def _session(self, request: Request) -> Response:
        body = await request.json()
        self.posts.append(("/chat/session", body))
        customer = ""
        if body.get("signed_in_token"):
            signed = jwt.decode(body["signed_in_token"], WIDGET_SECRET, ["HS256"], audience="rapport")
            customer = signed["sub"]
        found = self.of(request)
        resumed = found is not None and found.customer in ("", customer)
        if customer and not (found and found.customer == customer):
            if signed["jti"] in self.used:
                return _error(401)
            self.used.add(signed["jti"])
        if not found or not resumed:
            found = FakeConversation(f"cnv_{len(self.conversations)}", secrets.token_hex(16))
            self.conversations.append(found)
            found.add("bot", GREETING)
        found.customer = customer or found.customer
        return JSONResponse(
            {
                "conversation_id": found.conversation_id,
                "token": found.token,
                "expires_at": "2099-01-01T00:00:00Z",
                "resumed": resumed,
                "assistant": {"name": "Coda", "firm": self.firm.name},
                "owner": found.owner,
                "last_seq": len(found.messages),
            }
        )

    async def _messages(self, request: Request, after: int = 0) -> Response:
        found = self.of(request)
        if not found:
            return _error(401)
        return JSONResponse({"messages": found.messages[after:][:200], "owner": found.owner})

    async def _stream(self, request: Request, after: int = 0) -> Response:
        found = self.of(request)
        if not found:
            return _error(401)

        async def blocks() -> AsyncIterator[str]:
            queue: asyncio.Queue[str] = asyncio.Queue()
            found.watchers.append(queue)
            try:
                yield ":ping\n\n" + event("owner", found.owner)
                for message in found.messages[after:]:
                    yield event("message", message, message["seq"])
                while block := await queue.get():
                    yield block
            finally:
                found.watchers.remove(queue)

        return StreamingResponse(blocks(), media_type="text/event-stream")

    async def _send(self, request: Request) -> Response:
        body = await request.json()
        self.posts.append(("/chat/messages", body))
        found = self.of(request)
        if not found:
            return _error(401)
        if len(body.get("text", "")) > 2000:
            return _error(413)
        earlier = next((m for m in found.messages if m["client_id"] == body["client_id"]), None)
        if earlier:
            return JSONResponse({"seq": earlier["seq"], "duplicate": True})
        text, shown = body.get("text"), {b["id"]: b["title"] for m in found.messages for b in m["buttons"]}
        if "button_id" in body:
            text = shown.get(body["button_id"])
            if text is None:
                return _error(422)
        stored = found.add("customer", str(text), client_id=body["client_id"])
        if self.echo and found.owner["kind"] == "bot":
            found.add("bot", f"You said: {text}")
        if self.lose_answers:
            self.lose_answers -= 1
            return _error(503)
        return JSONResponse({"seq": stored["seq"], "duplicate": False}, 201)

    async def _person(self, request: Request) -> Response:
        body = await request.json()
        self.posts.append(("/chat/person", body))
        found = self.of(request)
        if not found:
            return _error(401)
        found.add("customer", "Talk to a person", client_id=body["client_id"])
        words = "You are next. Somebody will be with you shortly."
        mark = found.add("system", words, kind="mark:queued")
        found.own("queue")
        return JSONResponse({"seq": mark["seq"]})

    async def _typing(self, request: Request) -> Response:
        self.posts.append(("/chat/typing", {}))
        return Response(status_code=204)

    async def _sign_out(self, request: Request) -> Response:
        self.posts.append(("/chat/sign-out", {}))
        found = self.of(request)
        if found:
            found.token = secrets.token_hex(16)
            found.push("")  # Its streams end.
        return Response(status_code=204)


def sign_in_token(customer: str) -> str:
    now = int(datetime.now(UTC).timestamp())
    claims = {"sub": customer, "aud": "rapport", "iat": now, "exp": now + 300, "jti": secrets.token_hex(8)}
    return jwt.encode(claims, WIDGET_SECRET, "HS256")


async def _call(action: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
    action(*arguments, **named)


def _error(status: int) -> JSONResponse:
    headers = {"Retry-After": "1"} if status == 429 else {}
    return JSONResponse({"error": {"code": "fake", "message": "refused by the fake"}}, status, headers)
