"""What serving customers cost."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, insert

from crmcore.service_costs import ServiceCost
from crmcore.store.schema import service_costs


class ServiceCosts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_all(self, costs: Sequence[ServiceCost]) -> None:
        if costs:
            self._connection.execute(insert(service_costs), [asdict(cost) for cost in costs])
