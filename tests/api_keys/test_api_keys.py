"""Keys of other programs: shown once, kept as digests, good for their scopes until they are revoked."""

import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from sqlalchemy import select
from typer.testing import CliRunner

from cli import __main__ as rapport
from crmcore.api_keys import InvalidKey, KeyRefused
from crmcore.crm import Crm
from crmcore.logs import mask
from crmcore.store import schema
from crmcore.store.database import raw_connection
from crmcore.usecases.api_keys import authenticate, create_key, list_keys, revoke_key
from tests.builders import Clock
from web.api.keys import key_of
from web.errors import install_error_answers
from web.gateway.limits import Buckets, Limits


def test_a_key_is_known_again_with_its_scopes(crm_on_both: Crm) -> None:
    made = create_key(crm_on_both, "the shop", ["orders:write", "customers:read", "orders:write"])
    key = authenticate(crm_on_both, made.text)
    assert (key.name, key.scopes) == ("the shop", ("orders:write", "customers:read"))
    assert key.may("orders:write")
    assert not key.may("value:read")


def test_the_database_holds_no_key(crm: Crm) -> None:
    made = create_key(crm, "the shop", ["chat"])
    secret = made.text.split("_", 2)[2]
    with raw_connection(crm.store) as connection:
        kept = str(connection.execute(select(schema.api_keys)).all())
    assert secret not in kept
    assert made.text not in kept


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: "",
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: text + "A",
        lambda text: text.upper(),
        lambda text: text.replace("rap_", "rap-"),
        lambda text: f"rap_{'0' * 20}_{'s' * 43}",
        lambda text: text + "\x00",
        lambda text: "rap_" + "٣" * 20 + text[24:],
    ],
)
def test_what_is_not_exactly_the_key_is_refused(crm: Crm, forge: object) -> None:
    made = create_key(crm, "the shop", ["chat"])
    assert callable(forge)
    with pytest.raises(KeyRefused):
        authenticate(crm, forge(made.text))


def test_a_revoked_key_is_refused_at_once_and_stays_on_the_list(crm: Crm, clock: Clock) -> None:
    made = create_key(crm, "the shop", ["chat"])
    clock.advance(days=1)
    revoke_key(crm, "the shop")
    with pytest.raises(KeyRefused):
        authenticate(crm, made.text)
    assert [key.revoked_at for key in list_keys(crm)] == [clock.now]


def test_a_revoked_key_frees_its_name_and_cannot_be_revoked_again(crm: Crm) -> None:
    first = create_key(crm, "the shop", ["chat"])
    with pytest.raises(InvalidKey, match="in use"):
        create_key(crm, "the shop", ["chat"])
    revoke_key(crm, first.key.key_id)
    with pytest.raises(InvalidKey, match="no key in use"):
        revoke_key(crm, first.key.key_id)
    assert create_key(crm, "the shop", ["chat"]).key.key_id != first.key.key_id


@pytest.mark.parametrize(
    ("name", "scopes", "says"),
    [
        ("shop", ["everything"], "'everything' is not a scope"),
        ("shop", [], "opens nothing"),
        ("  ", ["chat"], "which program holds it"),
        ("a\x07b", ["chat"], "printable"),
    ],
)
def test_a_wrong_key_is_refused_with_the_rule_that_it_breaks(
    crm: Crm, name: str, scopes: list[str], says: str
) -> None:
    with pytest.raises(InvalidKey, match=says):
        create_key(crm, name, scopes)


def test_the_last_use_is_noted_once_a_minute(crm: Crm, clock: Clock) -> None:
    made = create_key(crm, "the shop", ["chat"])
    first = clock.now
    authenticate(crm, made.text)
    clock.advance(seconds=59)
    authenticate(crm, made.text)
    assert list_keys(crm)[0].last_used_at == first
    clock.advance(seconds=1)
    authenticate(crm, made.text)
    assert list_keys(crm)[0].last_used_at == clock.now


