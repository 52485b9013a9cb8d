"""One conversation, two account managers, a slow bot and a crashing process, in any order.

Each step calls a real use case on a real store. What a step may do is judged here, from the rows as
they were before it, and not by the code under test.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from crmcore.conversations import (
    AlreadyClaimed,
    Conversation,
    LeasedTurn,
    Message,
    NotTheOwner,
    Reply,
    StaleReply,
    StaleTurn,
)
from crmcore.crm import Crm
from crmcore.jobs import Job
from crmcore.usecases import conversations as talk
from crmcore.usecases.escalation import request_from_turn, request_person
from crmcore.usecases.timers import queue_closes, return_timer
from tests.builders import NIGHT, OPEN_HOURS, Clock, a_conversation, a_staff_member, client_id


@dataclass
class World:
    """What the people outside remember: acknowledged messages, and turns that processes still hold."""

    crm: Crm
    clock: Clock
    conversation_id: str
    staff: tuple[str, ...]
    row: Conversation
    log: list[Message] = field(default_factory=list)
    acknowledged: dict[str, Message] = field(default_factory=dict)
    said_by_people: dict[str, Message] = field(default_factory=dict)
    turns: tuple[LeasedTurn, ...] = ()
    history: tuple[str, ...] = ()

    def remembered(self) -> "World":
        """A copy for another future."""
        return replace(self, acknowledged=dict(self.acknowledged), said_by_people=dict(self.said_by_people))

    def look(self) -> "World":
        """Read the rows again; a step is judged by how they were before it."""
        self.row = talk.conversation(self.crm, self.conversation_id)
        self.log = talk.messages_after(self.crm, self.conversation_id, 0, limit=1000)
        return self


def a_world(crm: Crm, clock: Clock) -> World:
    clock.now = OPEN_HOURS
    staff = tuple(a_staff_member(crm, name).staff_id for name in ("Anna Berg", "Tom Reed"))
    conversation = a_conversation(crm)
    return World(crm, clock, conversation.conversation_id, staff, conversation)


# --- the steps ------------------------------------------------------------------------------------


def customer_writes(world: World, rng: random.Random) -> None:
    key = client_id()
    received = talk.receive(world.crm, world.conversation_id, key, f"words {key}")
    assert not received.duplicate
    world.acknowledged[key] = received.message


def client_id_is_repeated(world: World, rng: random.Random) -> None:
    if not world.acknowledged:
        return customer_writes(world, rng)
    key = rng.choice(sorted(world.acknowledged))
    again = talk.receive(world.crm, world.conversation_id, key, "other words")
    assert again.duplicate, "a repeated client id was stored again"
    first = world.acknowledged[key]
    assert (again.message.id, again.message.seq, again.message.text) == (first.id, first.seq, first.text)


def button_is_pressed(world: World, rng: random.Random) -> None:
    offered = [button for message in world.log for button in message.buttons]
    if not offered:
        return customer_writes(world, rng)
    key = client_id()
    world.acknowledged[key] = talk.press(
        world.crm, world.conversation_id, key, rng.choice(offered).id
    ).message


def bot_begins(world: World, rng: random.Random) -> None:
    before = world.row
    turn = talk.next_turn(world.crm, world.conversation_id, "process")
    if turn is None:
        return
    assert before.owner_kind == "bot", "the bot began a turn in a conversation that is not its own"
    assert before.turn_until is None or before.turn_until <= world.clock(), "two turns at the same time"
    world.turns = (*world.turns, turn)


def _in_its_right(world: World, turn: LeasedTurn) -> bool:
    row = world.row
    state = next(m.state for m in world.log if m.id == turn.message_id)
    return row.owner_kind == "bot" and row.epoch == turn.epoch and state == "pending"


def slow_reply_arrives(world: World, rng: random.Random) -> None:
    if not world.turns:
        return bot_begins(world, rng)
    turn = rng.choice(world.turns)
    allowed = _in_its_right(world, turn)
    reply = Reply("An answer.", (("Yes", "/affirm"),))
    try:
        if rng.random() < 0.8:
            talk.finish_turn(world.crm, turn, [reply])
        else:
            talk.fail_turn(world.crm, turn, "brain_slow", reply)
    except StaleTurn:
        assert not allowed, "the reply of a turn in its right was dropped"
    else:
        assert allowed, f"the reply of a stale turn was stored: {turn}"
        world.turns = tuple(t for t in world.turns if t is not turn)


def action_writes(world: World, rng: random.Random) -> None:
    if not world.turns:
        return bot_begins(world, rng)
    turn = rng.choice(world.turns)
    allowed = _in_its_right(world, turn)
    try:
        if rng.random() < 0.5:
            talk.note_not_understood(world.crm, turn)
        else:
            request_from_turn(world.crm, turn, "request")
    except StaleTurn:
        assert not allowed, "the write of a turn in its right was refused"
    else:
        assert allowed, f"a write was accepted from a stale turn: {turn}"


def somebody_claims(world: World, rng: random.Random) -> None:
    before = world.row
    staff_id = rng.choice(world.staff)
    try:
        after = talk.claim(world.crm, world.conversation_id, staff_id)
    except AlreadyClaimed as refused:
        _require(refused.winner_id == before.owner_id != staff_id, "a claim was refused without a winner")
    else:
        assert (after.owner_kind, after.owner_id) == ("account_manager", staff_id)
        assert before.owner_id in (None, staff_id), "a claim took the conversation from a colleague"


def person_speaks(world: World, rng: random.Random) -> None:
    before, log = world.row, world.log
    staff_id, key = rng.choice(world.staff), client_id()
    seen = rng.choice([before.last_seq, before.last_seq, max(before.last_seq - 1, 0)])
    missed = [m for m in log if m.seq > seen and m.sender == "customer"]
    try:
        world.said_by_people[key] = talk.say_as_person(
            world.crm, world.conversation_id, staff_id, key, "I am here.", seen
        )
    except NotTheOwner:
        assert before.owner_id != staff_id
    except StaleReply as refused:
        told = [m.id for m in refused.missed if m.sender == "customer"]
        _require(bool(missed) and told == [m.id for m in missed], "the missed messages are wrong")
    else:
        assert before.owner_id == staff_id
        assert not missed, "an account manager answered without having seen what the customer wrote"


def person_gives_back(world: World, rng: random.Random) -> None:
    _as_owner(world, rng, talk.give_back)


def person_closes(world: World, rng: random.Random) -> None:
    _as_owner(world, rng, talk.close)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)


def _as_owner(world: World, rng: random.Random, use_case: Callable[[Crm, str, str], Conversation]) -> None:
    before = world.row
    staff_id = rng.choice(world.staff)
    try:
        use_case(world.crm, world.conversation_id, staff_id)
    except NotTheOwner:
        assert before.owner_id != staff_id
    else:
        assert before.owner_id == staff_id


def customer_asks_for_a_person(world: World, rng: random.Random) -> None:
    before = world.row
    handover = request_person(world.crm, world.conversation_id)
    after = world.look().row
    assert after.owner_kind in ("queue", "account_manager")
    assert handover.kind == after.owner_kind
    if before.owner_kind in ("queue", "account_manager"):
        assert after == before, "asking again changed something"


def person_is_silent_too_long(world: World, rng: random.Random) -> None:
    row = world.row
    spoken = [m.seq for m in world.log if m.sender == "account_manager" and m.epoch == row.epoch]
    epoch = rng.choice([row.epoch, row.epoch, row.epoch - 1])
    payload = {"conversation_id": world.conversation_id, "epoch": epoch, "spoke": max(spoken, default=0)}
    return_timer(world.crm, Job("job", "return_timer", "key", payload, world.clock()))
    if epoch != row.epoch:
        assert world.look().row == row, "an old clock moved the conversation"


def everybody_goes_home(world: World) -> None:
    with world.crm.store.write() as tx:
        for member in tx.staff.all():
            tx.staff.set_last_seen(member.staff_id, None)


def firm_closes(world: World, rng: random.Random) -> None:
    row = world.row
    epoch = rng.choice([row.epoch, row.epoch - 1])
    payload = {"conversation_id": world.conversation_id, "epoch": epoch}
    everybody_goes_home(world)
    by_day, world.clock.now = world.clock(), NIGHT
    queue_closes(world.crm, Job("job", "queue_closes", "key", payload, world.clock()))
    world.clock.now = by_day
    after = world.look().row
    if row.owner_kind == "queue" and epoch == row.epoch:
        assert after.owner_kind == "bot"
    else:
        assert after == row, "an old clock moved the conversation"


def process_crashes(world: World, rng: random.Random) -> None:
    """Its leases run out; its replies may still arrive, as those of a process that only hung."""
    world.clock.advance(seconds=46)
    if rng.random() < 0.5:
        world.turns = ()


STEPS: tuple[tuple[Callable[[World, random.Random], None], int], ...] = (
    (customer_writes, 5),
    (client_id_is_repeated, 2),
    (button_is_pressed, 1),
    (bot_begins, 5),
    (slow_reply_arrives, 5),
    (action_writes, 3),
    (somebody_claims, 3),
    (person_speaks, 2),
    (person_gives_back, 3),
    (person_closes, 1),
    (customer_asks_for_a_person, 1),
    (person_is_silent_too_long, 1),
    (firm_closes, 1),
    (process_crashes, 2),
)


def take_a_step(world: World, rng: random.Random) -> None:
    (step,) = rng.choices([step for step, _ in STEPS], [weight for _, weight in STEPS])
    world.history = (*world.history, step.__name__)
    before = world.row
    step(world, rng)
    after = world.look().row
    changed = (before.owner_kind, before.owner_id) != (after.owner_kind, after.owner_id)
    assert after.epoch > before.epoch if changed else after.epoch >= before.epoch, "the epoch did not rise"
    check(world)


# --- what must hold -------------------------------------------------------------------------------


def check(world: World) -> None:
    """The invariants that hold after every step, whatever the schedule; the world has just looked."""
    row, log = world.row, world.log
    assert [m.seq for m in log] == list(range(1, row.last_seq + 1)), "sequence numbers have a gap"
    assert [m.epoch for m in log] == sorted(m.epoch for m in log), "a message of an old epoch was stored"
    stored = {m.client_id: m for m in log}
    assert len(stored) == len(log), "a client id was stored twice"
    for promised in (world.acknowledged, world.said_by_people):
        for key, message in promised.items():
            assert (stored[key].seq, stored[key].text) == (message.seq, message.text), (
                "an acknowledgement broke"
            )
    customers = [m for m in log if m.sender == "customer"]
    assert len(customers) == len(world.acknowledged), "a message was doubled"
    replies = [m.in_reply_to for m in log if m.sender == "bot"]
    assert len(replies) == len(set(replies)), "the bot answered a message twice"
    if row.owner_kind != "bot":
        assert all(m.state != "pending" for m in log), "the bot still has to answer what is not its own"


def come_to_rest(world: World) -> None:
    """Everybody does his duty; then nothing that was acknowledged may be without an answer."""
    while world.look().row.owner_kind in ("queue", "account_manager"):
        if world.row.owner_kind == "queue":
            talk.claim(world.crm, world.conversation_id, world.staff[0])
        talk.give_back(world.crm, world.conversation_id, world.look().row.owner_id or world.staff[0])
        world.clock.advance(seconds=46)
        while (turn := talk.next_turn(world.crm, world.conversation_id, "rest")) is not None:
            talk.finish_turn(world.crm, turn, [Reply("An answer.")])
    world.clock.advance(seconds=46)
    while (turn := talk.next_turn(world.crm, world.conversation_id, "rest")) is not None:
        talk.finish_turn(world.crm, turn, [Reply("An answer.")])
    check(world.look())
    assert all(m.state != "pending" for m in world.log)
    if world.row.owner_kind == "bot":
        assert talk.counters(world.crm).lost == 0, "an acknowledged message was lost"
