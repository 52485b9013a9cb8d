"""The brain's client reads a Rasa server's answers with distrust and never waits long."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from crmcore.conversations import Reply
from tests.web.gateway.chat import served
from tests.web.gateway.fake_rasa import FakeRasa
from web.gateway.brain import Brain, BrainBroken, BrainDown, BrainError, BrainSlow, EmptyTurn


@pytest.fixture
def rasa() -> FakeRasa:
    return FakeRasa()


@pytest.fixture
def address(rasa: FakeRasa) -> Iterator[str]:
    with served(rasa.app()) as url:
        yield url


def asking[T](url: str, ask: Callable[[Brain], Awaitable[T]], deadline: float = 5.0) -> T:
    async def once() -> T:
        brain = Brain(url, deadline)
        try:
            return await ask(brain)
        finally:
            await brain.close()

    # In a thread of its own: a browser that other tests left open runs a loop in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, once()).result()


def hello(brain: Brain) -> Awaitable[list[Reply]]:
    return brain.answer("cnv_1.0", "hello", {"message_id": 7, "epoch": 0})


def test_words_and_buttons_become_replies(rasa: FakeRasa, address: str) -> None:
    rasa.answer = json.dumps(
        [
            {
                "recipient_id": "cnv_1.0",
                "text": "Is that right?",
                "buttons": [{"title": "Yes", "payload": "/affirm"}],
            },
            {"recipient_id": "cnv_1.0", "image": "https://example.com/x.png"},
            {"recipient_id": "cnv_1.0", "custom": {"any": "thing"}},
            {"recipient_id": "cnv_1.0", "text": "   "},
        ]
    )
    assert asking(address, hello) == [Reply("Is that right?", (("Yes", "/affirm"),))]
    assert rasa.received == [
        {"sender": "cnv_1.0", "message": "hello", "metadata": {"message_id": 7, "epoch": 0}}
    ]


def test_only_a_buttons_payload_is_sent_as_a_command(rasa: FakeRasa, address: str) -> None:
    async def both(brain: Brain) -> None:
        await brain.answer("c.0", "Yes", {}, payload="/affirm")
        await brain.answer("c.0", "/restart", {})

    asking(address, both)
    assert [body["message"] for body in rasa.received] == ["/affirm", "\u2060/restart"]


@pytest.mark.parametrize("answer", ["[]", '[{"recipient_id": "c"}]', '[{"text": ""}]'])
def test_an_answer_without_words_is_a_failure(rasa: FakeRasa, address: str, answer: str) -> None:
    rasa.answer = answer
    with pytest.raises(EmptyTurn):
        asking(address, hello)


@pytest.mark.parametrize(
    "answer",
    [
        "", "<html>", "null", "{}", '["text"]', '[{"text": "x", "buttons": "Yes"}]',
        '[{"text": "x", "buttons": [{"title": "Yes"}]}]', '[{"text": "x", "buttons": ["Yes"]}]',
        '[{"text": "x", "buttons": [{"title": "Yes", "payload": "' + "p" * 401 + '"}]}]',
    ],
)  # fmt: skip
def test_garbage_is_a_failure(rasa: FakeRasa, address: str, answer: str) -> None:
    rasa.answer = answer
    with pytest.raises(BrainBroken):
        asking(address, hello)


@pytest.mark.parametrize("status", [301, 404, 500, 503])
def test_any_status_but_200_is_a_failure(rasa: FakeRasa, address: str, status: int) -> None:
    rasa.status = status
    with pytest.raises(BrainBroken):
        asking(address, hello)
    assert asking(address, lambda brain: brain.ready()) is False


@pytest.mark.parametrize("how", ["hangs", "trickles"])
def test_a_slow_server_is_left_at_the_deadline(rasa: FakeRasa, address: str, how: str) -> None:
    setattr(rasa, how, True)
    started = time.monotonic()
    with pytest.raises(BrainSlow):
        asking(address, hello, deadline=0.3)
    assert time.monotonic() - started < 2


def test_a_stopped_server_is_noticed_at_once() -> None:
    with served(FakeRasa().app()) as url:
        pass
    started = time.monotonic()
    with pytest.raises(BrainDown):
        asking(url, hello)
    assert time.monotonic() - started < 1.5
    assert asking(url, lambda brain: brain.ready()) is False


def test_the_tracker_is_asked_without_its_history(rasa: FakeRasa, address: str) -> None:
    rasa.tracker = {"latest_message": {"metadata": {"message_id": 7}}, "active_loop": {"name": "return_form"}}
    assert asking(address, lambda brain: brain.consumed("cnv_1.0", 7)) is True
    assert asking(address, lambda brain: brain.consumed("cnv_1.0", 8)) is False
    assert asking(address, lambda brain: brain.form_active("cnv_1.0")) is True
    assert set(rasa.paths) == {"/conversations/cnv_1.0/tracker?include_events=NONE"}


@pytest.mark.parametrize("tracker", [{}, {"latest_message": None, "active_loop": {}}, {"latest_message": []}])
def test_a_tracker_that_says_nothing_means_no(
    rasa: FakeRasa, address: str, tracker: dict[str, object]
) -> None:
    rasa.tracker = tracker
    assert asking(address, lambda brain: brain.consumed("cnv_1.0", 7)) is False
    assert asking(address, lambda brain: brain.form_active("cnv_1.0")) is False


def test_a_ready_server_says_so(address: str) -> None:
    assert asking(address, lambda brain: brain.ready()) is True


def test_every_failure_has_a_kind_of_its_own_to_count() -> None:
    kinds = [error.kind for error in BrainError.__subclasses__()]
    assert len(set(kinds)) == len(kinds) == 4
