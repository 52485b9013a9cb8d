"""Staff, their sessions and their attempts to sign in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from crmcore.staff import StaffMember, StaffSession
from crmcore.store.schema import sign_in_attempts, staff, staff_sessions

_MEMBER = (
    staff.c.staff_id,
    staff.c.name,
    staff.c.email,
    staff.c.role,
    staff.c.on_duty,
    staff.c.last_seen_at,
    staff.c.capacity,
    staff.c.active,
)


@dataclass(frozen=True)
class Credentials:
    """What signing in compares; nothing else may read it."""

    member: StaffMember
    password_hash: str


class StaffMembers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- people ---

    def add(self, member: StaffMember, password_hash: str) -> None:
        values = {column.name: getattr(member, column.name) for column in _MEMBER}
        self._connection.execute(insert(staff).values(password_hash=password_hash, **values))

    def get(self, staff_id: str) -> StaffMember | None:
        return self._one(select(*_MEMBER).where(staff.c.staff_id == staff_id))

    def by_email(self, email: str) -> StaffMember | None:
        return self._one(select(*_MEMBER).where(staff.c.email == email))

    def all(self) -> list[StaffMember]:
        rows = self._connection.execute(select(*_MEMBER).order_by(staff.c.role, staff.c.name))
        return [_member(row) for row in rows]

    def credentials(self, email: str) -> Credentials | None:
        row = self._connection.execute(
            select(*_MEMBER, staff.c.password_hash).where(staff.c.email == email)
        ).one_or_none()
        return None if row is None else Credentials(_member(row), row.password_hash)

    def set_password(self, staff_id: str, password_hash: str) -> None:
        self._set(staff_id, password_hash=password_hash)

    def set_duty(self, staff_id: str, on_duty: bool) -> None:
        self._set(staff_id, on_duty=on_duty)

    def set_active(self, staff_id: str, active: bool) -> None:
        self._set(staff_id, active=active, on_duty=False)

    def set_last_seen(self, staff_id: str, now: datetime | None) -> None:
        self._set(staff_id, last_seen_at=now)

    # --- sessions ---

    def add_session(self, digest: str, session: StaffSession) -> None:
        self._connection.execute(
            insert(staff_sessions).values(
                session_digest=digest,
                staff_id=session.member.staff_id,
                csrf_token=session.csrf_token,
                created_at=session.created_at,
                expires_at=session.expires_at,
                seen_at=session.seen_at,
            )
        )

    def session(self, digest: str) -> StaffSession | None:
        row = self._connection.execute(
            select(staff_sessions, *_MEMBER[1:])
            .join_from(staff_sessions, staff)
            .where(staff_sessions.c.session_digest == digest)
        ).one_or_none()
        if row is None:
            return None
        return StaffSession(_member(row), row.csrf_token, row.created_at, row.expires_at, row.seen_at)

    def touch_session(self, digest: str, now: datetime) -> None:
        self._connection.execute(
            update(staff_sessions).where(staff_sessions.c.session_digest == digest).values(seen_at=now)
        )

    def end_session(self, digest: str) -> None:
        self._connection.execute(delete(staff_sessions).where(staff_sessions.c.session_digest == digest))

    def end_sessions_of(self, staff_id: str) -> None:
        self._connection.execute(delete(staff_sessions).where(staff_sessions.c.staff_id == staff_id))

    # --- attempts ---

    def failures_since(self, subject: str, since: datetime) -> list[datetime]:
        """Times of failed attempts, oldest first."""
        rows = self._connection.execute(
            select(sign_in_attempts.c.at)
            .where(sign_in_attempts.c.subject == subject)
            .where(sign_in_attempts.c.at > since)
            .where(sign_in_attempts.c.succeeded.is_(False))
            .order_by(sign_in_attempts.c.at)
        )
        return list(rows.scalars())

    def add_attempt(self, subject: str, now: datetime) -> int:
        """An attempt counts as failed until :meth:`mark_succeeded` says otherwise."""
        result = self._connection.execute(
            insert(sign_in_attempts)
            .values(subject=subject, at=now, succeeded=False)
            .returning(sign_in_attempts.c.attempt_id)
        )
        return int(result.scalar_one())

    def mark_succeeded(self, attempts: list[int]) -> None:
        self._connection.execute(
            update(sign_in_attempts).where(sign_in_attempts.c.attempt_id.in_(attempts)).values(succeeded=True)
        )

    def forget_before(self, moment: datetime) -> None:
        """Drop attempts and expired sessions that nothing will ask for again."""
        self._connection.execute(delete(sign_in_attempts).where(sign_in_attempts.c.at < moment))
        self._connection.execute(delete(staff_sessions).where(staff_sessions.c.expires_at < moment))

    def _one(self, query: Any) -> StaffMember | None:
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _member(row)

    def _set(self, staff_id: str, **values: object) -> None:
        self._connection.execute(update(staff).where(staff.c.staff_id == staff_id).values(**values))


def _member(row: Any) -> StaffMember:
    return StaffMember(**{column.name: getattr(row, column.name) for column in _MEMBER})
