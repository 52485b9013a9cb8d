"""The one door to the dialogue engine: asks a Rasa server over HTTP and reads its answers with distrust."""

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import httpx

from crmcore.conversations import Reply
from crmcore.errors import CrmError

DEADLINE_SECONDS = 10.0  # For a whole turn, its actions included.
CONNECT_SECONDS = 3.0  # A closed port is noticed at once; this is for a machine that is gone, or busy.
LOOK_SECONDS = 3.0  # For looking at a tracker.
MAX_PAYLOAD = 400  # What the store keeps of a button's meaning.
# Rasa drops idle connections after 5 s; a connection that it drops under us would look like a crash.
KEEP_ALIVE_SECONDS = 2.0

# A slash before the first letter or digit: whatever Rasa strips, the slash could come to the front.
_SLASH_FIRST = re.compile(r"[\W_]*?/")
WORD_JOINER = "\u2060"  # Invisible, no white space (so nothing strips it), ignored by the tokenizer.

log = logging.getLogger(__name__)


class BrainError(CrmError):
    """The brain gave no usable answer; ``kind`` is how the incident is counted."""

    kind: ClassVar[str]


class BrainDown(BrainError):
    """Nobody listens: it is stopped or starts again. It has not seen the message."""

    kind = "brain_down"


class BrainSlow(BrainError):
    """No answer within the deadline. It may still be working on the message."""

    kind = "brain_slow"


class BrainBroken(BrainError):
    """It broke off, answered with an error, or with something that is no answer."""

    kind = "brain_broken"


class EmptyTurn(BrainError):
    """It answered without words, as Rasa does (with status 200) when an action crashed."""

    kind = "empty_turn"


def as_text(text: str) -> str:
    """A customer's text such that Rasa reads it as text and never as ``/intent{...}``."""
    return WORD_JOINER + text if _SLASH_FIRST.match(text) else text


class Brain:
    """Asks one Rasa server (its REST channel and its HTTP API, ``--enable-api``)."""

    def __init__(self, url: str, deadline: float = DEADLINE_SECONDS) -> None:
        self._deadline = deadline
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=httpx.Timeout(deadline, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=64, keepalive_expiry=KEEP_ALIVE_SECONDS),
            trust_env=False,  # The server is on loopback or a private network: no proxy.
        )

    async def answer(
        self, sender: str, text: str, metadata: Mapping[str, Any], payload: str | None = None
    ) -> list[Reply]:
        """What the assistant says to one message.

        ``payload`` is the meaning of a button that was offered; it is the only thing ever sent as a
        command. Raises a ``BrainError`` when there are no words to give to the customer.
        """
        message = as_text(text) if payload is None else payload
        body = {"sender": sender, "message": message, "metadata": dict(metadata)}
        found = await self._json("POST", "/webhooks/rest/webhook", self._deadline, json=body)
        replies = _replies(found)
        if not replies:
            raise EmptyTurn(f"the brain had no words for {sender}; an action may have crashed")
        return replies

    async def form_active(self, sender: str) -> bool:
        """Whether the assistant is in the middle of a form with this sender."""
        return bool((await self._tracker(sender)).get("active_loop"))

    async def consumed(self, sender: str, message_id: int) -> bool:
        """Whether this message is the last one that the brain took in and kept."""
        latest = (await self._tracker(sender)).get("latest_message")
        metadata = latest.get("metadata") if isinstance(latest, dict) else None
        return isinstance(metadata, dict) and metadata.get("message_id") == message_id

    async def ready(self) -> bool:
        """Whether the server is up with a model loaded."""
        try:
            await self._json("GET", "/status", LOOK_SECONDS)
        except BrainError:
            return False
        return True

    async def close(self) -> None:
        await self._client.aclose()

    async def _tracker(self, sender: str) -> dict[str, Any]:
        """The tracker without its events, which would be the whole history."""
        path = f"/conversations/{quote(sender, safe='')}/tracker"
        found = await self._json("GET", path, LOOK_SECONDS, params={"include_events": "NONE"})
        if not isinstance(found, dict):
            raise BrainBroken("the brain's tracker is not an object")
        return found

    async def _json(self, method: str, path: str, seconds: float, **request: Any) -> Any:
        try:
            async with asyncio.timeout(seconds):
                response = await self._client.request(method, path, **request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise BrainDown(f"the brain cannot be reached: {type(error).__name__}") from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise BrainSlow(f"the brain did not answer within {seconds:g} s") from error
        except httpx.HTTPError as error:
            raise BrainBroken(f"the brain broke off: {type(error).__name__}") from error
        if response.status_code != 200:
            raise BrainBroken(f"the brain answered with status {response.status_code}")
        try:
            return response.json()
        except ValueError as error:
            raise BrainBroken("the brain's answer is not JSON") from error


def _replies(found: Any) -> list[Reply]:
    """Rasa's list of messages as replies; parts that are no words (images, custom JSON) are left out."""
    if not isinstance(found, list) or not all(isinstance(part, dict) for part in found):
        raise BrainBroken("the brain's answer is not a list of messages")
    replies = []
    for part in found:
        text, buttons = part.get("text"), part.get("buttons") or []
        if not isinstance(text, str) or not text.strip():
            log.warning("a part of the brain's answer without words was left out: %s", sorted(part))
            continue
        if not isinstance(buttons, list):
            raise BrainBroken("the buttons in the brain's answer are not a list")
        replies.append(Reply(text.replace("\0", ""), tuple(_button(button) for button in buttons)))
    return replies


def _button(found: Any) -> tuple[str, str]:
    title, payload = (found.get("title"), found.get("payload")) if isinstance(found, dict) else (None, None)
    if not isinstance(title, str) or not isinstance(payload, str) or not title or len(payload) > MAX_PAYLOAD:
        raise BrainBroken(f"a button needs a title and a payload of at most {MAX_PAYLOAD} characters")
    return title, payload
