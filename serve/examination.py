"""Looks at an installation for ``rapport doctor``: asks every part whether it is there, changes nothing."""

import json
import os
import shutil
import smtplib
import socket
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from redis import Redis
from redis.exceptions import RedisError

from crmcore.doctor import DatabaseFacts, Facts
from crmcore.errors import CrmError
from crmcore.settings import Settings
from crmcore.usecases.backup import LAST
from crmcore.usecases.operating import database_facts
from serve.training import RASA_PYTHON, model_path

PATIENCE_SECONDS = 3.0


def look(settings: Settings) -> Facts:
    """One look at everything; each part is waited for at most ``PATIENCE_SECONDS``."""
    database, says = _database(settings)
    return Facts(
        now=datetime.now(UTC),
        host=settings.host,
        trusted_proxies=tuple(settings.trusted_proxies.split(",")) if settings.trusted_proxies else (),
        redis_is_set=bool(settings.redis_url),
        mail_is_set=bool(settings.smtp_url),
        request_limit_factor=settings.request_limit_factor,
        gateway_answers=_answers(f"http://{_here(settings.host)}:{settings.port}/health/live"),
        actions_answer=_listens(settings.action_host, settings.action_port),
        brains={url: _answers(f"{url}/") for url in settings.rasa_urls},
        brain_seen_at=tuple(_seen_elsewhere(settings)),
        redis_answers=_redis_answers(settings.redis_url),
        mail_answers=_mail_answers(settings.smtp_url),
        database=database,
        database_says=says,
        home_mode=stat.S_IMODE(settings.home.stat().st_mode),
        open_files=tuple(_open_files(settings.home)),
        free_bytes=shutil.disk_usage(settings.home).free,
        brain_environment=RASA_PYTHON.exists(),
        model_is_fresh=model_path().exists(),
        last_backup=_last_backup(settings.home),
    )


def _database(settings: Settings) -> tuple[DatabaseFacts | None, str]:
    try:
        return database_facts(settings, _demonstration(settings.home)), ""
    except CrmError as error:
        return None, str(error)


def _demonstration(home: Path) -> list[tuple[str, str]]:
    """The sign-ins that `rapport run --demo` made, from its private file."""
    kept = home / "demonstration-sign-ins.json"
    if not kept.exists():
        return []
    return [(entry["email"], entry["password"]) for entry in json.loads(kept.read_text())]


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=PATIENCE_SECONDS, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((_here(host), port), timeout=PATIENCE_SECONDS).close()
    except OSError:
        return False
    return True


def _here(host: str) -> str:
    """Where to knock at what listens everywhere."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nothing listens here.


def _seen_elsewhere(settings: Settings) -> Iterator[str]:
    """Addresses of this machine, other than those that were set, where a dialogue engine answers."""
    ports = {urlsplit(url).port or 0 for url in settings.rasa_urls}
    meant = {urlsplit(url).hostname for url in settings.rasa_urls}
    for address in _own_addresses() - meant:
        for port in sorted(ports):
            if _listens(address, port) and _answers(f"http://{_bracketed(address)}:{port}/"):
                yield f"{_bracketed(address)}:{port}"


def _own_addresses() -> set[str]:
    """What this machine is called on its networks, loopback left out."""
    found: set[str] = set()
    for family, anywhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:  # Nothing is sent by choosing a route.
            try:
                probe.connect((anywhere, 9))
                found.add(str(probe.getsockname()[0]))
            except OSError:
                continue
    return {address for address in found if not ip_address(address).is_loopback}


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _redis_answers(url: str) -> bool:
    if not url:
        return False
    with Redis.from_url(
        url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    ) as redis:
        try:
            return bool(redis.ping())
        except RedisError:
            return False


def _mail_answers(url: str) -> bool:
    """Whether somebody greets there; nothing is sent and nobody signs in."""
    if not url:
        return False
    address = urlsplit(url)
    kind = smtplib.SMTP_SSL if address.scheme == "smtps" else smtplib.SMTP
    port = address.port or (465 if address.scheme == "smtps" else 587)
    try:
        with kind(address.hostname or "", port, timeout=PATIENCE_SECONDS) as server:
            return server.noop()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False


def _open_files(home: Path) -> Iterator[str]:
    for path in [*home.glob("secrets/*"), *home.glob("*.db"), *home.glob("*.json"), *home.glob("logs/*.log")]:
        # In a home that nobody else may enter, the modes of most files mean nothing; a secret's always do.
        private_home = not os.stat(home).st_mode & 0o077
        if path.stat().st_mode & 0o077 and (path.parent.name == "secrets" or not private_home):
            yield str(path.relative_to(home))


def _last_backup(home: Path) -> datetime | None:
    try:
        return datetime.fromisoformat(json.loads((home / LAST).read_text())["made_at"])
    except FileNotFoundError:
        return None
