"""Repository of the topic: orders."""

from sqlalchemy import Connection


class Orders:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
