"""What the data tell: lost, waiting, failed, stale."""

from crmcore.doctor.facts import Facts
from crmcore.doctor.findings import Finding, missing, ok, unsafe, warning

BACKUP_DAYS = 7
WAITING_SECONDS = 60
DAY_SECONDS = 86_400


def lost(facts: Facts) -> Finding:
    count = _figure(facts, "rapport_lost_messages")
    if not count:
        return ok("No acknowledged message of the last 7 days was left unanswered.")
    return unsafe(
        f"{count:.0f} acknowledged messages of the last 7 days were never answered.",
        "This must not happen: look for them in the workspace, answer the customers, and report the fault.",
    )


def waiting(facts: Facts) -> Finding:
    oldest = _figure(facts, "rapport_pending_oldest_seconds")
    if oldest <= WAITING_SECONDS:
        return ok("No message waits long for the assistant.")
    return warning(
        f"A customer's message has waited {oldest:.0f} s for the assistant.",
        "See whether a gateway and a dialogue engine run and are not overloaded.",
    )


def tracker(facts: Facts) -> Finding:
    seen = facts.database.incidents.get("tracker_in_memory", 0) if facts.database else 0
    if not seen:
        return ok("Rasa was not seen to keep dialogues in memory in the last 24 hours.")
    return unsafe(
        f"Rasa kept dialogues in memory {seen:.0f} times in 24 hours, because its own database failed: "
        "open forms are forgotten.",
        "The error's class stands in logs/rasa*.log: a full disk, an unwritable tracker.db, or the "
        "PostgreSQL of RAPPORT_TRACKER_URL is away. Mend it and start Rasa again.",
    )


def jobs(facts: Facts) -> Finding:
    failed = facts.database.failed_jobs if facts.database else 0
    if not failed:
        return ok("No job was given up.")
    return warning(
        f"{failed} jobs were given up after their last attempt.",
        "The incidents on /operator and logs/rapport.log say why; what they promised is to be done by hand.",
    )


def values(facts: Facts) -> Finding:
    found = facts.database
    if found is None or "rapport_value_age_seconds" not in found.figures:
        return warning("No customer was valued yet.", "Load the firm's orders and run `rapport score`.")
    days = found.figures["rapport_value_age_seconds"] / DAY_SECONDS
    if days <= min(3, found.stale_after_days):
        return ok(f"The customers' values are {days:.1f} days old.")
    return warning(
        f"The customers' values are {days:.0f} days old, although they are computed each night; after "
        f"{found.stale_after_days} days nothing is promised on them.",
        "Run `rapport score`: its diagnostics say why nothing was published.",
    )


def webhooks(facts: Facts) -> Finding:
    dead = _figure(facts, "rapport_webhook_dead_letters")
    if not dead:
        return ok("Every event reached its subscriber.")
    return warning(
        f"{dead:.0f} events never reached their subscriber.",
        "`rapport webhooks dead` says which and why; mend the subscriber, then `rapport webhooks retry`.",
    )


def backup(facts: Facts) -> Finding:
    if facts.last_backup is None:
        return missing(
            "No backup was made from here.", "Run `rapport backup DIRECTORY --keep 14`, each night by cron."
        )
    days = (facts.now - facts.last_backup).total_seconds() / DAY_SECONDS
    if days <= BACKUP_DAYS:
        return ok(f"The last backup is {days:.1f} days old.")
    return warning(
        f"The last backup is {days:.0f} days old.",
        "Run `rapport backup DIRECTORY --keep 14`, and see why cron does not.",
    )


def _figure(facts: Facts, name: str) -> float:
    return facts.database.figures.get(name, 0) if facts.database else 0
