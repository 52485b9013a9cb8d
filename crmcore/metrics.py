"""Figures for the operator's monitor: what is counted, under which name, and what each of them means.

Two kinds. *Of the process*: counted since it started, each process its own; a monitor adds them up.
*Of the installation*: read from the database when the monitor asks, so every process says the same.
Labels are names of ours (kinds, outcomes, owners): no figure points at a person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

# --- of the process ----------------------------------------------------------------------------------

PROCESS: Final = CollectorRegistry()
disable_created_metrics()  # type: ignore[no-untyped-call]  # When a counter began is no figure that anybody asked for.

requests = Counter(
    "rapport_requests", "HTTP requests by method and status.", ["method", "status"], registry=PROCESS
)
request_seconds = Histogram(
    "rapport_request_seconds",
    "From the request to the end of its answer, without live lines.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=PROCESS,
)
messages_received = Counter(
    "rapport_messages_received",
    "Customers' messages that were stored and acknowledged; repeats do not count.",
    ["channel"],
    registry=PROCESS,
)
turns = Counter(
    "rapport_turns",
    "Turns of the assistant by how they ended: answered, passed_on, passed_over, asked_again, dropped "
    "(the owner changed), broke_off, or the kind of failure, for which the customer got an apology.",
    ["outcome"],
    registry=PROCESS,
)
turn_seconds = Histogram(
    "rapport_turn_seconds",
    "From taking a message up to having its answer stored.",
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
    registry=PROCESS,
)
streams = Gauge("rapport_streams", "Live lines of customers that are open.", registry=PROCESS)
database_failures = Counter(
    "rapport_database_failures",
    "Requests that failed because the database was away.",
    registry=PROCESS,
)
jobs_run = Counter(
    "rapport_jobs_run", "Jobs that were run, by kind and outcome.", ["kind", "outcome"], registry=PROCESS
)
brain_restarts = Counter(
    "rapport_brain_restarts", "How often Rasa ended and was started again.", registry=PROCESS
)
trackers_in_memory = Counter(
    "rapport_trackers_in_memory",
    "How often Rasa was seen to keep a dialogue in memory because its own database failed: it said so "
    "(log), or a dialogue that must be kept was not found (look).",
    ["seen_by"],
    registry=PROCESS,
)
for _way in ("log", "look"):
    trackers_in_memory.labels(_way)  # A zero is a figure too.
for _outcome in ("answered", "brain_down", "brain_slow", "brain_broken", "empty_turn", "interrupted"):
    turns.labels(_outcome)


# --- of the installation -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Figure:
    """A gauge that is read from the database."""

    name: str
    help: str
    label: str | None = None


INSTALLATION: Final = (
    Figure("rapport_database_up", "1 while the database answers; without it the other figures are absent."),
    Figure("rapport_processes", "Processes that said in the last 30 s that they live, by part.", "part"),
    Figure("rapport_brain_up", "1 while the dialogue engine answers."),
    Figure("rapport_conversations", "Conversations by owner: bot, queue, account_manager, nobody.", "owner"),
    Figure("rapport_queue_length", "Conversations that wait for an account manager."),
    Figure("rapport_queue_oldest_wait_seconds", "How long the first of them has waited, in whole minutes."),
    Figure("rapport_pending_messages", "Customers' messages that the assistant has still to answer."),
    Figure("rapport_pending_oldest_seconds", "How long the oldest of them has waited."),
    Figure(
        "rapport_lost_messages",
        "Customers' messages of the last 7 days that were acknowledged and never answered: must be 0.",
    ),
    Figure("rapport_incidents", "Incidents of the last 24 hours by kind.", "kind"),
    Figure("rapport_jobs", "Jobs by status: waiting, running, done, failed.", "status"),
    Figure("rapport_jobs_oldest_due_seconds", "How long the oldest job that is due has waited for a worker."),
    Figure("rapport_overdue_callbacks", "Call-backs that were promised for an earlier time than now."),
    Figure("rapport_value_age_seconds", "Age of the last published values; absent before the first."),
    Figure("rapport_webhook_dead_letters", "Events that a subscriber never took."),
)  # fmt: skip

Readings = Mapping[str, float | Mapping[str, float] | None]  # By name; by label value; None: not known.


def exposition(readings: Readings) -> bytes:
    """Everything in the text format that Prometheus reads: this process's figures and the installation's."""
    registry = CollectorRegistry()
    registry.register(_Read(readings))
    return generate_latest(PROCESS) + generate_latest(registry)


class _Read(Collector):
    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for figure in INSTALLATION:
            reading = self._readings.get(figure.name)
            if reading is None:
                continue
            family = GaugeMetricFamily(
                figure.name, figure.help, labels=[figure.label] if figure.label else []
            )
            values = reading.items() if isinstance(reading, Mapping) else [("", reading)]
            for label, value in values:
                family.add_metric([label] if figure.label else [], value)
            yield family


def names() -> dict[str, str]:
    """The name under which a monitor finds each figure, with its help."""
    of_process = {
        f"{family.name}_total" if family.type == "counter" else family.name: family.documentation
        for family in PROCESS.collect()
    }
    return of_process | {figure.name: figure.help for figure in INSTALLATION}
