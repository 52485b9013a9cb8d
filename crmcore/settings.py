"""What the environment says: where things are, never what the business does (that is ``firm.yml``)."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from crmcore.errors import CrmError

SHORTEST_SECRET = 32  # Characters; the ones that are made here have 64.


class WrongSetting(CrmError):
    """A variable of the environment that cannot be used; the message names it and never repeats a secret."""


@dataclass(frozen=True)
class Settings:
    """Read once at start; every field has an embedded default, so nothing must be set to begin."""

    home: Path  # The database, secrets and logs of an installation without servers.
    database_url: str
    firm: Path
    host: str
    port: int
    action_port: int
    rasa_urls: tuple[str, ...]  # One or more dialogue engines.
    secret: bytes  # Signs tokens and keys digests.
    action_secret: str  # What Rasa must show to run an action.
    widget_secret: str  # Shared with the firm's web server, which signs its visitors in.
    smtp_url: str = ""  # Where letters are sent, with its password; empty: they stay in the outbox.
    request_limit_factor: float = 1.0  # Multiplies the gateway's limits: for load tests and busy offices.
    action_host: str = "127.0.0.1"  # Where the actions listen,
    action_url: str = ""  # and how Rasa reaches them; empty: on that very address.
    tracker_url: str = ""  # PostgreSQL for what several Rasa processes remember; empty: a file in the home.
    redis_url: str = ""  # Wakes and limits that several processes share, with its password; empty: none.
    log_format: str = "plain"  # Or json: one object a line.
    metrics_token: str = ""  # What a monitor shows; empty: only a monitor on this machine may look.
    private_webhooks: bool = False  # Whether events may be sent to this machine or network.
    trusted_proxies: str = "127.0.0.1"  # Whose word about a visitor's address is taken; commas between.


ROOT = Path(__file__).resolve().parent.parent


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings, with defaults relative to the installation and not to the working directory.

    Raises
    ------
    WrongSetting : a value cannot be used, or the home cannot be written to.
    """
    home = _home(Path(environment.get("RAPPORT_HOME", str(ROOT / "var"))).resolve())
    return Settings(
        home=home,
        database_url=environment.get("RAPPORT_DATABASE_URL", f"sqlite:///{home / 'rapport.db'}"),
        firm=Path(environment.get("RAPPORT_FIRM", str(ROOT / "firm.yml"))),
        host=environment.get("RAPPORT_HOST", "127.0.0.1"),
        port=_port(environment, "RAPPORT_PORT", "8080"),
        action_port=_port(environment, "RAPPORT_ACTION_PORT", "8081"),
        rasa_urls=_addresses(environment, "RAPPORT_RASA_URL", "http://127.0.0.1:5005"),
        secret=_bytes(_secret(environment, "RAPPORT_SECRET", home)),
        action_secret=_secret(environment, "RAPPORT_ACTION_SECRET", home),
        widget_secret=_secret(environment, "RAPPORT_WIDGET_SECRET", home),
        smtp_url=environment.get("RAPPORT_SMTP_URL", ""),
        request_limit_factor=float(environment.get("RAPPORT_REQUEST_LIMIT_FACTOR", "1")),
        action_host=environment.get("RAPPORT_ACTION_HOST", "127.0.0.1"),
        action_url=environment.get("RAPPORT_ACTION_URL", ""),
        tracker_url=_tracker(environment, "RAPPORT_TRACKER_URL"),
        redis_url=_redis(environment, "RAPPORT_REDIS_URL"),
        log_format=_log_format(environment, "RAPPORT_LOG_FORMAT"),
        metrics_token=_metrics_token(environment, "RAPPORT_METRICS_TOKEN"),
        private_webhooks=_allowed(environment, "RAPPORT_WEBHOOK_PRIVATE_ADDRESSES"),
        trusted_proxies=_proxies(environment, "RAPPORT_TRUSTED_PROXIES"),
    )


