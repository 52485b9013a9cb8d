"""The order of the queue: points that can be read, and a bound on starvation that holds."""

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.catalogue import Tier
from crmcore.escalation import QueuePolicy, WaitingCustomer, queue_order, queue_points
from crmcore.usecases.routing import queue_policy
from tests.builders import OPEN_HOURS, a_firm

POLICY = queue_policy(a_firm())
BOUND = POLICY.overtake_after
TIERS: list[Tier] = ["MVC", "MGC", "core", "BZ"]


def waiting(
    name: str = "cnv_1",
    tier: Tier | None = None,
    minutes: float = 0,
    since: datetime | None = None,
    **situation: object,
) -> WaitingCustomer:
    facts = {"open_case": None, "mood": "neutral", "cause": "request"} | situation
    return WaitingCustomer(
        conversation_id=name,
        escalation_id=None,
        customer_id=None,
        customer_name=None,
        verified=False,
        tier=tier,
        summary="",
        waiting_since=since or OPEN_HOURS - timedelta(minutes=minutes),
        **facts,  # type: ignore[arg-type]
    )


def order(*customers: WaitingCustomer, policy: QueuePolicy = POLICY) -> list[str]:
    return [entry.customer.conversation_id for entry in queue_order(customers, OPEN_HOURS, policy)]


def test_the_points_name_every_part() -> None:
    customer = waiting(tier="MVC", minutes=3, open_case="complaint", mood="upset", cause="failure")
    points = queue_points(customer, OPEN_HOURS, POLICY)
    assert dict(points.parts) == {
        "value MVC": 30,
        "complaint": 15,
        "upset": 10,
        "assistant failed": 5,
        "waiting": 3,
    }
    assert points.total == 63


def test_value_and_situation_come_first_among_those_who_just_joined() -> None:
    assert order(
        waiting("core", "core"),
        waiting("mvc", "MVC"),
        waiting("leaving", "core", open_case="cancelling"),
        waiting("upset mgc", "MGC", mood="upset"),
    ) == ["mvc", "upset mgc", "leaving", "core"]


def test_somebody_unknown_counts_as_an_ordinary_customer() -> None:
    unknown, core = (queue_points(waiting(tier=t), OPEN_HOURS, POLICY) for t in (None, "core"))
    assert unknown.total == core.total


@pytest.mark.parametrize("tier", TIERS)
def test_whoever_waited_to_the_bound_goes_before_the_best_newcomer(tier: Tier) -> None:
    best = waiting("best", "MVC", open_case="complaint", mood="upset", cause="failure", minutes=9.9)
    late = waiting("late", tier, minutes=BOUND.total_seconds() / 60)
    assert order(best, late) == ["late", "best"]


def test_a_clock_that_runs_a_little_ahead_harms_nobody() -> None:
    (entry,) = queue_order([waiting(minutes=-5)], OPEN_HOURS, POLICY)
    assert entry.waited_minutes == 0
    assert dict(entry.points.parts)["waiting"] == 0


joins = st.lists(
    st.tuples(st.integers(0, 90), st.sampled_from(TIERS), st.sampled_from([None, "complaint", "cancelling"])),
    min_size=1,
    max_size=20,
)


@given(joins, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_order_of_the_rows(
    queue: list[tuple[int, Tier, str | None]], rng: random.Random
) -> None:
    customers = [waiting(f"cnv_{n}", tier, m, open_case=case) for n, (m, tier, case) in enumerate(queue)]
    shuffled = customers[:]
    rng.shuffle(shuffled)
    assert order(*customers) == order(*shuffled)


@given(joins)
def test_beyond_the_bound_the_queue_is_first_come_first_served(
    queue: list[tuple[int, Tier, str | None]],
) -> None:
    customers = [waiting(f"cnv_{n}", tier, m, open_case=case) for n, (m, tier, case) in enumerate(queue)]
    entries = queue_order(customers, OPEN_HOURS, POLICY)
    over = [e for e in entries if e.points.overtakes]
    assert entries[: len(over)] == over
    assert [e.customer.waiting_since for e in over] == sorted(e.customer.waiting_since for e in over)
    assert [e.position for e in entries] == list(range(1, len(entries) + 1))


@pytest.mark.parametrize("load", [0.7, 0.9, 1.1])
def test_low_tiers_wait_hardly_longer_than_the_bound_allows(load: float) -> None:
    """A day of one account manager. At any load nobody can be overtaken for longer than the bound by
    people who came after him, so what remains is the same queue for all."""
    rng = random.Random(7)
    service = 6.0
    arrivals: list[tuple[float, Tier]] = []
    now = 0.0
    while now < 600:
        now += rng.expovariate(load / service)
        arrivals.append((now, rng.choices(TIERS, [10, 15, 60, 15])[0]))
    served: list[tuple[float, float, Tier]] = []  # When he came, when he was answered, his tier.
    here: list[tuple[float, Tier]] = []
    free_at = 0.0
    while arrivals or here:
        start = free_at if here else max(free_at, arrivals[0][0])
        while arrivals and arrivals[0][0] <= start:
            here.append(arrivals.pop(0))
        queue = [
            waiting(str(place), tier, since=OPEN_HOURS + timedelta(minutes=came))
            for place, (came, tier) in enumerate(here)
        ]
        first = queue_order(queue, OPEN_HOURS + timedelta(minutes=start), POLICY)[0]
        came, tier = here.pop(int(first.customer.conversation_id))
        served.append((came, start, tier))
        free_at = start + service
    bound = BOUND.total_seconds() / 60
    for came, answered, tier in served:
        overtook = [later for later, at, _ in served if later >= came + bound and at < answered]
        assert not overtook, f"a {tier} customer was overtaken by {len(overtook)} who came after the bound"
