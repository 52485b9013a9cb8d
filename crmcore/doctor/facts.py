"""What was observed of an installation. Nothing here is decided, and nothing here is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class DatabaseFacts:
    """What the database told; ``figures`` are those of :mod:`crmcore.metrics` that have no label."""

    kind: str = "sqlite"
    revision: str | None = "0001"
    pending: tuple[str, ...] = ()  # Steps that would bring the schema up to date.
    superuser: bool = False
    ahead_seconds: float = 0.0  # How far its clock is before ours.
    gateways: int = 1  # How many said lately that they live,
    workers: int = 1  # and of these.
    figures: Mapping[str, float] = field(default_factory=dict)
    incidents: Mapping[str, float] = field(default_factory=dict)  # Of the last 24 hours, by kind.
    failed_jobs: int = 0
    demonstration_sign_ins: tuple[str, ...] = ()  # Addresses whose password of the demonstration still opens.
    origins: tuple[str, ...] = ()  # Of the firm in service.
    stale_after_days: int = 30


@dataclass(frozen=True)
class Facts:
    """One look at the installation. None or empty where something is not set or could not be seen."""

    now: datetime
    # What was set.
    host: str = "127.0.0.1"
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)
    redis_is_set: bool = False
    mail_is_set: bool = True
    request_limit_factor: float = 1.0
    # What answers.
    gateway_answers: bool = True
    actions_answer: bool = True
    brains: Mapping[str, bool] = field(default_factory=lambda: {"http://127.0.0.1:5005": True})
    brain_seen_at: tuple[str, ...] = ()  # Other addresses of this machine where Rasa's port answers.
    redis_answers: bool = False
    mail_answers: bool = True
    database: DatabaseFacts | None = field(default_factory=DatabaseFacts)
    database_says: str = ""  # Why there is no database.
    # What lies on the disk.
    home_mode: int = 0o700
    open_files: tuple[str, ...] = ()  # Secrets and data that others on this machine may read.
    free_bytes: int = 50_000_000_000
    brain_environment: bool = True
    model_is_fresh: bool = True
    last_backup: datetime | None = None
