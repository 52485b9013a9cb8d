"""Foreign clients over the socket protocol of Rasa's channel, on the same message path as our own widget."""

import asyncio
import json
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from socketio.exceptions import ConnectionError as NotConnected

from crmcore.conversations import MAX_TEXT, Reply
from crmcore.crm import Crm
from crmcore.usecases.conversations import claim, give_back, say_as_person
from crmcore.usecases.visits import see
from tests.builders import Clock, a_customer, a_staff_member, client_id
from tests.channels.socket_client import SocketClient, talking
from tests.web.gateway.chat import FakeBrain, Gateway, gateway, signed_by_firm, until
from web.channels import socket as channel
from web.gateway.limits import MAX_BODY, Limits

HELLO = "digital assistant"


def run(story: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own: the browser's tests leave a loop behind in the main one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, story).result()


def conversations(chat: Gateway) -> int:
    with chat.crm.store.read() as tx:
        return sum(tx.conversations.count_by_owner().values())


def conversation_of(chat: Gateway, client: SocketClient) -> str:
    from crmcore.usecases.sockets import kept_socket_session

    kept = kept_socket_session(chat.crm, client.session_id or "")
    assert kept is not None
    return kept.conversation.conversation_id


def say_as_anna(chat: Gateway, conversation_id: str, staff_id: str, text: str) -> None:
    seen = see(chat.crm, conversation_id, 0, 0)
    say_as_person(chat.crm, conversation_id, staff_id, client_id(), text, seen.conversation.last_seq)
    chat.app.state.live.wake(conversation_id)


# --- text and buttons ------------------------------------------------------------------------------------


@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])
def test_a_message_is_answered_and_acknowledged_with_its_number(chat: Gateway, transports: list[str]) -> None:
    async def story() -> None:
        client = SocketClient(chat.url, transports=transports)
        async with talking(client):
            await client.begin()
            assert await client.say("Where is my order?") == {"seq": 2, "duplicate": False}
            await client.hears("You said: Where is my order?")
            assert HELLO in client.words[0]
            assert client.numbers == [1, 3]

    run(story())


def test_a_page_that_is_only_looked_at_makes_no_conversation(chat: Gateway, brain: FakeBrain) -> None:
    async def story() -> None:
        client = SocketClient(chat.url)
        async with talking(client):
            await client.begin()
            assert len(client.session_id or "") > 40
            assert conversations(chat) == 0
            for start in (None, "", "/get_started", "/start"):
                await client.say(start)
            await client.until(lambda: client.words, "the greeting")
            assert conversations(chat) == 1
            await client.say("hello")
            await client.hears("You said: hello")
            assert [asked.text for asked in brain.asked] == ["hello"]

    run(story())


def test_buttons_are_opaque_and_slash_payloads_are_text(chat: Gateway, brain: FakeBrain) -> None:
    brain.says = lambda asked: [Reply(f"Well: {asked.text}", (("Yes", '/affirm{"x": 1}'), ("No", "/deny")))]

    async def story() -> None:
        client, other = SocketClient(chat.url), SocketClient(chat.url)
        async with talking(client, other):
            await client.begin()
            await client.say("a guitar")
            await client.hears("Well: a guitar")
            assert "affirm" not in str(client.uttered)
            await client.press("Yes")
            await client.hears("Well: Yes")
            await client.say('/inform{"tier":"MVC"}')
            await client.hears('Well: /inform{"tier":"MVC"}')
            stolen = client.uttered[1]["quick_replies"][0]["payload"]
            await other.begin()
            await other.say(stolen)
            await other.hears(f"Well: {stolen}")

    run(story())
    assert [asked.payload for asked in brain.asked] == [None, '/affirm{"x": 1}', None, None]


def test_a_message_id_that_is_repeated_is_one_message(chat: Gateway, brain: FakeBrain) -> None:
    async def story() -> None:
        client = SocketClient(chat.url)
        async with talking(client):
            await client.begin()
            first = await client.say("only once", message_id="m-1")
            again = await client.say("only once", message_id="m-1")
            assert (first["seq"], again) == (2, {"seq": 2, "duplicate": True})
            await client.hears("You said: only once")

    run(story())
    assert len(brain.asked) == 1


