"""The pure decision: who gets a person, from whom, and why; recomputed from what is stored."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.escalation import (
    EscalationInputs,
    decide_escalation,
    expected_wait,
    promise_by,
    replay_escalation,
)
from tests.builders import NIGHT, OPEN_HOURS

ASKED = EscalationInputs(
    cause="request",
    tier=None,
    value_as_of=None,
    open_case=None,
    mood="neutral",
    failures=0,
    is_open=True,
    manager_id=None,
    manager_takes_customers=False,
    manager_load=0,
    manager_capacity=0,
    value_tiers=("MVC",),
    value_situations=("complaint", "cancelling"),
)
WITH_MANAGER = replace(ASKED, manager_id="anna", manager_takes_customers=True, manager_capacity=2)


@pytest.mark.parametrize("tier", ["MVC", "MGC", "core", "BZ", None])
@pytest.mark.parametrize("cause", ["request", "failure", "error"])
def test_whoever_asks_or_was_failed_gets_a_person_whatever_he_is_worth(cause: str, tier: str) -> None:
    assert decide_escalation(replace(ASKED, cause=cause, tier=tier)).route == "queue"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tier", "case", "route"),
    [
        ("MVC", "complaint", "queue"),
        ("MVC", "cancelling", "queue"),
        ("MVC", None, None),
        ("MGC", "complaint", None),
        ("BZ", "cancelling", None),
        (None, "complaint", None),
    ],
)
def test_by_value_only_the_policys_tiers_in_the_policys_situations(tier: str, case: str, route: str) -> None:
    inputs = replace(ASKED, cause="value", tier=tier, open_case=case)  # type: ignore[arg-type]
    assert decide_escalation(inputs).route == route


@pytest.mark.parametrize(
    ("changes", "outcome", "reason"),
    [
        ({}, "account_manager:anna", "on duty and has a free place"),
        ({"manager_load": 2}, "queue", "no free place"),
        ({"manager_takes_customers": False}, "queue", "not on duty"),
        ({"manager_id": None}, "queue", "no account manager of his own"),
        ({"is_open": False}, "callback", "nobody is on duty"),
    ],
)
def test_the_own_account_manager_comes_first_if_he_can(
    changes: dict[str, object], outcome: str, reason: str
) -> None:
    decision = decide_escalation(replace(WITH_MANAGER, **changes))  # type: ignore[arg-type]
    assert decision.outcome == outcome
    assert any(reason in given for given in decision.reasons)


all_inputs = st.builds(
    EscalationInputs,
    cause=st.sampled_from(["request", "value", "failure", "error"]),
    tier=st.sampled_from(["MVC", "MGC", "core", "BZ", None]),
    value_as_of=st.none(),
    open_case=st.sampled_from(["complaint", "cancelling", None]),
    mood=st.sampled_from(["neutral", "upset"]),
    failures=st.integers(0, 5),
    is_open=st.booleans(),
    manager_id=st.sampled_from([None, "anna"]),
    manager_takes_customers=st.booleans(),
    manager_load=st.integers(0, 5),
    manager_capacity=st.integers(0, 5),
    value_tiers=st.sampled_from([(), ("MVC",), ("MVC", "MGC")]),
    value_situations=st.sampled_from([(), ("complaint",), ("complaint", "cancelling")]),
)


@given(all_inputs)
def test_every_decision_has_a_reason_and_is_recomputed_from_its_json(inputs: EscalationInputs) -> None:
    decision = decide_escalation(inputs)
    assert decision.reasons
    assert replay_escalation(json.loads(json.dumps(inputs.to_json()))) == decision.outcome


@given(all_inputs)
def test_a_person_who_was_asked_for_is_never_refused(inputs: EscalationInputs) -> None:
    assert decide_escalation(replace(inputs, cause="request")).route is not None


@given(all_inputs)
def test_nobody_is_sent_to_somebody_who_is_not_there(inputs: EscalationInputs) -> None:
    decision = decide_escalation(inputs)
    if decision.to_staff is not None:
        assert inputs.is_open
        assert inputs.manager_takes_customers
        assert inputs.manager_load < inputs.manager_capacity


@pytest.mark.parametrize(
    ("position", "free", "people", "minutes"),
    [(1, 0, 0, None), (1, 1, 1, 1), (2, 1, 1, 6), (4, 0, 2, 12), (1, 0, 3, 2)],
)
def test_the_expected_wait_follows_from_place_and_people(
    position: int, free: int, people: int, minutes: int | None
) -> None:
    assert expected_wait(position, free, people, minutes_per_case=6) == minutes


def test_a_call_back_is_owed_some_hours_after_somebody_is_there_again() -> None:
    opening = OPEN_HOURS + timedelta(hours=23)
    assert promise_by(OPEN_HOURS, True, opening, 4) == OPEN_HOURS + timedelta(hours=4)
    assert promise_by(NIGHT, False, opening, 4) == opening + timedelta(hours=4)
    assert promise_by(NIGHT, False, None, 4) == NIGHT + timedelta(hours=28)
