"""Repository of the topic: offers."""

from sqlalchemy import Connection


class Offers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
