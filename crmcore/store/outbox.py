"""Repository of the topic: outbox."""

from sqlalchemy import Connection


class Outbox:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
