"""What is there: environments, model, schema, room."""

from crmcore.doctor.facts import Facts
from crmcore.doctor.findings import Finding, missing, ok, warning

LITTLE_BYTES = 2_000_000_000
NO_BYTES = 300_000_000


def environments(facts: Facts) -> Finding:
    if _brain_is_elsewhere(facts):
        return ok("The dialogue engine runs elsewhere; its Python environment is not needed here.")
    if facts.brain_environment:
        return ok("The dialogue engine's Python environment is there.")
    return missing(
        "The dialogue engine's Python environment (.venv-rasa) is missing.",
        "Run `make setup`; a process that runs no Rasa needs none.",
    )


def model(facts: Facts) -> Finding:
    if _brain_is_elsewhere(facts):
        return ok("The dialogue engine runs elsewhere, and has its model there.")
    if facts.model_is_fresh:
        return ok("The model is of today's dialogue.")
    return warning(
        "The dialogue changed since the model was trained, or none was.",
        "Run `rapport train` (about a minute); the next start would do it too.",
    )


def _brain_is_elsewhere(facts: Facts) -> bool:
    """As in a container that runs no Rasa: nothing of it is here, and yet it answers."""
    return not facts.brain_environment and any(facts.brains.values())


def schema(facts: Facts) -> Finding:
    found = facts.database
    if found is None:
        return missing("The schema cannot be seen without the database.", "Mend the database first.")
    if found.pending:
        return missing(
            f"The schema is {found.revision or 'empty'} and lacks {', '.join(found.pending)}.",
            "Run `rapport backup`, then `rapport upgrade`; the next start would upgrade too.",
        )
    return ok(f"The schema is {found.revision}, this program's own.")


def disk(facts: Facts) -> Finding:
    free = f"{facts.free_bytes / 1e9:.1f} GB are free where the home is."
    if facts.free_bytes >= LITTLE_BYTES:
        return ok(free)
    mend = "Make room: old backups, old models, other programs' files. A full disk stops every write."
    return missing(free, mend) if facts.free_bytes < NO_BYTES else warning(free, mend)
