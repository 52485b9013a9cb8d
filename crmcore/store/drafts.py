"""Repository of the topic: drafts."""

from sqlalchemy import Connection


class Drafts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
