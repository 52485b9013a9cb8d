"""Puts the API together: an app of its own below ``/api/v1``, with its own description."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette._utils import get_route_path
from starlette.datastructures import State

from crmcore.firm import Firm
from crmcore.money import exponent
from web.api import conversations, customers, escalations, needs, offers, orders, returns
from web.api.route import SECURITY
from web.errors import answer_errors, error_answer

VERSION = "1.0.0"
PARTS = (orders, returns, customers, needs, conversations, escalations, offers)
ABOUT = """Orders, returns and customers in; customers, needs, conversations, escalations and offers out.

Every request carries `Authorization: Bearer rap_…`, a key made with `rapport keys add`. Every refusal has the
same shape, `{"error": {"code", "message"}}`. Lists come in pages: send `next_cursor` back as `cursor`."""


def create_api(state: State, firm: Firm) -> FastAPI:
    """The app to be mounted at ``/api/v1``; it shares the state of the one around it."""
    api = FastAPI(
        title="Rapport", version=VERSION, description=ABOUT, docs_url=None, redoc_url=None,
        openapi_url="/openapi.json", redirect_slashes=False,
    )  # fmt: skip
    api.state = state
    for part in PARTS:
        api.include_router(part.router)
    answer_errors(api)
    api.add_exception_handler(405, _wrong_method)
    described: dict[str, Any] = {}

    def describe() -> dict[str, Any]:
        if not described:
            described.update(_described(api, firm))
        return described

    api.openapi = describe  # type: ignore[method-assign]
    return api


async def _wrong_method(request: Request, _error: Exception) -> Response:
    """Names every method of the address; the framework would name those of its first route alone."""
    path = get_route_path(request.scope)
    methods: set[str] = set()
    for part in PARTS:
        for route in part.router.routes:
            if isinstance(route, APIRoute) and route.path_regex.match(path):
                methods |= route.methods or set()
    allowed = ", ".join(sorted(methods))
    return error_answer(405, "method_not_allowed", f"this address knows {allowed}", {"Allow": allowed})


def _described(api: FastAPI, firm: Firm) -> dict[str, Any]:
    """The description, narrowed to what this very firm accepts."""
    found = get_openapi(
        title=api.title, version=VERSION, description=ABOUT, routes=api.routes,
        servers=[{"url": "/api/v1"}],
    )  # fmt: skip
    components = found["components"]
    components["securitySchemes"] = {
        SECURITY: {"type": "http", "scheme": "bearer", "description": "A key of `rapport keys add`."}
    }
    schemas = components["schemas"]
    schemas["Currency"] |= {"enum": [firm.currency], "examples": [firm.currency]}
    schemas["Amount"]["pattern"] = _amount_pattern(exponent(firm.currency))
    return found


def _amount_pattern(decimals: int) -> str:
    return "^[0-9]{1,12}$" if decimals == 0 else rf"^[0-9]{{1,12}}(\.[0-9]{{1,{decimals}}})?$"
