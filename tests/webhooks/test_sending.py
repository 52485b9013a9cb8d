"""One exchange with a receiver that answers well, badly, slowly, elsewhere or not at all."""

import socket
import time
from typing import Any

import httpcore
import pytest

from crmcore import webhook_http
from crmcore.webhook_http import EXCERPT, Unreachable, to_any_address, to_public_addresses
from tests.webhooks.receiver import Receiver


def test_the_answer_is_kept_as_a_short_masked_line(there: Receiver) -> None:
    there.says, there.body = 500, b"no such\nuser ada@example.org, rap_secret \x07" + b"x" * 100_000
    answer = to_any_address(there.url, {"webhook-id": "1"}, b"{}")
    assert (answer.status, answer.is_good) == (500, False)
    assert answer.excerpt.startswith("no such user [e-mail], [key] x")
    assert len(answer.excerpt) == EXCERPT
    assert there.got[0].headers["content-type"] == "application/json"


def test_a_redirect_is_an_answer_and_is_not_followed(there: Receiver) -> None:
    there.says, there.headers = 302, {"Location": there.url.replace("/hook", "/elsewhere")}
    assert to_any_address(there.url, {}, b"{}").status == 302
    assert [got.path for got in there.got] == ["/hook"]


@pytest.mark.parametrize("manner", ["hang", "trickle"])
def test_the_whole_exchange_has_one_deadline(
    there: Receiver, manner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_http, "DEADLINE_SECONDS", 0.4)
    there.says = manner
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="Timeout"):
        to_any_address(there.url, {}, b"{}")
    assert time.monotonic() - begun < 5


def test_nobody_at_the_address_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match="ConnectError"):
        to_any_address(f"http://127.0.0.1:{port}/", {}, b"{}")


def test_a_name_without_an_address_is_said_so() -> None:
    with pytest.raises(Unreachable, match=r"gaierror|ConnectError"):
        to_any_address("http://nothing.invalid/", {}, b"{}")


def test_a_certificate_that_nobody_vouches_for_is_refused(there: Receiver) -> None:
    with pytest.raises(Unreachable):
        to_any_address(there.url.replace("http:", "https:"), {}, b"{}")
    assert there.got == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_gets_nothing_unless_the_setting_allows_it(there: Receiver, host: str) -> None:
    with pytest.raises(Unreachable, match="this machine or network"):
        to_public_addresses(there.url.replace("127.0.0.1", host), {}, b"{}")
    assert there.got == []


def test_a_name_that_means_a_public_and_a_private_address_is_refused(
    there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(there.url.split(":")[2].split("/")[0])
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("93.184.215.14", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)
    with pytest.raises(Unreachable, match="this machine or network"):
        to_public_addresses(f"http://rebind.example:{port}/hook", {}, b"{}")


def test_a_name_that_changes_its_meaning_is_connected_to_as_it_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: the first look-up is public, every later one is this machine."""
    looked_up: list[str] = []
    connected: list[str] = []

    def resolve(host: str, port: int, *_args: Any, **_options: Any) -> list[Any]:
        looked_up.append(host)
        address = "93.184.215.14" if len(looked_up) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(address: tuple[str, int], *_args: Any, **_options: Any) -> None:
        connected.append(address[0])
        raise OSError("as far as this test goes")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable):
        to_public_addresses("https://rebind.example/hook", {}, b"{}")
    assert looked_up == ["rebind.example"]
    assert connected == ["93.184.215.14"]
    assert issubclass(webhook_http._Checked, httpcore.NetworkBackend)
