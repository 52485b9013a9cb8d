"""What PostgreSQL lets us do, and what time it thinks it is."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text

from crmcore.store.database import Store, raw_connection


@dataclass(frozen=True)
class Role:
    superuser: bool
    ahead_seconds: float  # The server's clock before ours.


def look_at_role(store: Store) -> Role:
    with raw_connection(store) as connection:
        superuser = connection.execute(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))
        is_superuser = bool(superuser.scalar())
        theirs: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        ahead = (theirs - datetime.now(UTC)).total_seconds()
    return Role(is_superuser, ahead)
