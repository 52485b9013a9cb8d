"""Answers customers' messages: one task a conversation, one turn at a time, under a lease in the database."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol

from crmcore.conversations import LeasedTurn, Message, Reply, StaleTurn
from crmcore.crm import Crm
from crmcore.errors import CrmError, StoreUnavailable
from crmcore.logs import request_id
from crmcore.metrics import turn_seconds, turns
from crmcore.usecases.escalation import request_from_turn
from crmcore.usecases.operating import note_incident
from crmcore.usecases.turns import (
    abandon_turn,
    fail_turn,
    finish_turn,
    next_turn,
    session_is_full,
    unfinished,
)
from crmcore.usecases.visits import ask_again, had_another_owner, pass_over
from web.gateway.brain import BrainDown, BrainError
from web.gateway.choices import PERSON, again_of, apology, handing_over, warning
from web.gateway.holder import Holder
from web.gateway.trackers import INCIDENT, TrackerWatch
from web.live import Live
from web.wording import Wording

RECOVERY_SECONDS = 3.0
BRAIN_STARTS_LOOKS = 120  # Twice a second: longer than a start of Rasa on a busy machine.
LAST_WORDS_SECONDS = 3.0  # Turns under way may end in good order when the process stops.
STORE_SECONDS = 30.0  # So long an answer is held while the database is away; the turn's lease is longer.
STORE_AGAIN_SECONDS = 0.5
AT_ONCE = 16  # Turns of this process under way; Rasa answers one after the other anyway.
MOST_ATTEMPTS = 2  # A message that ended the process twice is not tried a third time.

log = logging.getLogger(__name__)


class AnsweringBrain(Protocol):
    """What the gateway needs of a dialogue engine; :class:`web.gateway.pool.BrainPool` asks Rasa."""

    async def answer(
        self, sender: str, text: str, metadata: Mapping[str, Any], payload: str | None = None
    ) -> Sequence[Reply]: ...

    async def form_active(self, sender: str) -> bool: ...

    async def consumed(self, sender: str, message_id: int) -> bool: ...

    async def ready(self) -> bool: ...

    async def servers(self) -> Mapping[str, bool]: ...


class TurnRunner:
    """Wake it when a message came; it also finds by itself what a crash or another process left."""

    def __init__(self, crm: Crm, brain: AnsweringBrain, live: Live, wording: Wording) -> None:
        self._crm = crm
        self._brain = brain
        self._live = live
        self._wording = wording
        self._holder = Holder(crm, self.is_answering)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._working: dict[str, asyncio.Task[None]] = {}
        self._woken_again: set[str] = set()
        self._apologies: dict[str, int] = {}  # Of conversations worked on: the newest "not running".
        self._room = asyncio.Semaphore(AT_ONCE)
        self._trackers = TrackerWatch(brain)

    def is_answering(self, conversation_id: str) -> bool:
        """Whether this process is in the middle of a turn of the conversation."""
        return conversation_id in self._working

    def wake(self, conversation_id: str) -> None:
        """There may be something to answer; call it from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._start, conversation_id)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer until the block ends; a turn that is not ended by then is left to the next process."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._holder.start)
        recovery = asyncio.create_task(self._recover())
        try:
            yield
        finally:
            self._stopping = True
            recovery.cancel()
            tasks = list(self._working.values())
            if tasks:
                await asyncio.wait(tasks, timeout=LAST_WORDS_SECONDS)
            for task in tasks:
                task.cancel()
            await asyncio.gather(recovery, *tasks, return_exceptions=True)
            await asyncio.to_thread(self._holder.stop)
            self._loop = None

    def _start(self, conversation_id: str) -> None:
        if self._stopping:
            return
        if conversation_id in self._working:
            self._woken_again.add(conversation_id)
        else:
            self._working[conversation_id] = asyncio.create_task(self._work(conversation_id))

    async def _recover(self) -> None:
        # The brain starts more slowly than we do; what an earlier process left waits for it a while,
        # because an apology is no answer. New messages do not wait here.
        for _ in range(BRAIN_STARTS_LOOKS):
            if await self._brain.ready():
                break
            await asyncio.sleep(0.5)
        while True:
            try:
                for conversation_id in await asyncio.to_thread(unfinished, self._crm):
                    self._start(conversation_id)
            except CrmError as error:
                log.error("unfinished turns cannot be looked up: %s", error)
            await asyncio.sleep(RECOVERY_SECONDS)

    async def _work(self, conversation_id: str) -> None:
        """Answer everything that waits in one conversation, then end."""
        try:
            while True:
                self._woken_again.discard(conversation_id)
                while not self._stopping and await self._next(conversation_id):
                    pass
                if self._stopping or conversation_id not in self._woken_again:
                    return
        except StoreUnavailable as error:
            log.warning("a turn of %s broke off; it will be tried again: %s", conversation_id, error)
        except Exception:
            log.exception("a turn of %s broke off; it will be tried again", conversation_id)
        finally:
            self._apologies.pop(conversation_id, None)
            del self._working[conversation_id]

    async def _next(self, conversation_id: str) -> bool:
        """Run one turn; False when there is none."""
        async with self._room:
            turn = await asyncio.to_thread(next_turn, self._crm, conversation_id, self._holder.me.process_id)
            if turn is None:
                return False
            self._live.typing(conversation_id, "bot", self._crm.firm.voice.assistant)
            started, outcome = time.perf_counter(), "broke_off"
            try:
                outcome = await self._run(turn)
            except StaleTurn as stale:
                outcome = "dropped"
                log.info("a reply was dropped: %s", stale)
            except BaseException:
                with contextlib.suppress(StoreUnavailable):
                    await asyncio.to_thread(abandon_turn, self._crm, turn)
                raise
            finally:
                _note(turn, outcome, time.perf_counter() - started)
            self._live.wake(conversation_id)
            return True

    async def _run(self, turn: LeasedTurn) -> str:
        """Answer, fail or pass on, and say which; ``StaleTurn`` when the conversation has another owner."""
        again = again_of(turn.payload)
        if again is not None:
            # Pressed so soon that this task still knows the apology: that one is not for what comes now.
            self._apologies.pop(turn.conversation_id, None)
            await asyncio.to_thread(ask_again, self._crm, turn, again)
            return "asked_again"
        if turn.payload == PERSON:
            await self._pass_on(turn)
            return "passed_on"
        if turn.message_id < self._apologies.get(turn.conversation_id, 0):
            await asyncio.to_thread(pass_over, self._crm, turn)
            return "passed_over"
        if await self._was_interrupted(turn):
            await self._fail(turn, "interrupted")
            return "interrupted"
        return await self._ask(turn)

    async def _ask(self, turn: LeasedTurn) -> str:
        metadata: dict[str, Any] = {"message_id": turn.message_id, "epoch": turn.epoch}
        if (request := request_id()) is not None:  # None: nobody waits for what was left over.
            metadata["request_id"] = request
        if turn.brain_notice is not None:
            metadata["notice"] = turn.brain_notice
        try:
            replies = await self._brain.answer(turn.brain_sender, turn.text, metadata, turn.payload)
        except BrainError as error:
            log.warning("message %s got no answer: %s", turn.message_id, error)
            await self._fail(turn, error.kind)
            return error.kind
        replies = [*warning(self._wording, turn.language, turn.withheld), *replies]
        fresh = session_is_full(turn) and not await self._in_form(turn)
        forgets, _ = await asyncio.gather(
            self._trackers.forgets(turn), self._store(finish_turn, turn, replies, fresh)
        )
        if forgets:
            with contextlib.suppress(StoreUnavailable):  # It is counted and in the log already.
                await asyncio.to_thread(note_incident, self._crm, INCIDENT, "not found after its answer")
        return "answered"

    async def _fail(self, turn: LeasedTurn, kind: str) -> None:
        sorry = apology(self._wording, turn.language, kind, turn.message_id)
        said = await self._store(fail_turn, turn, kind, sorry)
        if kind == BrainDown.kind:
            # Nobody listens, so the same is true of all that waits already: it is said once for all.
            self._apologies[turn.conversation_id] = said[0].id

    async def _pass_on(self, turn: LeasedTurn) -> None:
        """The button "talk to a person": it needs no brain.

        When a person had the conversation and gave it back without a word, the old request waits
        again; the person has dealt with it, so it must not send the customer round in a circle.
        """
        if await asyncio.to_thread(had_another_owner, self._crm, turn):
            words = Reply(self._wording.say(turn.language, "given_back"))
        else:
            handover = await asyncio.to_thread(request_from_turn, self._crm, turn, "request")
            words = handing_over(self._wording, turn.language, self._crm.firm, handover)
        await self._store(finish_turn, turn, [words])

    async def _store(self, end: Callable[..., list[Message]], turn: LeasedTurn, *words: Any) -> list[Message]:
        """End the turn; while the database is away the words are kept and it is tried again.

        When a broken connection hides that the first attempt went through, the next one raises
        ``StaleTurn``, because the message is settled: nothing is said twice.
        """
        until = time.monotonic() + STORE_SECONDS
        while True:
            try:
                return await asyncio.to_thread(end, self._crm, turn, *words)
            except StoreUnavailable as error:
                if time.monotonic() > until:
                    raise
                log.warning("what was said to message %s waits for the database: %s", turn.message_id, error)
            await asyncio.sleep(STORE_AGAIN_SECONDS)

    async def _was_interrupted(self, turn: LeasedTurn) -> bool:
        """Whether an earlier run of this turn got through to the brain, so that its words are lost.

        What it did is done; asking again could do more than the customer wanted. A brain that cannot
        say so counts as one that has not seen the message.
        """
        if turn.attempt == 1:
            return False
        if turn.attempt > MOST_ATTEMPTS:
            return True
        try:
            return await self._brain.consumed(_earlier_sender(turn.brain_sender), turn.message_id)
        except BrainError as error:
            log.warning("the brain cannot say whether it has seen message %s: %s", turn.message_id, error)
            return False

    async def _in_form(self, turn: LeasedTurn) -> bool:
        try:
            return await self._brain.form_active(turn.brain_sender)
        except BrainError as error:
            log.warning("the brain cannot say whether a form is open: %s", error)
            return True


def _note(turn: LeasedTurn, outcome: str, seconds: float) -> None:
    turns.labels(outcome).inc()
    turn_seconds.observe(seconds)
    log.info(
        "message %s: %s after %.0f ms", turn.message_id, outcome, seconds * 1000,
        extra={
            "event": "turn", "outcome": outcome, "conversation_id": turn.conversation_id,
            "duration_ms": round(seconds * 1000, 1),
        },
    )  # fmt: skip


def _earlier_sender(sender: str) -> str:
    """The sender of the brain session before: taking over a broken turn began a new one."""
    conversation_id, session = sender.rsplit(".", 1)
    return f"{conversation_id}.{int(session) - 1}"
