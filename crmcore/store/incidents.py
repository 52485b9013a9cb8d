"""Repository of the topic: incidents."""

from sqlalchemy import Connection


class Incidents:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
