"""Repository of the topic: callbacks."""

from sqlalchemy import Connection


class Callbacks:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
