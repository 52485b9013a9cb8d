"""Repository of the topic: needs."""

from sqlalchemy import Connection


class Needs:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
