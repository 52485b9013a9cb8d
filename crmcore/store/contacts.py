"""Repository of the topic: contacts."""

from sqlalchemy import Connection


class Contacts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
