"""Repository of the topic: conversations."""

from sqlalchemy import Connection


class Conversations:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
