"""What happens once a customer's message is stored, whatever client it came through."""

from typing import Any

from crmcore.conversations import Received
from crmcore.metrics import messages_received
from crmcore.usecases.escalation import request_person
from web.gateway.choices import PERSON


def after_receiving(state: Any, received: Received) -> None:
    """Persisted: now everybody who waits for it may know, and the bot may answer.

    ``state`` is the app's. It may ask the database: call it from a thread.
    """
    conversation_id = received.conversation.conversation_id
    if not received.duplicate:
        messages_received.labels(received.conversation.channel).inc()
    bot_owns = received.conversation.owner_kind == "bot"
    wants_person = received.message.payload == PERSON and not received.duplicate
    if bot_owns and wants_person and state.turns.is_answering(conversation_id):
        # The turn under way may last; who wants a person need not wait for it.
        request_person(state.crm, conversation_id)
    state.live.wake(conversation_id)
    if bot_owns:
        state.turns.wake(conversation_id)
