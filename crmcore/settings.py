"""What the environment says: where things are, never what the business does (that is ``firm.yml``)."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Read once at start; every field has an embedded default, so nothing must be set to begin."""

    home: Path  # The database, secrets and logs of an installation without servers.
    database_url: str
    firm: Path
    host: str
    port: int
    action_port: int
    rasa_url: str
    secret: bytes  # Signs tokens and keys digests.
    action_secret: str  # What Rasa must show to run an action.
    widget_secret: str  # Shared with the firm's web server, which signs its visitors in.
    smtp_url: str = ""  # Where letters are sent, with its password; empty: they stay in the outbox.
    request_limit_factor: float = 1.0  # Multiplies the gateway's limits: for load tests and busy offices.


ROOT = Path(__file__).resolve().parent.parent


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings, with defaults relative to the installation and not to the working directory."""
    home = Path(environment.get("RAPPORT_HOME", str(ROOT / "var"))).resolve()
    home.mkdir(parents=True, exist_ok=True)
    return Settings(
        home=home,
        database_url=environment.get("RAPPORT_DATABASE_URL", f"sqlite:///{home / 'rapport.db'}"),
        firm=Path(environment.get("RAPPORT_FIRM", str(ROOT / "firm.yml"))),
        host=environment.get("RAPPORT_HOST", "127.0.0.1"),
        port=int(environment.get("RAPPORT_PORT", "8080")),
        action_port=int(environment.get("RAPPORT_ACTION_PORT", "8081")),
        rasa_url=environment.get("RAPPORT_RASA_URL", "http://127.0.0.1:5005"),
        secret=bytes.fromhex(_secret(environment, "RAPPORT_SECRET", home)),
        action_secret=_secret(environment, "RAPPORT_ACTION_SECRET", home),
        widget_secret=_secret(environment, "RAPPORT_WIDGET_SECRET", home),
        smtp_url=environment.get("RAPPORT_SMTP_URL", ""),
        request_limit_factor=float(environment.get("RAPPORT_REQUEST_LIMIT_FACTOR", "1")),
    )


def _secret(environment: Mapping[str, str], name: str, home: Path) -> str:
    """From the environment, else from a private file that is made at the first start."""
    if name in environment:
        return environment[name]
    path = home / "secrets" / name.removeprefix("RAPPORT_").lower()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return path.read_text().strip()
