"""Repository of the topic: decisions."""

from sqlalchemy import Connection


class Decisions:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
