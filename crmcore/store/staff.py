"""Repository of the topic: staff."""

from sqlalchemy import Connection


class StaffMembers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
