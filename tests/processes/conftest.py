"""Two gateways on one database, as two processes would be, and a Redis of their own."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from crmcore.crm import Crm
from tests.redis_server import RedisServer, redis_server  # noqa: F401 - a fixture
from tests.web.gateway.chat import FakeBrain, Gateway, served, some_settings
from web.app import create_app
from web.gateway.limits import Limits
from web.live import Live
from web.wire import RedisWire


@contextlib.contextmanager
def two_gateways(
    crm: Crm, home: Path, redis: RedisServer | None = None, limits: Limits | None = None
) -> Iterator[tuple[Gateway, Gateway]]:
    """They share the database and, if there is one, Redis; nothing else."""
    url = redis.url if redis else ""
    with contextlib.ExitStack() as stack:
        gateways = []
        for _ in range(2):
            brain = FakeBrain()
            live = Live(crm, RedisWire(url, "test") if redis else None)
            own = replace(limits) if limits else None
            app = create_app(crm, brain, live, some_settings(home, redis_url=url), limits=own)
            gateways.append(Gateway(stack.enter_context(served(app)), crm, brain, app))
        yield gateways[0], gateways[1]
