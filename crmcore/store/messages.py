"""Repository of the topic: messages."""

from sqlalchemy import Connection


class Messages:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
