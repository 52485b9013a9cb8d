"""Repository of the topic: jobs."""

from sqlalchemy import Connection


class Jobs:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
