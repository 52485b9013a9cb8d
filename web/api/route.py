"""How a route of the API is made: its scope is checked before the body is read, its answers are listed."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

from crmcore.api_keys import ApiKey, Scope
from crmcore.crm import Crm
from crmcore.errors import CrmError
from web.api.keys import key_of

SECURITY = "key"
_SCOPE = "x-scope"


class Problem(BaseModel):
    model_config = ConfigDict(extra="forbid")
    code: str
    message: str


class Error(BaseModel):
    """Every refusal: ``code`` is for programs and stays, ``message`` is for people and may change."""

    model_config = ConfigDict(extra="forbid")
    error: Problem


class NotJson(CrmError):
    """A body of another type than the one that the API reads."""

    def __init__(self) -> None:
        super().__init__("send the body as 'Content-Type: application/json'")


_ALWAYS = {
    401: ("No key, an unknown one, or a revoked one", "key_refused"),
    403: ("The key lacks the scope", "scope_missing"),
    405: ("No such method here; `Allow` says which there are", "method_not_allowed"),
    422: ("A field or parameter breaks its rule; the message says which and how", "bad_request"),
    429: ("Too many requests of this key or address; `Retry-After` says when to go on", "too_many"),
    503: ("The database is out of reach; nothing was stored, try again", "unavailable"),
}
_WITH_BODY = {
    400: ("The body is not JSON in UTF-8", "bad_request"),
    408: ("The body took too long to arrive", "too_slow"),
    413: ("The body is too large", "too_large"),
    415: ("The body is not application/json", "not_json"),
}
_RETRY_AFTER = {
    "Retry-After": {"description": "Seconds", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
}
_CHALLENGE = {"WWW-Authenticate": {"description": "Bearer", "schema": {"type": "string"}}}


class KeyedRoute(APIRoute):
    """Asks for the key first: who may not knock learns nothing about what a body should look like."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        scope: Scope = (self.openapi_extra or {})[_SCOPE]
        reads_body = self.body_field is not None

        async def guarded(request: Request) -> Response:
            request.state.key = await asyncio.to_thread(key_of, request, scope)
            if reads_body and not _is_json(request):
                raise NotJson
            return await answer(request)

        return guarded


def key(request: Request) -> ApiKey:
    """The key that the route has let in."""
    found: ApiKey = request.state.key
    return found


def crm_of(request: Request) -> Crm:
    crm: Crm = request.app.state.crm
    return crm


def keyed_router(tag: str) -> APIRouter:
    return APIRouter(route_class=KeyedRoute, tags=[tag])


def documented(
    operation_id: str,
    scope: Scope,
    *,
    body: bool = False,
    refusals: Mapping[int, tuple[str, str]] = MappingProxyType({}),
    other: type[BaseModel] | None = None,
    other_status: int = 200,
    other_means: str = "The very same was on record before",
) -> dict[str, Any]:
    """What a route says about itself: its name, its scope, and every answer that it may give.

    ``refusals`` are its own, each with a sentence and a code; ``other`` is the answer of the second good
    status, if it has one.
    """
    known = _ALWAYS | (_WITH_BODY if body else {}) | dict(refusals)
    responses = {status: _documented(status, *said) for status, said in sorted(known.items())}
    if other is not None:
        responses[other_status] = {"model": other, "description": other_means}
    return {
        "operation_id": operation_id,
        "responses": responses,
        "openapi_extra": {"security": [{SECURITY: []}], _SCOPE: scope},
    }


def _documented(status: int, description: str, code: str) -> dict[str, Any]:
    example = {"error": {"code": code, "message": description}}
    said: dict[str, Any] = {
        "model": Error,
        "description": description,
        "content": {"application/json": {"example": example}},
    }
    if status in (429, 503):
        said["headers"] = _RETRY_AFTER
    if status == 401:
        said["headers"] = _CHALLENGE
    return said


def _is_json(request: Request) -> bool:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind == "application/json"
