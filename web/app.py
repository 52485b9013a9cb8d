"""Puts the public web app together: every router, every protection, one place."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles

from crmcore import metrics
from crmcore.crm import Crm
from crmcore.logs import all_handlers, mask_logs
from crmcore.settings import Settings
from web.api.app import create_api
from web.channels.rest import Waiting
from web.channels.rest import router as rest_channel
from web.channels.routes import router as socket_tokens
from web.channels.socket import RasaSocket
from web.demo.routes import router as demonstration
from web.errors import install_error_answers
from web.gateway.health import router as health
from web.gateway.limits import BodyLimit, Limits
from web.gateway.routes import router as gateway
from web.gateway.shared_limits import SharedTokens, shared
from web.gateway.streams import Streams
from web.gateway.tokens import Tokens
from web.gateway.turns import AnsweringBrain, TurnRunner
from web.live import Live
from web.logs import AccessLog
from web.metrics import router as metrics_of_this_process
from web.security import SecurityHeaders
from web.staff.mount import mount_staff
from web.widget.routes import router as widget
from web.wording import load_wording

STATIC = Path(__file__).parent / "static"


def create_app(
    crm: Crm,
    brain: AnsweringBrain,
    live: Live,
    settings: Settings,
    *,
    demo: bool = False,
    limits: Limits | None = None,
) -> FastAPI:
    """The app that listens on the public port; ``app.state`` carries what the routes use."""
    wording = load_wording()
    turns = TurnRunner(crm, brain, live, wording)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        mask_logs(all_handlers())  # Here, because by now whoever starts the app has set its logs up.
        async with live.running(), turns.running(), app.state.socket.running():
            yield

    app = FastAPI(
        title="Rapport",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # The redirect would repeat whatever host the request names.
        lifespan=lifespan,
    )
    app.state.crm = crm
    app.state.brain = brain
    app.state.live = live
    app.state.settings = settings
    app.state.turns = turns
    app.state.wording = wording
    limits = limits or Limits.times(settings.request_limit_factor)
    if settings.redis_url:
        limits = shared(limits, SharedTokens(settings.redis_url, settings.secret))
    app.state.limits = limits
    app.state.streams = Streams(limits.streams_of_conversation, limits.streams_of_address, limits.streams)
    app.state.waiting = Waiting()
    metrics.streams.set_function(lambda: len(app.state.streams))
    app.state.readings_lock, app.state.readings_at = asyncio.Lock(), -1e9
    app.state.health_lock, app.state.health_at, app.state.health = asyncio.Lock(), -1e9, {}
    app.state.database_failures = 0  # Since the start; the table of incidents is out of reach then.
    app.state.tokens = Tokens(settings.secret, settings.widget_secret)
    app.add_api_route("/", lambda: RedirectResponse("/demo" if demo else "/sign-in"))
    app.include_router(gateway)  # /chat
    app.include_router(socket_tokens)  # /chat/socket-token
    app.include_router(rest_channel)  # /webhooks/rest/webhook
    app.include_router(health)  # /health
    app.include_router(metrics_of_this_process)  # /metrics
    app.include_router(widget())  # /widget.js, /widget
    app.state.socket = RasaSocket(app.state)
    app.mount("/socket.io", app.state.socket.app)
    if demo:
        app.include_router(demonstration())  # /demo
    mount_staff(app)  # /sign-in, /workspace, /console, /operator, and their files below /static
    app.mount("/api/v1", create_api(app.state, crm.firm))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    install_error_answers(app)
    # The last one added is the outermost: it sees the request first and the answer last.
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders, embedding_origins=crm.firm.origins)
    app.add_middleware(AccessLog)
    return app
