"""Sessions of foreign chat widgets: which conversation each goes on with, and what it was given of it."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from crmcore.sockets import SocketSession
from crmcore.store.schema import socket_sessions


class Sockets:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, session: SocketSession, forget_before: datetime) -> None:
        """Keep a new session; those that nobody has used since ``forget_before`` go."""
        self._connection.execute(delete(socket_sessions).where(socket_sessions.c.seen_at < forget_before))
        self._connection.execute(insert(socket_sessions).values(asdict(session)))

    def get(self, session_digest: str) -> SocketSession | None:
        query = select(socket_sessions).where(socket_sessions.c.session_digest == session_digest)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else SocketSession(**row)

    def see(self, session_digest: str, now: datetime) -> None:
        """The client came back."""
        self._connection.execute(
            update(socket_sessions)
            .where(socket_sessions.c.session_digest == session_digest)
            .values(seen_at=now)
        )

    def set_delivered(self, session_digest: str, seq: int, now: datetime) -> None:
        """The client was given the log up to this number; it never goes back."""
        self._connection.execute(
            update(socket_sessions)
            .where(socket_sessions.c.session_digest == session_digest, socket_sessions.c.delivered_seq < seq)
            .values(delivered_seq=seq, seen_at=now)
        )
