"""``/metrics`` for the operator's monitor, never for the world: it is on this machine, or has the token."""

import asyncio
import hmac
import time
from ipaddress import ip_address
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from crmcore.crm import Crm
from crmcore.errors import StoreUnavailable
from crmcore.metrics import Readings, exposition
from crmcore.usecases.operating import readings
from web.errors import error_answer
from web.gateway.health import state_of_health

FRESH_SECONDS = 5.0  # Several monitors ask the database no more often than one.
# A proxy on this machine looks like this machine; what it passes on comes from somewhere else.
_PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    if not _may_look(request):
        return error_answer(
            403,
            "metrics_refused",
            "metrics are for a monitor on this machine, or for one that sends "
            "'Authorization: Bearer <RAPPORT_METRICS_TOKEN>'",
        )
    found: dict[str, Any] = dict(await _fresh(request))
    health = await state_of_health(request)
    found["rapport_brain_up"] = float(health["brain"] == "ok")
    return Response(exposition(found), media_type=CONTENT_TYPE_LATEST)


def _may_look(request: Request) -> bool:
    token: str = request.app.state.settings.metrics_token
    if token:
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())
    if any(name in request.headers for name in _PASSED_ON):
        return False
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


async def _fresh(request: Request) -> Readings:
    state = request.app.state
    async with state.readings_lock:
        if time.monotonic() - state.readings_at > FRESH_SECONDS:
            state.readings = await asyncio.to_thread(_read, state.crm)
            state.readings_at = time.monotonic()
    found: Readings = state.readings
    return found


def _read(crm: Crm) -> Readings:
    try:
        return readings(crm)
    except StoreUnavailable:
        return {"rapport_database_up": 0}
