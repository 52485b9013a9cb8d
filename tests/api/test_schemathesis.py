"""The API attacked from its own description: whatever a machine can read out of it is true."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from crmcore.store.database import Store
from crmcore.usecases.escalation import request_person
from crmcore.usecases.offers import next_offer
from tests.api.program import Door, the_door
from tests.builders import a_conversation, a_crm, a_turn, answered
from tests.offers.builders import an_open_need, consents

SEED = 20260311


def findings(door: Door, examples: int, phases: tuple[str, ...]) -> tuple[list[str], dict[str, Counter[int]]]:
    """What schemathesis has against the API, with every check on, and the statuses of each operation.

    The customer of the examples is known and has a history, so that what is built on him is reached, too.
    """
    _stock(door)
    wanted = "\n".join(
        f"[phases.{name}]\nenabled = {str(name in phases).lower()}"
        for name in ("examples", "coverage", "fuzzing", "stateful")
    )
    config = SchemathesisConfig.from_str(
        f"""
        seed = {SEED}
        headers = {{ Authorization = "Bearer {door.program().key}" }}
        [generation]
        max-examples = {examples}
        [checks]
        enabled = true
        {wanted}
        """
    )
    described = schemathesis.openapi.from_asgi("/api/v1/openapi.json", door.client.app, config=config)
    found: list[str] = []
    statuses: dict[str, Counter[int]] = defaultdict(Counter)
    for event in from_schema(described).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(event))
        if isinstance(event, events.ScenarioFinished):
            for case_id, interaction in event.recorder.interactions.items():
                if interaction.response is not None:
                    label = event.recorder.cases[case_id].value.operation.label
                    statuses[label][interaction.response.status_code] += 1
            found += _failures(event)
    return found, statuses


def _stock(door: Door) -> None:
    door.program().knows_customer()
    conversation = a_conversation(door.crm, "C-17")
    answered(door.crm, conversation)
    an_open_need(door.crm, "C-17")
    consents(door.crm, "C-17", "offers", "profiling", "contact")
    next_offer(door.crm, a_turn(door.crm, conversation))
    request_person(door.crm, conversation.conversation_id)


def _failures(event: Any) -> list[str]:
    return [
        f"{event.recorder.label}: {check.name}: {check.failure_info.failure}\n"
        f"{check.failure_info.code_sample}"
        for checks in event.recorder.checks.values()
        for check in checks
        if check.status == Status.FAILURE
    ]


def test_schemathesis_finds_nothing(door: Door) -> None:
    found, statuses = findings(door, 12, ("examples", "coverage", "fuzzing", "stateful"))
    assert not found, "\n\n".join(found)
    reached = {label for label, seen in statuses.items() if any(200 <= status < 300 for status in seen)}
    assert reached == set(statuses), "some operation was only ever refused"
    assert len(reached) >= 17
    assert sum(map(Counter.total, statuses.values())) > 500, "the attack was too weak to mean anything"


def test_schemathesis_finds_nothing_on_postgresql(postgres_store: Store, tmp_path: Path) -> None:
    """What a database refuses (a NUL, a number too long) differs, so the hard cases are sent again."""
    found, _ = findings(the_door(a_crm(postgres_store), tmp_path), 4, ("coverage", "fuzzing"))
    assert not found, "\n\n".join(found)
