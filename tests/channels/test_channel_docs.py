"""What docs/channels.md shows can be typed as it stands, and what it promises is true."""

import json
import os
import re
import shutil
import subprocess

import pytest

from crmcore.sockets import LIFETIME
from tests.builders import ROOT
from tests.channels.program import Program
from web.channels import socket
from web.gateway.limits import MAX_BODY, Limits
from web.gateway.tokens import SOCKET_LIFETIME

PAGE = (ROOT / "docs" / "channels.md").read_text("utf-8")


@pytest.mark.skipif(shutil.which("curl") is None and not os.environ.get("CI"), reason="curl is missing")
def test_the_curl_example_is_answered_as_shown(program: Program) -> None:
    (command,) = re.findall(r"```sh\n(curl.*?)```", PAGE, re.DOTALL)
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    key = program.http.headers["Authorization"].removeprefix("Bearer ")
    run = subprocess.run(
        ["sh", "-c", command.replace("http://127.0.0.1:8080", program.gateway.url)],
        env={**os.environ, "RAPPORT_KEY": key}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer, example = json.loads(run.stdout), json.loads(shown)
    assert [part["recipient_id"] for part in answer] == [part["recipient_id"] for part in example]
    assert answer[0]["text"].startswith(example[0]["text"].removesuffix(" …"))
    assert "You said: Where is my order?" in answer[1]["text"]


def test_the_numbers_on_the_page_are_those_in_force() -> None:
    limits = Limits()
    assert f"above {MAX_BODY // 1024} KB" in PAGE
    assert f"{limits.messages.burst} messages at once and one a second" in PAGE
    assert f"a key beyond {limits.keys.burst} at once and {limits.keys.per_second:.0f} a second" in PAGE
    assert (
        f"{limits.sockets_of_address} open sockets an address and {limits.sockets_open:,} a process" in PAGE
    )
    assert f"within {socket.SILENT_SECONDS:.0f} seconds" in PAGE
    assert socket.IDLE_SECONDS == 4 * 3600
    assert LIFETIME.total_seconds() == 24 * 3600
    assert SOCKET_LIFETIME.total_seconds() == 120
