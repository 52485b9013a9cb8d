"""``POST /webhooks/rest/webhook``: Rasa's REST channel, for programs that hold a key with the scope ``chat``.

A message takes the same path as the widget's: it is stored, the turn runs, and what the customer is told is
read from the log. What the program calls its visitor proves nothing; see ``crmcore.channels``.
"""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field

from crmcore.api_keys import ApiKey
from crmcore.channels import ANSWER_PATIENCE, MAX_SENDER, Answer, client_id_of
from crmcore.conversations import Message, Received
from crmcore.crm import Crm
from crmcore.usecases.channels import answer, conversation_of_sender, give_up
from crmcore.usecases.conversations import hear
from web.api.keys import key_of
from web.gateway.limits import TooMany
from web.gateway.receiving import after_receiving
from web.gateway.session import first_words, spoken_language
from web.gateway.shown import shown_message
from web.wording import Wording

WAITING_OF_KEY = 200  # Requests of one key that wait for an answer at a time, in this process.

router = APIRouter()


class Said(BaseModel):
    """Rasa's body; fields that are not named here are left unread, as Rasa does."""

    model_config = ConfigDict(strict=True)

    sender: Annotated[str, Field(max_length=MAX_SENDER)]
    message: str
    metadata: Any = None


def chat_key(request: Request) -> ApiKey:
    return key_of(request, "chat")


class Waiting:
    """Counts the requests that wait, so that one program cannot hold a process's memory."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    @contextlib.contextmanager
    def place(self, name: str, most: int) -> Iterator[None]:
        """Hold one of ``most`` places; raises ``TooMany`` when there is none."""
        if self._of[name] >= most:
            raise TooMany(1.0)
        self._of[name] += 1
        try:
            yield
        finally:
            self._of[name] -= 1
            if not self._of[name]:
                del self._of[name]

    def others(self, name: str) -> bool:
        return self._of[name] > 1


@router.post("/webhooks/rest/webhook")
async def webhook(
    request: Request,
    said: Said,
    key: Annotated[ApiKey, Depends(chat_key)],
    idempotency_key: Annotated[str | None, Header()] = None,
) -> list[dict[str, Any]]:
    """Everything that was said to the visitor since the last answer, the replies to this message included."""
    state = request.app.state
    with state.waiting.place(key.key_id, WAITING_OF_KEY):
        received = await asyncio.to_thread(_receive, state, key, said, idempotency_key)
        conversation_id = received.conversation.conversation_id
        with state.waiting.place(conversation_id, WAITING_OF_KEY):
            found = await _answer(request, received.message)
            if found is None:
                await asyncio.to_thread(give_up, state.crm, received.message)
            if state.waiting.others(conversation_id):
                state.live.wake(conversation_id)  # A later message's answer may have waited for this one.
    return _shown(state, said.sender, received.message, found) if found else []


def _receive(state: Any, key: ApiKey, said: Said, idempotency_key: str | None) -> Received:
    """Store the message under its own name, if the program gave it one, and let the bot begin."""
    crm: Crm = state.crm
    language = spoken_language(crm, None)
    hello = first_words(crm, state.wording, language)
    client_id = _client_id(said, idempotency_key)
    conversation_id = conversation_of_sender(crm, key.key_id, said.sender, language, hello).conversation_id
    state.limits.messages.take(conversation_id)
    received = hear(crm, conversation_id, client_id, said.message)
    after_receiving(state, received)
    return received


def _client_id(said: Said, idempotency_key: str | None) -> str:
    named = said.metadata.get("message_id") if isinstance(said.metadata, dict) else None
    repeat_key = idempotency_key if idempotency_key is not None else named
    return client_id_of(repeat_key) if isinstance(repeat_key, str) else f"new-{secrets.token_hex(16)}"


async def _answer(request: Request, message: Message) -> Answer | None:
    """Wait for what answers this message; at the deadline, take what there is. None: the program has left."""
    state = request.app.state
    with contextlib.suppress(TimeoutError):
        async with (
            asyncio.timeout(ANSWER_PATIENCE.total_seconds()),
            contextlib.aclosing(state.live.watch(message.conversation_id)) as looks,
        ):
            async for _ in looks:
                if await request.is_disconnected():
                    return None
                found = await asyncio.to_thread(answer, state.crm, message)
                if found is not None:
                    return found
    return await asyncio.to_thread(answer, state.crm, message, last_chance=True)


def _shown(state: Any, sender: str, asked: Message, found: Answer) -> list[dict[str, Any]]:
    """Rasa's list; a button's payload is the opaque id that presses it."""
    crm: Crm = state.crm
    wording: Wording = state.wording
    language = found.conversation.language
    messages = found.said or ([found.standing] if found.standing else [])
    if not messages:
        return [{"recipient_id": sender, "text": wording.say(language, "still_thinking")}]
    shown = [shown_message(message, crm.firm, wording, language) for message in messages]
    if found.standing is not None and found.standing.sender == "system":
        # The same mark stands; who writes on and on should see that each of his messages was kept.
        noted = wording.say(language, f"noted.{asked.seq % 3}")
        shown[0]["text"] = f"{noted} {shown[0]['text']}"
    return [_part(sender, message) for message in shown]


def _part(sender: str, message: dict[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = {"recipient_id": sender, "text": message["text"]}
    if message["buttons"]:
        part["buttons"] = [
            {"title": button["title"], "payload": button["id"]} for button in message["buttons"]
        ]
    return part
