"""``/health``: what the operator's monitor asks. It names no customer and shows no text."""

import asyncio
import time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from crmcore.errors import StoreUnavailable
from crmcore.usecases.visits import incidents_of_the_last_hour

FRESH_SECONDS = 2.0  # The address is public: asking it often must not ask the brain often.

router = APIRouter()


@router.get("/health/live")
def live() -> dict[str, str]:
    """The process answers. It asks nobody else, so a database that is down does not get it restarted."""
    return {"app": "ok"}


@router.get("/health")
async def health(request: Request) -> JSONResponse:
    """200 while customers can write (also when the assistant is down), 503 when the database is gone."""
    found = await state_of_health(request)
    return JSONResponse(found, 503 if found["database"] == "down" else 200)


async def state_of_health(request: Request) -> dict[str, Any]:
    """How every part is, seen at most ``FRESH_SECONDS`` ago."""
    state = request.app.state
    async with state.health_lock:
        if time.monotonic() - state.health_at > FRESH_SECONDS:
            state.health = await _look(request)
            state.health_at = time.monotonic()
    found: dict[str, Any] = state.health
    return found


async def _look(request: Request) -> dict[str, Any]:
    state = request.app.state
    brains = (await state.brain.servers()).values()
    found: dict[str, Any] = {
        "app": "ok",
        "database": "ok",
        "brain": "ok" if any(brains) else "down",
        "brains": {"up": sum(brains), "of": len(brains)},
        "streams": len(state.streams),
        "database_failures": state.database_failures,
    }
    if state.live.wire is not None:
        found["redis"] = "ok" if state.live.wire.connected else "down"
    try:
        found["incidents_last_hour"] = await asyncio.to_thread(incidents_of_the_last_hour, state.crm)
    except StoreUnavailable:
        found["database"] = "down"
    return found
