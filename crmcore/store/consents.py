"""Repository of the topic: consents."""

from sqlalchemy import Connection


class Consents:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
