"""The web application that Rasa calls to run actions; it never listens on the public port."""

import asyncio
import hmac
import logging
import time
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Body, FastAPI, Header
from fastapi.responses import JSONResponse
from rasa_sdk import Action
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import (
    ActionExecutionRejection,
    ActionMissingDomainException,
    ActionNotFoundException,
)

from actions import (
    billing,
    cancelling,
    complaint,
    contact_details,
    courtesy,
    delivery,
    escalation,
    help,
    identify,
    needs,
    offers,
    order_choice,
    orders,
    products,
    returns,
    serious,
    store,
    why,
)
from crmcore.conversations import StaleTurn
from crmcore.crm import Crm
from crmcore.logs import log_context

TOPICS = (
    courtesy, help, why, identify, order_choice, orders, returns, delivery, billing, products, store,
    contact_details, needs, offers, complaint, cancelling, escalation,
    serious,
)  # fmt: skip

logger = logging.getLogger(__name__)
# The SDK warns about each slot without a validation of its own, such as a plain yes or no.
logging.getLogger("rasa_sdk.forms").setLevel(logging.ERROR)
logging.getLogger("rasa_sdk.executor").setLevel(logging.WARNING)


def create_action_app(crm: Crm, secret: str) -> FastAPI:
    """``POST /webhook`` for whoever shows ``secret`` in the header ``X-Rapport-Secret``.

    Each call runs in a thread of its own, so a slow one holds up nobody. Rasa's protocol: 400 an action
    declined to run, 404 there is no such action, 449 send the domain with it.
    """
    executor = ActionExecutor()
    for action in all_actions(crm):
        executor.register_action(action)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/webhook")
    def run_action(
        call: Annotated[dict[str, Any], Body()], x_rapport_secret: Annotated[str, Header()] = ""
    ) -> JSONResponse:
        if not hmac.compare_digest(x_rapport_secret.encode(), secret.encode()):
            return JSONResponse({"error": "this port belongs to the dialogue engine"}, 401)
        started = time.perf_counter()
        with log_context(**_belonging(call)):
            answer = _run(executor, call)
            took = round((time.perf_counter() - started) * 1000, 1)
            logger.info(
                "%s: %s after %.0f ms", call.get("next_action"), answer.status_code, took,
                extra={"event": "action", "duration_ms": took},
            )  # fmt: skip
        return answer

    return app


def _belonging(call: dict[str, Any]) -> dict[str, str]:
    """For the log alone: the conversation, and the request in which its customer wrote.

    The sender is ``<conversation>.<session of the brain>``; the gateway sends the request's name along.
    """
    tracker = call.get("tracker") or {}
    message = tracker.get("latest_message") or {}
    found = {"conversation_id": str(tracker.get("sender_id") or "").rpartition(".")[0]}
    if request := (message.get("metadata") or {}).get("request_id"):
        found["request_id"] = str(request)
    return found


def _run(executor: ActionExecutor, call: dict[str, Any]) -> JSONResponse:
    name = call.get("next_action")
    try:
        result = asyncio.run(executor.run(call))
    except ActionExecutionRejection as rejected:
        return _refused(400, name, rejected)
    except ActionNotFoundException as unknown:
        return _refused(404, name, unknown)
    except ActionMissingDomainException as missing:
        return _refused(449, name, missing)
    except StaleTurn as stale:
        # The conversation moved on while this ran; its reply will be dropped, so nothing is said.
        logger.info("%s: %s", name, stale)
        return JSONResponse({"events": [], "responses": []})
    return JSONResponse(result.model_dump() if result else {})


def all_actions(crm: Crm) -> Iterator[Action]:
    """One instance of every action and form validation in this package."""
    for topic in TOPICS:
        for found in vars(topic).values():
            if isinstance(found, type) and issubclass(found, Action) and found.__module__ == topic.__name__:
                named = hasattr(found, "action_name") or hasattr(found, "form")
                if named:
                    yield found(crm)


def _refused(status: int, action: Any, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error), "action_name": action}, status)
