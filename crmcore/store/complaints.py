"""Repository of the topic: complaints."""

from sqlalchemy import Connection


class Complaints:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
