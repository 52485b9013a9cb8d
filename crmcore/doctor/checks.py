"""Every check of ``rapport doctor``, in the order in which an operator would look."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from crmcore.doctor import data, running, safety, whole
from crmcore.doctor.facts import Facts
from crmcore.doctor.findings import Finding, warning


@dataclass(frozen=True)
class Check:
    name: str
    about: str  # What it looks at, for the guide.
    examine: Callable[[Facts], Finding]
    reads_data: bool = False  # Without the data it says so, and not that all is well.


CHECKS: Final = (
    Check("environments", "the Python environment of the dialogue engine", whole.environments),
    Check("model", "whether the trained model is of today's dialogue", whole.model),
    Check("database", "whether the database answers", running.database),
    Check("schema", "whether the schema is this program's", whole.schema),
    Check("gateway", "whether customers can write", running.gateway),
    Check("actions", "whether the action route answers", running.actions),
    Check("brain", "whether every dialogue engine answers", running.brain),
    Check("worker", "whether a worker lives and due jobs are done", running.worker, True),
    Check("redis", "whether Redis answers, where it is set", running.redis),
    Check("mail", "whether letters leave the house", running.mail),
    Check("disk", "free space where the home is", whole.disk),
    Check("lost", "acknowledged messages that were never answered", data.lost, True),
    Check("waiting", "messages that wait for the assistant", data.waiting, True),
    Check("tracker", "whether Rasa keeps dialogues in memory", data.tracker, True),
    Check("jobs", "jobs that were given up", data.jobs, True),
    Check("values", "the age of the customers' values", data.values, True),
    Check("webhooks", "events that a subscriber never took", data.webhooks, True),
    Check("backup", "the age of the last backup", data.backup),
    Check("listening", "whether TLS stands before what listens to the network", safety.listening),
    Check("brain-private", "whether strangers can reach Rasa", safety.brain_private),
    Check("database-role", "what Rapport may do in PostgreSQL", safety.database_role),
    Check("processes", "whether several processes share what they must", safety.processes, True),
    Check("sign-ins", "passwords of the demonstration", safety.sign_ins, True),
    Check("files", "who may read the home and the secrets", safety.files),
    Check("limits", "the limits of requests", safety.limits),
    Check("origins", "which sites may embed the widget", safety.origins, True),
    Check("clock", "whether the database's clock agrees with ours", safety.clock),
)


def examine(facts: Facts) -> dict[str, Finding]:
    """What every check says, by its name."""
    return {check.name: _examine(check, facts) for check in CHECKS}


def _examine(check: Check, facts: Facts) -> Finding:
    if check.reads_data and (facts.database is None or facts.database.pending):
        return warning("Not seen: the data cannot be read now.", "Mend the database and its schema first.")
    return check.examine(facts)