def test_a_log_line_masks_every_key(crm: Crm) -> None:
    made = create_key(crm, "the shop", ["chat"])
    for line in (
        made.text,
        f"Authorization: Bearer {made.text}",
        f"GET /x?key={made.text}&y=1",
        f"'{made.text}'",
    ):
        assert made.text.split("_", 2)[2] not in mask(line)


# --- at the door ---------------------------------------------------------------------------------------


@pytest.fixture
def door(crm: Crm) -> Iterator[TestClient]:
    """One route that wants the scope ``needs:read``."""
    app = FastAPI()
    app.state.crm = crm
    app.state.limits = Limits(keys=Buckets(3, 0.5), refused_keys=Buckets(2, 0.5))

    @app.get("/needs")
    def needs(request: Request) -> str:
        return key_of(request, "needs:read").name

    install_error_answers(app)
    with TestClient(app) as client:
        yield client


def _with(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_the_door_opens_for_the_scope_only(crm: Crm, door: TestClient) -> None:
    reads = create_key(crm, "the CRM", ["needs:read"]).text
    chats = create_key(crm, "the app", ["chat"]).text
    assert door.get("/needs", headers=_with(reads)).json() == "the CRM"
    refused = door.get("/needs", headers=_with(chats))
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "scope_missing"
    assert "needs:read" in refused.json()["error"]["message"]
    unknown = door.get("/needs")
    assert (unknown.status_code, unknown.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_key_is_read_from_the_header_alone(crm: Crm, door: TestClient) -> None:
    reads = create_key(crm, "the CRM", ["needs:read"]).text
    door.cookies.set("key", reads)
    assert door.get("/needs", params={"key": reads, "access_token": reads}).status_code == 401
    assert door.get("/needs", headers={"Authorization": f"Basic {reads}"}).status_code == 401


def test_each_key_has_a_rate_of_its_own(crm: Crm, door: TestClient) -> None:
    busy = create_key(crm, "busy", ["needs:read"]).text
    other = create_key(crm, "other", ["needs:read"]).text
    statuses = [door.get("/needs", headers=_with(busy)).status_code for _ in range(3)]
    refused = door.get("/needs", headers=_with(busy))
    assert (statuses, refused.status_code) == ([200] * 3, 429)
    assert int(refused.headers["Retry-After"]) >= 1
    assert door.get("/needs", headers=_with(other)).status_code == 200


def test_an_address_that_shows_wrong_keys_has_to_wait_and_good_keys_behind_it_do_not(
    crm: Crm, door: TestClient
) -> None:
    good = create_key(crm, "good", ["needs:read"]).text
    wrong = f"rap_{'0' * 20}_{'s' * 43}"
    assert [door.get("/needs", headers=_with(wrong)).status_code for _ in range(3)] == [401, 401, 429]
    assert door.get("/needs", headers=_with(good)).status_code == 200


# --- on the command line -----------------------------------------------------------------------------------


def test_the_command_prints_the_key_alone_on_its_output_and_never_again(
    crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rapport, "_open", lambda: crm)
    typed = CliRunner()
    made = typed.invoke(
        rapport.app, ["keys", "add", "the shop", "--scope", "orders:write", "--scope", "chat"]
    )
    key = made.stdout.strip()
    assert authenticate(crm, key).scopes == ("orders:write", "chat")
    shown = typed.invoke(rapport.app, ["keys", "list", "--json"]).stdout
    assert key not in shown
    assert json.loads(shown)[0] | {"created_at": ""} == {
        "key_id": key.split("_")[1],
        "name": "the shop",
        "scopes": ["orders:write", "chat"],
        "created_at": "",
        "revoked_at": None,
        "last_used_at": crm.clock().isoformat(),
    }
    assert "in use" in typed.invoke(rapport.app, ["keys", "list"]).stdout
    assert typed.invoke(rapport.app, ["keys", "revoke", "the shop"]).exit_code == 0
    with pytest.raises(KeyRefused):
        authenticate(crm, key)
