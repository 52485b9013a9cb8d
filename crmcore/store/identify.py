"""Repository of the topic: identify."""

from sqlalchemy import Connection


class VerificationCodes:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
