"""Repository of the topic: escalations."""

from sqlalchemy import Connection


class Escalations:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
