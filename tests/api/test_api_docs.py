"""The page about the API is true: its examples run, its tables are the code's."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from crmcore.api_keys import SCOPES
from crmcore.crm import Crm
from crmcore.idempotency import KEPT_FOR
from crmcore.intake import MOST_ORDERS
from crmcore.usecases.api_keys import create_key
from tests.builders import ROOT
from tests.web.gateway.chat import gateway
from web.api.app import PARTS
from web.api.pages import MOST, USUAL
from web.gateway.limits import BODY_SECONDS, MAX_API_BODY, Limits

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SHOP: tuple[Any, ...] = ("orders:write", "orders:read", "customers:write", "customers:read")


def test_every_example_does_what_the_page_says(crm: Crm, tmp_path: Path) -> None:
    examples = re.findall(r"```sh\n(.*?)```\n(?:```json\n(.*?)```)?", PAGE, re.DOTALL)
    assert len(examples) >= 7
    key = create_key(crm, "shop", SHOP).text
    with gateway(crm, tmp_path) as running:
        environment = {"PATH": os.environ["PATH"], "RAPPORT": running.url, "KEY": key}
        for commands, answer in examples:
            ran = subprocess.run(
                ["bash", "-euc", commands], env=environment, capture_output=True, text=True, timeout=60
            )
            assert ran.returncode == 0, ran.stderr
            if answer:
                assert json.loads(ran.stdout) == json.loads(answer)
            else:
                assert '"error"' not in ran.stdout, (commands, ran.stdout)


def test_the_scopes_of_the_page_are_those_of_the_code() -> None:
    table = PAGE.split("| scope | opens |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([a-z]+(?::[a-z]+)?)`", table.replace("|---|---|", ""))) == set(SCOPES)


def test_every_list_and_its_filters_are_on_the_page() -> None:
    rows = dict(re.findall(r"^\| `(/[^`]+)` \|(.*)\|$", PAGE, re.MULTILINE))
    lists = {}
    for part in PARTS:
        for route in part.router.routes:
            names = [parameter.name for parameter in route.dependant.query_params]  # type: ignore[attr-defined]
            if "limit" in names:
                lists[route.path] = {n for n in names if n not in ("limit", "cursor")}  # type: ignore[attr-defined]
    assert {path: set(re.findall(r"`(\w+)`", said)) - {"seq"} for path, said in rows.items()} == lists


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    for promise in (
        f"Up to {MOST_ORDERS} orders",
        f"kept for {KEPT_FOR.days} days",
        f"`limit` is 1 to {MOST}, {USUAL} unless",
        f"{Limits().keys.burst} requests of a key at once, then {Limits().keys.per_second:.0f} a second",
        f"wrong keys of an address {Limits().refused_keys.burst}, then one in 2 s",
        f"longer than {BODY_SECONDS:.0f} s to arrive; it has more than {MAX_API_BODY // 1024} kB",
    ):
        assert promise in PAGE, promise
