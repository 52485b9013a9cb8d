"""How an error becomes an HTTP answer: one table, one shape, no stack trace."""

import logging
import math
import re

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crmcore.api_keys import KeyRefused, ScopeMissing
from crmcore.channels import UnacceptableSender
from crmcore.conversations import (
    AlreadyClaimed,
    IllegalTransfer,
    NotTheOwner,
    StaleReply,
    StaleTurn,
    UnacceptableClientId,
    UnacceptableText,
    UnknownButton,
    UnknownConversation,
)
from crmcore.errors import CrmError, StoreUnavailable
from crmcore.idempotency import IdempotencyKeyReused
from crmcore.intake import (
    IllegalStatus,
    MomentOutOfRange,
    OrderDiffers,
    ReturnDiffers,
    ReturnExceedsOrder,
    ReturnOfCancelled,
    UnknownCustomer,
    UnknownReturn,
)
from crmcore.metrics import database_failures
from crmcore.orders import UnknownOrder
from web.api.amounts import WrongMoney
from web.api.route import NotJson
from web.gateway.limits import TooMany
from web.gateway.routes import BadMessage
from web.gateway.streams import StreamsFull
from web.gateway.tokens import SignInRefused, TokenRefused

log = logging.getLogger(__name__)

# The nearest class in an error's ancestry decides; whatever is not listed is a request that cannot be met.
STATUS: dict[type[CrmError], int] = {
    TokenRefused: 401,
    SignInRefused: 401,
    KeyRefused: 401,
    NotTheOwner: 403,
    ScopeMissing: 403,
    UnknownConversation: 404,
    UnknownCustomer: 404,
    UnknownOrder: 404,
    UnknownReturn: 404,
    IdempotencyKeyReused: 409,
    IllegalStatus: 409,
    MomentOutOfRange: 409,
    OrderDiffers: 409,
    ReturnDiffers: 409,
    ReturnExceedsOrder: 409,
    ReturnOfCancelled: 409,
    NotJson: 415,
    WrongMoney: 422,
    AlreadyClaimed: 409,
    IllegalTransfer: 409,
    StaleReply: 409,
    StaleTurn: 409,
    UnacceptableClientId: 422,
    UnacceptableSender: 422,
    UnacceptableText: 422,
    UnknownButton: 422,
    BadMessage: 422,
    TooMany: 429,
    StreamsFull: 503,
    StoreUnavailable: 503,
    CrmError: 400,
}


def status_of(error: CrmError) -> int:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def code_of(error: CrmError) -> str:
    """The class name in snake case: what a client compares. An error may say a finer one itself."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()


def error_answer(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


def install_error_answers(app: FastAPI) -> None:
    answer_errors(app)
    app.add_middleware(Unforeseen)


def answer_errors(app: FastAPI) -> None:
    """Every foreseen error in its shape; an app inside of another leaves the unforeseen ones to it."""
    app.add_exception_handler(CrmError, _of_the_core)
    app.add_exception_handler(RequestValidationError, _of_the_request)
    app.add_exception_handler(HTTPException, _of_http)


async def _of_the_core(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CrmError)
    if isinstance(error, StoreUnavailable):
        # What the driver says may name hosts and users: it is for the log alone.
        log.error("%s %s: %s", request.method, request.url.path, error)
        request.app.state.database_failures += 1
        database_failures.inc()
        return error_answer(
            503, "unavailable", "the service is not available now; try again", {"Retry-After": "3"}
        )
    status, code = status_of(error), code_of(error)
    if isinstance(error, UnacceptableText) and error.code == "too_long":
        status, code = 413, "too_large"
    headers = None
    if isinstance(error, TooMany | StreamsFull):
        headers = {"Retry-After": str(math.ceil(error.retry_after))}
    if status == 401:
        headers = {"WWW-Authenticate": "Bearer"}
    return error_answer(status, code, str(error), headers)


async def _of_the_request(_request: Request, error: Exception) -> JSONResponse:
    """Says which field is wrong and how, and never repeats the value: it may be personal."""
    assert isinstance(error, RequestValidationError)
    problems = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
    return error_answer(422, "bad_request", "; ".join(problems[:5]))


async def _of_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "bad_request")
    return error_answer(error.status_code, code, str(error.detail), dict(error.headers or {}))


class Unforeseen:
    """Catches what nobody foresaw: the log gets the trace, the client one sentence."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception:
            if scope["type"] != "http":
                raise
            log.exception("unforeseen error in %s %s", scope["method"], scope["path"])
            if begun:
                raise
            answer = error_answer(500, "internal", "something failed on our side; it has been noted")
            await answer(scope, receive, send)
