"""Repository of the topic: customers."""

from sqlalchemy import Connection


class Customers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
