"""What runs."""

from crmcore.doctor.facts import Facts
from crmcore.doctor.findings import Finding, missing, ok, warning

LATE_SECONDS = 120


def database(facts: Facts) -> Finding:
    if facts.database is None:
        return missing(
            f"The database does not answer: {facts.database_says}.",
            "Bring it back, or correct RAPPORT_DATABASE_URL; what customers type waits on their devices.",
        )
    return ok(f"The {facts.database.kind} database answers.")


def gateway(facts: Facts) -> Finding:
    if facts.gateway_answers:
        return ok("The gateway answers; customers can write.")
    return missing(
        "No gateway answers at RAPPORT_HOST and RAPPORT_PORT.",
        "Start it with `rapport run`, or `rapport run --part gateway` where the parts run apart.",
    )


def actions(facts: Facts) -> Finding:
    if facts.actions_answer:
        return ok("The action route answers.")
    return missing(
        "The action route does not answer, so the assistant can only apologise.",
        "Start it with `rapport run`, or `rapport run --part actions` where the parts run apart.",
    )


def brain(facts: Facts) -> Finding:
    down = [url for url, up in facts.brains.items() if not up]
    if not down:
        return ok(f"{len(facts.brains)} of {len(facts.brains)} dialogue engines answer.")
    says = f"No answer from {', '.join(down)} ({len(down)} of {len(facts.brains)} dialogue engines)."
    mend = "Start it with `rapport run --part rasa`; the end of logs/rasa*.log says why it ended."
    return missing(says, mend) if len(down) == len(facts.brains) else warning(says, mend)


def worker(facts: Facts) -> Finding:
    workers = facts.database.workers if facts.database else 0
    late = _figure(facts, "rapport_jobs_oldest_due_seconds")
    start = "`rapport run --part worker`; call-backs, letters and the nightly scoring wait for it."
    if not workers:
        return missing("No worker runs: none has said in the last 30 s that it lives.", f"Start {start}")
    if late > LATE_SECONDS:
        return missing(
            f"A job has been due for {late:.0f} s: the workers ({workers}) cannot keep up.",
            f"The end of logs/rapport.log says what they do. If they do their best, start another {start}",
        )
    return ok(f"{workers} {'worker runs' if workers == 1 else 'workers run'}, and no job is late.")


def redis(facts: Facts) -> Finding:
    if not facts.redis_is_set:
        return ok("Redis is not set; one gateway needs none.")
    if facts.redis_answers:
        return ok("Redis answers.")
    return warning(
        "Redis does not answer: wakes come a second later and limits count for each process alone.",
        "Bring it back, or correct RAPPORT_REDIS_URL. Nothing is lost meanwhile.",
    )


def mail(facts: Facts) -> Finding:
    if not facts.mail_is_set:
        return warning(
            "No mail server is set: one-time codes and notices stay in the outbox and reach nobody.",
            "Set RAPPORT_SMTP_URL, or sign every visitor in by the shop's own token.",
        )
    if facts.mail_answers:
        return ok("The mail server answers.")
    return warning(
        "The mail server does not answer; letters are tried again for some hours.",
        "Bring it back, or correct RAPPORT_SMTP_URL.",
    )


def _figure(facts: Facts, name: str) -> float:
    return facts.database.figures.get(name, 0) if facts.database else 0
