"""The API attacked from its own description: whatever a machine can read out of it is true."""

from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from crmcore.store.database import Store
from tests.api.program import Door, the_door
from tests.builders import a_crm

SEED = 20260311


def findings(door: Door, examples: int, phases: tuple[str, ...]) -> tuple[list[str], int]:
    """What schemathesis has against the API, with every check on, and how many requests it sent."""
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
    requests = 0
    for event in from_schema(described).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(event))
        if isinstance(event, events.ScenarioFinished):
            requests += len(event.recorder.interactions)
            found += _failures(event)
    return found, requests


def _failures(event: Any) -> list[str]:
    return [
        f"{event.recorder.label}: {check.name}: {check.failure_info.failure}\n"
        f"{check.failure_info.code_sample}"
        for checks in event.recorder.checks.values()
        for check in checks
        if check.status == Status.FAILURE
    ]


def test_schemathesis_finds_nothing(door: Door) -> None:
    found, requests = findings(door, 12, ("examples", "coverage", "fuzzing", "stateful"))
    assert not found, "\n\n".join(found)
    assert requests > 500, "the attack was too weak to mean anything"


def test_schemathesis_finds_nothing_on_postgresql(postgres_store: Store, tmp_path: Path) -> None:
    """What a database refuses (a NUL, a number too long) differs, so the hard cases are sent again."""
    found, _ = findings(the_door(a_crm(postgres_store), tmp_path), 4, ("coverage", "fuzzing"))
    assert not found, "\n\n".join(found)
