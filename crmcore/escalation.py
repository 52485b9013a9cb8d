"""When a person takes over, to whom the conversation goes, and who is next in the queue.

Pure: the facts and the firm's policy come in, a decision with its reasons goes out, so that each
stored decision can be recomputed from its stored inputs.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from crmcore.catalogue import Tier
from crmcore.conversations import Mood, OpenCase

Cause = Literal["request", "value", "failure", "error", "takeover"]
Route = Literal["account_manager", "queue", "callback"]
EscalationStatus = Literal["requested", "waiting", "active", "callback", "resolved"]
CallbackStatus = Literal["promised", "overdue", "kept"]


MODEL_VERSION = "escalation-1"


@dataclass(frozen=True)
class EscalationInputs:
    """All that the decision may look at."""

    cause: Cause  # What made somebody ask: the customer, his value, a failure, an error, a person.
    tier: Tier | None  # None: unknown, unverified or older than the limit.
    value_as_of: str | None  # The day of the value's data, ISO 8601.
    open_case: OpenCase | None
    mood: Mood
    failures: int  # Messages not understood, in a row.
    is_open: bool  # Within opening hours, or somebody is on duty all the same.
    manager_id: str | None  # The customer's own account manager,
    manager_takes_customers: bool  # on duty and at his desk,
    manager_load: int  # with so many conversations now
    manager_capacity: int  # of so many at a time.
    value_tiers: tuple[Tier, ...]  # The policy: which tiers,
    value_situations: tuple[OpenCase, ...]  # in which situations, get a person without asking.
    taken_by: str | None = None  # The account manager who stepped in by himself.

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "EscalationInputs":
        values: dict[str, Any] = dict(stored)  # JSON knows no tuples.
        values |= {name: tuple(stored[name]) for name in ("value_tiers", "value_situations")}
        return cls(**values)


@dataclass(frozen=True)
class EscalationDecision:
    """``route`` is None when no person is needed."""

    route: Route | None
    to_staff: str | None
    reasons: tuple[str, ...]

    @property
    def outcome(self) -> str:
        """What a replay compares: ``none``, ``queue``, ``callback`` or ``account_manager:<staff id>``."""
        if self.route is None:
            return "none"
        return f"{self.route}:{self.to_staff}" if self.to_staff else self.route


def decide_escalation(inputs: EscalationInputs) -> EscalationDecision:
    """Whether a person takes over, and where the conversation goes.

    A customer who asks gets a person, whatever his tier. By value only the tiers and situations of the
    policy do. The own account manager comes first, if he is there and has a free place; when
    the firm is closed and nobody is on duty, nobody is promised now, but a call-back is.
    """
    if inputs.cause == "takeover":
        return EscalationDecision("account_manager", inputs.taken_by, ("an account manager stepped in",))
    why = _why(inputs)
    if why is None:
        return EscalationDecision(None, None, ("no rule of the policy asks for a person",))
    if not inputs.is_open:
        return EscalationDecision(
            "callback", None, (why, "closed, and nobody is on duty: a call-back is promised")
        )
    if inputs.manager_id is None:
        return EscalationDecision("queue", None, (why, "the customer has no account manager of his own"))
    if not inputs.manager_takes_customers:
        return EscalationDecision("queue", None, (why, "his account manager is not on duty"))
    if inputs.manager_load >= inputs.manager_capacity:
        return EscalationDecision("queue", None, (why, "his account manager has no free place"))
    return EscalationDecision(
        "account_manager", inputs.manager_id, (why, "his own account manager is on duty and has a free place")
    )


def replay_escalation(stored_inputs: Mapping[str, Any]) -> str:
    """The outcome of a stored decision, recomputed from its inputs."""
    return decide_escalation(EscalationInputs.from_json(stored_inputs)).outcome


def _why(inputs: EscalationInputs) -> str | None:
    match inputs.cause:
        case "request":
            return "the customer asked for a person"
        case "error":
            return "the assistant broke down"
        case "failure":
            return f"the assistant did not understand ({inputs.failures} in a row)"
    if inputs.tier in inputs.value_tiers and inputs.open_case in inputs.value_situations:
        return f"a customer of tier {inputs.tier} with {inputs.open_case} under way"
    return None


# --- the queue -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class QueuePolicy:
    """Points of the queue. ``overtake_after`` is the bound on starvation, the same for every tier."""

    tier: Mapping[Tier, float]
    complaint: float
    cancelling: float
    upset: float
    breakdown: float  # The assistant failed the customer.
    per_minute: float  # Of waiting.
    overtake_after: timedelta
    minutes_per_case: float


@dataclass(frozen=True)
class WaitingCustomer:
    """One conversation that waits in the queue."""

    conversation_id: str
    escalation_id: str | None
    customer_id: str | None
    customer_name: str | None
    verified: bool
    tier: Tier | None
    open_case: OpenCase | None
    mood: Mood
    cause: Cause
    summary: str
    waiting_since: datetime


@dataclass(frozen=True)
class Points:
    """Why somebody stands where he stands: the parts by name, and whether the bound put him first."""

    parts: tuple[tuple[str, float], ...]
    overtakes: bool

    @property
    def total(self) -> float:
        return sum(points for _, points in self.parts)


@dataclass(frozen=True)
class QueueEntry:
    """``position`` 1 is next; ``wait_minutes`` is None while nobody is on duty."""

    customer: WaitingCustomer
    points: Points
    position: int
    waited_minutes: int
    wait_minutes: int | None = field(default=None)


def queue_points(customer: WaitingCustomer, now: datetime, policy: QueuePolicy) -> Points:
    """Value, situation and waiting, each with its share."""
    waited = max(now - customer.waiting_since, timedelta())
    tier = customer.tier or "core"
    parts = [(f"value {tier}", policy.tier[tier])]
    if customer.open_case is not None:
        parts.append((customer.open_case, getattr(policy, customer.open_case)))
    if customer.mood == "upset":
        parts.append(("upset", policy.upset))
    if customer.cause in ("failure", "error"):
        parts.append(("assistant failed", policy.breakdown))
    parts.append(("waiting", round(policy.per_minute * waited.total_seconds() / 60, 1)))
    return Points(tuple(parts), overtakes=waited >= policy.overtake_after)


def queue_order(
    waiting: Iterable[WaitingCustomer],
    now: datetime,
    policy: QueuePolicy,
    free_places: int = 0,
    people: int = 0,
) -> list[QueueEntry]:
    """The queue, next first.

    Whoever has waited ``overtake_after`` stands before all who have not, and those stand in the order
    of their waiting. So nobody who joins later than that can delay him, whatever the tiers.
    """
    scored = [(customer, queue_points(customer, now, policy)) for customer in waiting]

    def rank(entry: tuple[WaitingCustomer, Points]) -> tuple[bool, float, datetime, str]:
        customer, points = entry
        by_points = 0.0 if points.overtakes else -points.total
        return (not points.overtakes, by_points, customer.waiting_since, customer.conversation_id)

    return [
        QueueEntry(
            customer=customer,
            points=points,
            position=position,
            waited_minutes=int(max(now - customer.waiting_since, timedelta()).total_seconds() // 60),
            wait_minutes=expected_wait(position, free_places, people, policy.minutes_per_case),
        )
        for position, (customer, points) in enumerate(sorted(scored, key=rank), start=1)
    ]


def expected_wait(position: int, free_places: int, people: int, minutes_per_case: float) -> int | None:
    """Minutes until the customer at ``position`` is likely answered; None when nobody is on duty.

    With a free place somebody answers within a minute or two; after that each of ``people`` finishes a
    case every ``minutes_per_case``.

    >>> expected_wait(1, free_places=2, people=1, minutes_per_case=6)
    1
    >>> expected_wait(3, free_places=1, people=2, minutes_per_case=6)
    6
    """
    if people <= 0:
        return None
    behind = position - free_places
    if behind <= 0:
        return 1
    return max(1, math.ceil(behind * minutes_per_case / people))


# --- what others are told --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Handover:
    """What happens next, so that the assistant can choose its words.

    ``kind`` none: the policy asks for nobody. ``name``: the account manager's. ``position`` and
    ``wait_minutes`` of the queue. ``opens_at``: when the firm opens next, for a call-back.
    ``seq``: the last message of the conversation when this was decided.
    """

    kind: Literal["account_manager", "queue", "callback", "none"]
    name: str = ""
    position: int | None = None
    wait_minutes: int | None = None
    opens_at: datetime | None = None
    seq: int = 0


@dataclass(frozen=True)
class Escalation:
    """One row of ``escalations``."""

    escalation_id: str
    conversation_id: str
    customer_id: str | None
    source_key: str
    reason: Cause
    summary: str
    decision_id: str
    assigned_to: str | None
    priority: float
    status: EscalationStatus
    requested_at: datetime
    claimed_at: datetime | None = None
    claimed_by: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Callback:
    """A promise to come back to a customer. An empty ``contact`` means: in this chat."""

    callback_id: str
    conversation_id: str
    customer_id: str | None
    source_key: str
    contact: str
    preferred_at: str  # In the customer's own words.
    promised_by: datetime
    status: CallbackStatus
    created_at: datetime
    kept_at: datetime | None = None
    kept_by: str | None = None


def promise_by(now: datetime, is_open: bool, next_opening: datetime | None, hours: int) -> datetime:
    """When a call-back is owed: ``hours`` after now, or after the next opening when closed."""
    start = now if is_open else next_opening or now + timedelta(days=1)
    return start + timedelta(hours=hours)


def entry_of(entries: Sequence[QueueEntry], conversation_id: str) -> QueueEntry | None:
    """The queue entry of one conversation."""
    return next((e for e in entries if e.customer.conversation_id == conversation_id), None)