def test_a_burst_over_two_connections_is_answered_in_its_order(chat: Gateway, brain: FakeBrain) -> None:
    async def story() -> None:
        one = await SocketClient(chat.url).begin()
        await one.say("hello")
        await one.hears("You said: hello")
        other = await SocketClient(chat.url, session_id=one.session_id).begin()
        async with talking(one, other):
            sent = [
                tab.sio.emit("user_uttered", {"message": f"{name} {n}"})
                for n in range(10)
                for tab, name in ((one, "one"), (other, "other"))
            ]
            for sending in sent:
                await sending
            for tab in (one, other):
                await tab.hears(*(f"You said: {name} {n}" for n in range(10) for name in ("one", "other")))
                assert tab.numbers == sorted(set(tab.numbers))
            for name in ("one", "other"):
                said = [words for words in other.words if words.startswith(f"You said: {name} ")]
                assert said == [f"You said: {name} {n}" for n in range(10)]

    run(story())
    assert len(brain.asked) == 21


def test_events_with_names_and_arguments_that_nobody_foresaw_change_nothing(
    chat: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    forged = {"asgi.scope": {"type": "http", "client": ["10.0.0.1", 1], "query_string": "", "headers": []}}

    async def story() -> None:
        client = await SocketClient(chat.url).begin()
        async with talking(client):
            await client.say("hello")
            await client.hears("You said: hello")
            for name, data in (
                ("user_uttered", ({"message": "a"}, "b", "c")),
                ("user_uttered", ()),
                ("session_request", ([1], 2, 3)),
                ("connect", (forged, {"token": 7})),
                ("message", ("x",)),
                ("admin", ({"a": 1},)),
            ):
                await client.sio.eio.send(f"2{json.dumps([name, *data])}")
            await client.say("and now?")
            await client.hears("You said: a", "You said: and now?")
            assert client.confirmed == 2
            assert set(chat.app.state.socket._of_address) == {"127.0.0.1"}
            await client.sio.eio.send('2["disconnect", "ping timeout", 3]')
            await client.sio.eio.send('2["user_uttered", {"message": "nobody is here"}]')

    run(story())
    until(lambda: not chat.app.state.socket._clients, "the line is closed")
    assert not chat.app.state.socket._of_address
    assert "Traceback" not in caplog.text


# --- whose conversation ----------------------------------------------------------------------------------


def test_two_tabs_of_one_visitor_share_a_conversation(chat: Gateway) -> None:
    async def story() -> None:
        one = await SocketClient(chat.url).begin()
        await one.say("hello")
        await one.hears("You said: hello")
        two = await SocketClient(chat.url, session_id=one.session_id).begin()
        async with talking(one, two):
            assert two.session_id == one.session_id
            await two.say("from the second tab")
            await one.hears("You wrote: from the second tab", "You said: from the second tab")
            await two.hears("You said: from the second tab")
            assert two.words == ["You said: from the second tab"]  # The rest is in the page's own memory.

    run(story())


@pytest.mark.parametrize("claimed", ["visitor-1", "cnv_1", "ses_" + "a" * 43, "a" * 5_000, "é", "0"])
def test_a_session_id_that_a_client_chose_opens_nothing(chat: Gateway, claimed: str) -> None:
    async def story() -> None:
        one = await SocketClient(chat.url, session_id=claimed).begin()
        await one.say("my secret")
        await one.hears("You said: my secret")
        two = await SocketClient(chat.url, session_id=claimed).begin()
        async with talking(one, two):
            assert claimed not in (one.session_id, two.session_id)
            assert one.session_id != two.session_id
            await two.say("hello", session_id=one.session_id)  # A claim in a message changes nothing either.
            await two.hears("You said: hello")
            assert "secret" not in str(two.words)
            assert "hello" not in str(one.words[1:])
            assert conversations(chat) == 2

    run(story())


def test_the_firms_token_says_who_it_is_and_works_once(chat: Gateway, crm: Crm) -> None:
    ken = a_customer(crm, "Ken Ito")
    token = signed_by_firm(ken, crm.clock().timestamp())

    async def story() -> None:
        one = await SocketClient(chat.url, token=token).begin()
        thief = await SocketClient(chat.url, token=token).begin()
        async with talking(one, thief):
            await one.say("hello")
            await one.hears("You said: hello")
            seen = see(crm, conversation_of(chat, one), 0, 0).conversation
            assert (seen.customer_id, seen.verified_at is not None) == (ken, True)
            assert "used before" in thief.errors[0]
            await thief.say("hello")
            await thief.hears("You said: hello")
            assert see(crm, conversation_of(chat, thief), 0, 0).conversation.customer_id is None

    run(story())


def test_who_was_signed_in_comes_back_only_with_the_firms_word(chat: Gateway, crm: Crm) -> None:
    ken, mia = a_customer(crm, "Ken Ito"), a_customer(crm, "Mia Holm")
    now = crm.clock().timestamp()

    async def story() -> None:
        one = await SocketClient(chat.url, token=signed_by_firm(ken, now)).begin()
        await one.say("my order")
        await one.hears("You said: my order")
        bare = await SocketClient(chat.url, session_id=one.session_id).begin()
        await bare.say("what did he say?")
        await bare.hears("You said: what did he say?")
        other = await SocketClient(
            chat.url, session_id=one.session_id, token=signed_by_firm(mia, now)
        ).begin()
        await other.say("hello")
        await other.hears("You said: hello")
        async with talking(one, bare, other):
            assert len({one.session_id, bare.session_id, other.session_id}) == 3
            assert "my order" not in str(bare.words + other.words)
            assert "what did" not in str(one.words)

    run(story())


def test_a_page_that_lost_its_line_comes_back_with_the_token_that_it_was_made_with(
    chat: Gateway, crm: Crm, clock: Clock
) -> None:
    ken = a_customer(crm, "Ken Ito")

    async def story() -> None:
        one = SocketClient(chat.url, token=signed_by_firm(ken, crm.clock().timestamp()))
        async with talking(one):
            await one.begin()
            await one.say("hello")
            await one.hears("You said: hello")
            session_id = one.session_id
            await one.drop()
            clock.advance(minutes=20)  # The token has expired meanwhile.
            await one.come_back()
            assert one.session_id == session_id
            await one.say("again")
            await one.hears("You said: again")
            assert one.numbers == sorted(set(one.numbers))

    run(story())


@pytest.mark.parametrize("where", ["token", "customData"])
def test_a_token_may_come_with_the_message(chat: Gateway, crm: Crm, where: str) -> None:
    ken = a_customer(crm, "Ken Ito")
    token = signed_by_firm(ken, crm.clock().timestamp())
    shown = {"token": token} if where == "token" else {"customData": {"token": token, "language": "en"}}

    async def story() -> None:
        one = await SocketClient(chat.url).begin()
        async with talking(one):
            await one.say("/get_started", **shown)
            await one.say("hello", **shown)
            await one.hears("You said: hello")
            assert conversations(chat) == 1
            assert see(crm, conversation_of(chat, one), 0, 0).conversation.customer_id == ken
            # A reload: the widget shows its session id first, and its token only with the message.
            back = await SocketClient(chat.url, session_id=one.session_id).begin()
            async with talking(back):
                assert back.session_id == one.session_id
                await back.say("again", **shown)
                await back.hears("You said: again")
                assert back.session_id == one.session_id

    run(story())


def test_an_anonymous_visitor_who_signs_in_keeps_his_conversation(chat: Gateway, crm: Crm) -> None:
    ken = a_customer(crm, "Ken Ito")

    async def story() -> None:
        one = await SocketClient(chat.url).begin()
        async with talking(one):
            await one.say("hello")
            await one.hears("You said: hello")
            before, anonymous = conversation_of(chat, one), one.session_id
            token = signed_by_firm(ken, crm.clock().timestamp())
            await one.say("it is me", customData={"token": token})
            await one.hears("You said: it is me")
            assert conversation_of(chat, one) == before
            assert one.numbers == sorted(set(one.numbers))
            stale = await SocketClient(chat.url, session_id=anonymous).begin()
            async with talking(stale):
                assert stale.session_id not in (anonymous, one.session_id)

    run(story())


def test_a_socket_token_goes_on_with_the_chat_of_our_own_session(chat: Gateway) -> None:
    visitor = chat.visitor()
    visitor.send("from the widget")
    visitor.hears("bot")
    first, second = (visitor.post("/chat/socket-token").json()["token"] for _ in range(2))

    async def story() -> None:
        one = await SocketClient(chat.url, token=first).begin()
        used = await SocketClient(chat.url, token=first).begin()
        in_url = await SocketClient(chat.url, token=visitor.token).begin()
        by_auth = await SocketClient(chat.url, auth={"token": visitor.token}).begin()
        async with talking(one, used, in_url, by_auth):
            for right in (one, by_auth):
                await right.hears("You wrote: from the widget", "You said: from the widget")
            assert "used before" in used.errors[0]
            assert "must not stand in a URL" in in_url.errors[0]
            assert used.words == in_url.words == []

    run(story())
    assert visitor.post("/chat/sign-out").status_code == 204

    async def afterwards() -> None:
        late = await SocketClient(chat.url, token=second).begin()
        async with talking(late):
            assert late.errors
            assert late.words == []

    run(afterwards())


def test_forged_expired_and_unsigned_tokens_open_nothing(chat: Gateway, crm: Crm) -> None:
    ken = a_customer(crm, "Ken Ito")
    now = crm.clock().timestamp()
    claims = {"sub": ken, "iat": int(now), "exp": int(now) + 300, "jti": "j", "aud": "rapport"}
    tokens = [
        signed_by_firm(ken, now, key="x" * 64),
        signed_by_firm(ken, now - 3600),
        signed_by_firm("nobody", now),
        jwt.encode(claims, None, "none"),
        jwt.encode(claims | {"aud": "rapport-socket"}, "x" * 64, "HS256"),
        jwt.encode(claims | {"aud": "rapport-chat"}, None, "none"),
        "nonsense",
    ]

    async def story() -> None:
        for token in tokens:
            client = await SocketClient(chat.url, token=token).begin()
            async with talking(client):
                await client.until(lambda c=client: c.errors, "the token is refused")
                await client.say("hello")
                await client.hears("You said: hello")
                found = see(crm, conversation_of(chat, client), 0, 0).conversation
                assert found.customer_id is None

    run(story())


def test_signing_out_cuts_every_socket_of_the_conversation(chat: Gateway) -> None:
    visitor = chat.visitor()
    token = visitor.post("/chat/socket-token").json()["token"]

    async def story() -> None:
        one = await SocketClient(chat.url, token=token).begin()
        two = await SocketClient(chat.url, auth={"token": visitor.token}).begin()
        async with talking(one, two):
            await asyncio.to_thread(visitor.post, "/chat/sign-out")
            for tab in (one, two):
                await tab.until(lambda tab=tab: tab.cut, "the socket is cut")
            back = await SocketClient(chat.url, session_id=one.session_id).begin()
            async with talking(back):
                assert back.session_id != one.session_id
                assert back.words == []

    run(story())


# --- a person, and coming back -----------------------------------------------------------------------------


def test_a_persons_words_are_pushed_with_marks_of_coming_and_going(chat: Gateway, crm: Crm) -> None:
    anna = a_staff_member(crm)

    async def story() -> None:
        one = await SocketClient(chat.url).begin()
        async with talking(one):
            await one.say("hello")
            await one.hears("You said: hello")
            here = conversation_of(chat, one)
            await asyncio.to_thread(claim, crm, here, anna.staff_id)
            await asyncio.to_thread(say_as_anna, chat, here, anna.staff_id, "Anna here.")
            await one.hears("Anna here.")
            assert one.uttered[-1]["metadata"] | {"seq": 0} == {
                "seq": 0,
                "sender": "account_manager",
                "name": "Anna Berg",
            }
            await asyncio.to_thread(give_back, crm, here, anna.staff_id)
            await one.until(lambda: "left the chat" in one.words[-1], "the mark")
            assert "Anna Berg joined the chat." in one.words[2]

    run(story())


def test_who_comes_back_gets_what_was_said_meanwhile_once(chat: Gateway, crm: Crm) -> None:
    anna = a_staff_member(crm)

    async def story() -> None:
        one = await SocketClient(chat.url).begin()
        await one.say("hello")
        await one.hears("You said: hello")
        here = conversation_of(chat, one)
        await one.drop()
        until(lambda: len(chat.app.state.socket) == 0, "the line is closed")
        await asyncio.to_thread(claim, crm, here, anna.staff_id)
        await asyncio.to_thread(say_as_anna, chat, here, anna.staff_id, "While you were away.")
        await one.come_back()
        async with talking(one):
            await one.hears("While you were away.")
            await one.say("thanks")
            assert one.numbers == [1, 3, 4, 5]
        again = await SocketClient(chat.url, session_id=one.session_id).begin()
        async with talking(again):
            await asyncio.to_thread(say_as_anna, chat, here, anna.staff_id, "Anything else?")
            await again.hears("Anything else?")
            assert again.words == ["Anything else?"]

    run(story())


def test_after_a_restart_both_tabs_have_everything_once(crm: Crm, clock: Clock, tmp_path: Path) -> None:
    anna = a_staff_member(crm)

    async def before(chat: Gateway, tabs: list[SocketClient]) -> None:
        tabs.append(await SocketClient(chat.url).begin())
        await tabs[0].say("hello")
        await tabs[0].hears("You said: hello")
        tabs.append(await SocketClient(chat.url, session_id=tabs[0].session_id).begin())
        await tabs[1].say("second tab")
        for tab in tabs:
            await tab.hears("You said: second tab")

    async def after(chat: Gateway, tabs: list[SocketClient]) -> None:
        here = conversation_of(chat, tabs[0])
        for tab in tabs:
            tab.url = chat.url
            await tab.come_back()
            await asyncio.to_thread(say_as_anna, chat, here, anna.staff_id, f"To tab {tabs.index(tab)}.")
            await tab.hears(f"To tab {tabs.index(tab)}.")
        async with talking(*tabs):
            for tab in tabs:
                await tab.hears("To tab 0.", "To tab 1.")
                assert tab.numbers == sorted(set(tab.numbers))

    tabs: list[SocketClient] = []

    async def story() -> None:
        with gateway(crm, tmp_path) as first:
            await before(first, tabs)
            claim(crm, conversation_of(first, tabs[0]), anna.staff_id)
        clock.advance(seconds=10)
        with gateway(crm, tmp_path) as second:
            await after(second, tabs)

    run(story())


def test_what_was_handed_to_a_dead_line_is_given_again(
    chat: Gateway, crm: Crm, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = (*channel.LINE_WAS_DEAD, "client disconnect", "transport close")
    monkeypatch.setattr(channel, "LINE_WAS_DEAD", dead)

    async def story() -> None:
        one = await SocketClient(chat.url).begin()
        await one.say("hello")
        await one.hears("You said: hello")
        await one.drop()
        until(lambda: len(chat.app.state.socket) == 0, "the line is closed")
        await one.come_back()
        async with talking(one):
            await one.until(lambda: one.words.count("You said: hello") == 2, "it is given again")
            assert one.numbers == [1, 3, 1, 3]  # The number tells a client that it is the same.

    run(story())


# --- limits ------------------------------------------------------------------------------------------------


def test_a_message_that_is_not_taken_is_answered_in_words(chat: Gateway, brain: FakeBrain) -> None:
    async def story() -> None:
        client = await SocketClient(chat.url).begin()
        async with talking(client):
            refused = await client.say("a" * (MAX_TEXT + 1))
            assert refused["error"]["code"] == "too_large"
            assert refused["error"]["message"] in client.words
            for unreadable in ({"a": 1}, 7, "a\0b", "\u200b", [["x"]]):
                assert "error" in await client.say(unreadable)
            assert "error" in await client.say("hello", message_id={"x": 1})
            client.uttered.clear()
            answers = [await client.say(f"number {n}") for n in range(36)]
            codes = [answer["error"]["code"] for answer in answers if "error" in answer]
            assert set(codes) == {"too_many"}
            assert any("too fast" in words for words in client.words)

    run(story())


def test_a_frame_beyond_every_measure_ends_the_connection(chat: Gateway, brain: FakeBrain) -> None:
    async def story() -> None:
        client = await SocketClient(chat.url, transports=["websocket"]).begin()
        async with talking(client):
            await client.sio.emit("user_uttered", {"message": "a" * (MAX_BODY + 1)})
            await client.until(lambda: client.cut, "the connection is ended")

    run(story())
    assert brain.asked == []
    too_much = httpx.post(f"{chat.url}/socket.io/?EIO=4&transport=polling", content=b"a" * (MAX_BODY + 1))
    assert too_much.status_code == 413


def test_one_address_may_not_hold_every_place(crm: Crm, tmp_path: Path) -> None:
    with gateway(crm, tmp_path, limits=Limits(sockets_of_address=2)) as chat:

        async def story() -> None:
            one, two = SocketClient(chat.url), SocketClient(chat.url)
            async with talking(one, two):
                await one.begin()
                await two.begin()
                with pytest.raises(NotConnected):
                    await SocketClient(chat.url).connect()
                await one.drop()
                until(lambda: len(chat.app.state.socket) == 1, "a place is free")
                three = await SocketClient(chat.url).begin()
                async with talking(three):
                    assert three.session_id

        run(story())


def test_a_connection_that_asks_for_nothing_is_cut(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "SILENT_SECONDS", 0.2)
    monkeypatch.setattr(channel, "LOOK_SECONDS", 0.1)

    async def story(url: str) -> None:
        client = await SocketClient(url, transports=["websocket"]).connect()
        async with talking(client):
            await client.until(lambda: client.cut, "it is cut")

    with gateway(crm, tmp_path) as chat:
        httpx.get(f"{chat.url}/socket.io/?EIO=4&transport=polling").raise_for_status()
        run(story(chat.url))
        until(lambda: not chat.app.state.socket._sio.eio.sockets, "nothing is left open")


@pytest.mark.parametrize(
    ("origin", "opens"),
    [
        (None, True),
        ("http://127.0.0.1:8080", True),  # Listed in firm.yml.
        ("https://evil.example", False),
        ("http://127.0.0.1:9", False),
        ("null", False),
    ],
)
def test_only_pages_of_listed_origins_open_a_socket(chat: Gateway, origin: str | None, opens: bool) -> None:
    headers = {"Origin": origin} if origin else {}
    answer = httpx.get(f"{chat.url}/socket.io/?EIO=4&transport=polling", headers=headers)
    assert answer.status_code == (200 if opens else 400)
    allowed = answer.headers.get("Access-Control-Allow-Origin")
    assert allowed == (origin if opens else None)
    assert "Access-Control-Allow-Credentials" not in answer.headers

    async def story() -> None:
        client = SocketClient(chat.url, transports=["websocket"], headers=headers)
        async with talking(client):
            if opens:
                await client.begin()
            else:
                with pytest.raises(NotConnected):
                    await client.connect()

    run(story())


def test_our_own_page_on_loopback_may_open_a_socket(chat: Gateway) -> None:
    answer = httpx.get(f"{chat.url}/socket.io/?EIO=4&transport=polling", headers={"Origin": chat.url})
    assert answer.status_code == 200
