"""Repository of the topic: firm."""

from sqlalchemy import Connection


class Firms:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
