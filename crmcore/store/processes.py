"""The processes that run, each with a count of its beats."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from crmcore.processes import Process
from crmcore.store.schema import processes


class Processes:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def beat(self, process: Process, now: datetime) -> None:
        """Count one more beat; a process that was forgotten meanwhile is there again."""
        counted = self._connection.execute(
            update(processes)
            .where(processes.c.process_id == process.process_id)
            .values(beat=processes.c.beat + 1, seen_at=now)
        )
        if not counted.rowcount:
            self._connection.execute(insert(processes).values({**vars(process), "seen_at": now}))

    def all(self) -> list[Process]:
        rows = self._connection.execute(select(processes).order_by(processes.c.process_id)).mappings()
        return [Process(**row) for row in rows]

    def remove(self, process_id: str) -> None:
        self._connection.execute(delete(processes).where(processes.c.process_id == process_id))
