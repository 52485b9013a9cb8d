"""A client of the Rasa socket protocol that is no widget: python-socketio over aiohttp.

It keeps what a widget would keep: the session id that was confirmed, and what it was told, by number.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import socketio

if not hasattr(aiohttp, "ClientWSTimeout"):
    # python-engineio 4.15 names a class of aiohttp 3.11, and 3.9 wants the bare seconds in its place.
    aiohttp.ClientWSTimeout = lambda ws_close: ws_close  # type: ignore[attr-defined]

PATIENCE = 15.0  # Seconds within which something that must happen happens, also on a busy machine.


class SocketClient:
    """One connection at a time to the socket at ``url``; ``token`` stands in the URL, as a page puts it."""

    def __init__(self, url: str, *, session_id: str | None = None, token: str = "", **options: Any) -> None:
        self.url = url
        self.session_id = session_id
        self.token = token
        self.options = options  # Of the connection: headers, transports, auth.
        self.uttered: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self.confirmed = 0
        self.cut = False
        self._changed = asyncio.Event()
        self.sio = self._new()

    def _new(self) -> socketio.AsyncClient:
        sio = socketio.AsyncClient(reconnection=False)
        sio.on("session_confirm", self._on_confirm)
        sio.on("bot_uttered", self._on_uttered)
        sio.on("session_error", self._on_error)
        sio.on("disconnect", self._on_disconnect)
        return sio

    async def connect(self) -> "SocketClient":
        query = f"?token={self.token}" if self.token else ""
        await self.sio.connect(f"{self.url}/{query}", wait_timeout=PATIENCE, **self.options)
        return self

    async def begin(self, **said: Any) -> "SocketClient":
        """Connect, ask for a session as a widget does, and wait until it is confirmed."""
        await self.connect()
        before = self.confirmed
        await self.sio.emit("session_request", {"session_id": self.session_id, **said})
        await self.until(lambda: self.confirmed > before, "the session is confirmed")
        return self

    async def say(self, message: Any, **said: Any) -> Any:
        """Send words or a button's payload; returns the acknowledgement."""
        return await self.sio.call(
            "user_uttered", {"message": message, "session_id": self.session_id, **said}, timeout=PATIENCE
        )

    async def press(self, title: str) -> Any:
        """Press the button of this title that was shown last."""
        buttons = [b for event in self.uttered for b in event.get("quick_replies", []) if b["title"] == title]
        return await self.say(buttons[-1]["payload"])

    async def drop(self) -> None:
        """Lose the line without a word, and keep what a page would keep."""
        with contextlib.suppress(Exception):
            await self.sio.eio.http.close()
        await self.sio.disconnect()

    async def come_back(self, **said: Any) -> "SocketClient":
        """A new connection of the same page."""
        self.sio = self._new()
        self.cut = False
        return await self.begin(**said)

    @property
    def words(self) -> list[str]:
        return [event["text"] for event in self.uttered]

    @property
    def numbers(self) -> list[int]:
        """The sequence numbers of what it was told; what is no message of the log has none."""
        return [event["metadata"]["seq"] for event in self.uttered if "seq" in event["metadata"]]

    async def hears(self, *texts: str) -> None:
        """Wait until each of these was said."""
        await self.until(lambda: all(text in self.words for text in texts), f"it hears {texts}")

    async def until(self, happened: Callable[[], Any], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not happened():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            raise AssertionError(
                f"it did not happen within {PATIENCE:.0f} s: {what}; {self.words}"
            ) from error

    async def _on_confirm(self, session_id: Any) -> None:
        self.session_id = session_id
        self.confirmed += 1
        self._changed.set()

    async def _on_uttered(self, event: dict[str, Any]) -> None:
        self.uttered.append(event)
        self._changed.set()

    async def _on_error(self, event: dict[str, Any]) -> None:
        self.errors.append(event["message"])
        self._changed.set()

    async def _on_disconnect(self, _reason: str = "") -> None:
        self.cut = True
        self._changed.set()


@contextlib.asynccontextmanager
async def talking(*clients: SocketClient) -> AsyncIterator[None]:
    """Close the lines at the end, whatever happened."""
    try:
        yield
    finally:
        for client in clients:
            # A long poll under way ends with the server's next ping; nobody has to wait for that.
            with contextlib.suppress(Exception):
                async with asyncio.timeout(1):
                    await client.sio.disconnect()
