"""What is unsafe in this configuration."""

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from crmcore.doctor.facts import Facts
from crmcore.doctor.findings import Finding, ok, unsafe, warning

SKEW_SECONDS = 5.0


def listening(facts: Facts) -> Finding:
    if _is_loopback(facts.host):
        return ok("Rapport listens on this machine alone; what faces the world is a proxy with TLS.")
    proxies = [proxy for proxy in facts.trusted_proxies if not ip_network(proxy, strict=False).is_loopback]
    if proxies:
        return ok(f"Rapport listens on {facts.host}, behind the proxies at {', '.join(proxies)}.")
    return unsafe(
        f"Rapport listens on {facts.host} without TLS: who shares a network on the way can read along.",
        "Put a proxy with TLS in front (deploy/Caddyfile), let Rapport listen on 127.0.0.1 or a private "
        "network, and name the proxy in RAPPORT_TRUSTED_PROXIES.",
    )


def brain_private(facts: Facts) -> Finding:
    if not facts.brain_seen_at:
        return ok("Rasa's port answers at no other address of this machine.")
    return unsafe(
        f"Rasa's port answers at {', '.join(facts.brain_seen_at)}: whoever reaches it reads every dialogue.",
        "Let RAPPORT_RASA_URL name 127.0.0.1 or a private network, and close the port in the firewall.",
    )


def database_role(facts: Facts) -> Finding:
    if facts.database is None or not facts.database.superuser:
        return ok("Rapport's role in the database is an ordinary one.")
    return unsafe(
        "Rapport is a superuser of PostgreSQL: a fault in it could touch every database of the server.",
        "Create an ordinary role that owns this database alone (docs/deploy.md), "
        "and use it in RAPPORT_DATABASE_URL.",
    )


def processes(facts: Facts) -> Finding:
    found = facts.database
    if found is None or found.gateways < 2:
        return ok("One gateway runs.")
    if found.kind == "sqlite":
        return unsafe(
            f"{found.gateways} gateways share one SQLite file: each write waits for the others, "
            "and the file must never lie on a network disk.",
            "Move to PostgreSQL (docs/deploy.md) and set RAPPORT_DATABASE_URL.",
        )
    if not facts.redis_is_set:
        return warning(
            f"{found.gateways} gateways run without Redis: each counts its own limits, "
            "and a message from another one shows a second later.",
            "Set RAPPORT_REDIS_URL for all of them.",
        )
    return ok(f"{found.gateways} gateways share PostgreSQL and Redis.")


def sign_ins(facts: Facts) -> Finding:
    known = facts.database.demonstration_sign_ins if facts.database else ()
    if not known:
        return ok("No password of the demonstration opens anything.")
    return unsafe(
        f"The demonstration's passwords still open: {', '.join(known)}.",
        "Before real customers come, begin with an empty database and `rapport staff add`; "
        "or give each of them a new one with `rapport staff passwd`.",
    )


def files(facts: Facts) -> Finding:
    if facts.home_mode & 0o077:
        return unsafe(
            f"Others on this machine may enter the home (mode {facts.home_mode:o}) with customers' words.",
            "chmod 700 the directory that RAPPORT_HOME names.",
        )
    if facts.open_files:
        return unsafe(
            f"Others on this machine may read {', '.join(facts.open_files)}.", "chmod 600 each of them."
        )
    return ok("The home and the secrets are for their owner alone.")


def limits(facts: Facts) -> Finding:
    if facts.request_limit_factor <= 1:
        return ok("The limits of requests are the usual ones.")
    return warning(
        f"RAPPORT_REQUEST_LIMIT_FACTOR is {facts.request_limit_factor:g}: "
        "one visitor may send so many times more.",
        "It is for load tests and offices behind one address; unset it otherwise.",
    )


def origins(facts: Facts) -> Finding:
    listed = facts.database.origins if facts.database else ()
    bad = [origin for origin in listed if "*" in origin or _is_open(origin)]
    if bad:
        return unsafe(
            f"The widget may be embedded by {', '.join(bad)}, over a connection that anybody may change.",
            "List the shop's own https:// origins in firm.yml, then `rapport firm apply` and restart.",
        )
    return ok("Only sites with TLS, or this machine's own, may embed the widget.")


def clock(facts: Facts) -> Finding:
    ahead = facts.database.ahead_seconds if facts.database else 0.0
    if abs(ahead) <= SKEW_SECONDS:
        return ok("The database's clock agrees with ours.")
    return warning(
        f"The database's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} ours: "
        "tokens and one-time codes end too early or too late.",
        "Let every machine keep its time by NTP (timedatectl set-ntp true).",
    )


def _is_open(origin: str) -> bool:
    address = urlsplit(origin)
    return address.scheme != "https" and not _is_loopback(address.hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
