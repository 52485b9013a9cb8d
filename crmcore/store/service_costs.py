"""What serving customers cost."""

from dataclasses import asdict

from sqlalchemy import Connection, insert

from crmcore.service_costs import ServiceCost
from crmcore.store.schema import service_costs


class ServiceCosts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, *new: ServiceCost) -> None:
        if new:
            self._connection.execute(insert(service_costs), [asdict(cost) for cost in new])