def _home(home: Path) -> Path:
    """The directory, made when it is missing: for its owner alone, because customers' words lie in it."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WrongSetting(
            f"{home} cannot be made ({error.strerror}); set RAPPORT_HOME to a directory of your own"
        ) from error
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        raise WrongSetting(f"{home} cannot be written to; set RAPPORT_HOME to a directory of your own")
    return home


def _port(environment: Mapping[str, str], name: str, default: str) -> int:
    given = environment.get(name, default)
    if not (given.isascii() and given.isdigit() and 0 < int(given) < 2**16):
        raise WrongSetting(f"{name} is {given!r}; a port is a whole number from 1 to 65535")
    return int(given)


def _addresses(environment: Mapping[str, str], name: str, default: str) -> tuple[str, ...]:
    given = environment.get(name, default)
    found = tuple(address.strip().rstrip("/") for address in given.split(",") if address.strip())
    for address in found:
        try:
            usable = urlsplit(address).scheme in ("http", "https") and bool(urlsplit(address).port)
        except ValueError:
            usable = False
        if not usable:
            raise WrongSetting(
                f"{name} holds {address!r}; write each address as http://<host>:<port>, "
                "and separate several by commas"
            )
    if not found or len(set(found)) < len(found):
        raise WrongSetting(f"{name} must name at least one address, and none of them twice")
    return found


def _tracker(environment: Mapping[str, str], name: str) -> str:
    """For Rasa, whose SQLAlchemy calls its driver by another name than ours does."""
    given = environment.get(name, "")
    scheme, separator, rest = given.partition("://")
    if given and (not separator or scheme.partition("+")[0] != "postgresql"):
        raise WrongSetting(
            f"{name} must name a PostgreSQL database, as postgresql://<user>:<password>@<host>/<name>; "
            "leave it empty for a file in the home, which serves one dialogue engine"
        )
    return f"postgresql://{rest}" if given else ""


def _redis(environment: Mapping[str, str], name: str) -> str:
    given = environment.get(name, "")
    if given and not given.startswith(("redis://", "rediss://", "unix://")):
        raise WrongSetting(
            f"{name} must be redis://[:<password>@]<host>:<port>/<number>, rediss:// with TLS, "
            "or unix://<path>; leave it empty for an installation of one process"
        )
    return given


def _log_format(environment: Mapping[str, str], name: str) -> str:
    given = environment.get(name, "plain")
    if given not in ("plain", "json"):
        raise WrongSetting(f"{name} is {given!r}; logs are written 'plain' or as 'json'")
    return given


def _metrics_token(environment: Mapping[str, str], name: str) -> str:
    given = environment.get(name, "")
    if 0 < len(given) < SHORTEST_SECRET:
        raise WrongSetting(
            f"{name} holds {len(given)} characters; a token has at least {SHORTEST_SECRET}, "
            "make one with `openssl rand -hex 32`, or leave it empty for a monitor on this machine"
        )
    return given


def _allowed(environment: Mapping[str, str], name: str) -> bool:
    given = environment.get(name, "refuse")
    if given not in ("refuse", "allow"):
        raise WrongSetting(f"{name} is {given!r}; it is 'refuse' or 'allow'")
    return given == "allow"


def _proxies(environment: Mapping[str, str], name: str) -> str:
    """Addresses and networks; ``*`` would let every visitor choose the address that his limits count by."""
    given = [part.strip() for part in environment.get(name, "127.0.0.1").split(",") if part.strip()]
    for part in given:
        try:
            ip_network(part, strict=False)
        except ValueError:
            raise WrongSetting(
                f"{name} holds {part!r}; it takes the addresses or networks of your own proxies, "
                "such as 10.0.0.5 or 172.18.0.0/16, with commas between"
            ) from None
    return ",".join(given)


def _bytes(secret: str) -> bytes:
    try:
        return bytes.fromhex(secret)
    except ValueError:
        raise WrongSetting(
            "RAPPORT_SECRET is not hexadecimal; make one with `openssl rand -hex 32`"
        ) from None


def _secret(environment: Mapping[str, str], name: str, home: Path) -> str:
    """From the environment, else from a private file that is made at the first start.

    A short one is refused, above all an empty one: anybody could show it or sign with it.
    """
    path = home / "secrets" / name.removeprefix("RAPPORT_").lower()
    found = environment[name] if name in environment else _kept(path)
    if len(found) < SHORTEST_SECRET:
        where = name if name in environment else str(path)
        raise WrongSetting(
            f"{where} holds {len(found)} characters; a secret has at least {SHORTEST_SECRET}, "
            "make one with `openssl rand -hex 32`"
        )
    return found


def _kept(path: Path) -> str:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text().strip()
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        return path.read_text().strip()
    except OSError as error:
        raise WrongSetting(f"the secret {path} cannot be read or made ({error.strerror})") from error
