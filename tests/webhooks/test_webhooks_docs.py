"""The page about webhooks is true."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from crmcore.crm import Crm
from crmcore.events import FACTS, KINDS, TEST, WORDS
from crmcore.usecases.webhooks import add_endpoint, send_test
from crmcore.webhook_http import DEADLINE_SECONDS, EXCERPT
from crmcore.webhooks import ATTEMPTS, BOTH_SECRETS_FOR, DISABLED_AFTER, KEPT_FOR, OVERLOADED, PAUSES
from tests.builders import ROOT
from tests.webhooks.receiver import Receiver

PAGE = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")


def test_every_kind_is_on_the_page_with_its_facts_and_no_other() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|.*?\| ([^|]*) \|$", PAGE, re.MULTILINE))
    documented = {kind: tuple(re.findall(r"`(\w+)`", said)) for kind, said in rows.items()}
    assert documented == {kind: FACTS[kind] + (WORDS if kind == "message.created" else ()) for kind in KINDS}
    assert f"`{TEST}`" in PAGE


def test_the_receivers_code_on_the_page_takes_what_is_ours_and_nothing_else(
    sending: Crm, there: Receiver
) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    page: dict[str, Any] = {}
    exec(code, page)
    verified: Callable[..., bool] = page["verified"]
    now = replace(sending, clock=lambda: datetime.now(UTC))
    endpoint, secret = add_endpoint(now, there.url, ["all"])
    send_test(now, endpoint.endpoint_id)
    [got] = there.got
    assert verified(secret, got.headers, got.body)
    assert not verified(secret, got.headers, got.body + b" ")
    assert not verified(secret[:-8] + "AAAAAAA=", got.headers, got.body)
    old = {**got.headers, "webhook-timestamp": str(int(time.time()) - 3600)}
    assert not verified(secret, old, got.body)


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    hours = round(sum(pause.total_seconds() for pause in PAUSES) / 3600)
    names = {7: "seven", 8: "eight", 9: "nine"}
    for promise in (
        f"{names[ATTEMPTS].capitalize()} attempts in about {hours} hours",
        "after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h",
        f"after {DISABLED_AFTER.days} days without one success",
        f"For {BOTH_SECRETS_FOR.total_seconds() / 3600:.0f} hours each event",
        f"forgotten after {KEPT_FOR.days} days",
        f"within {DEADLINE_SECONDS:.0f} seconds",
        f"{EXCERPT} masked characters",
        *map(str, OVERLOADED),
    ):
        assert promise in PAGE, promise
