"""Repository of the topic: value."""

from sqlalchemy import Connection


class Values:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
