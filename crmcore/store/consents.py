"""What customers agreed to, one row a purpose."""

from sqlalchemy import Connection, insert, select, update

from crmcore.customers import Consent, Purpose
from crmcore.store.schema import consents


class Consents:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, customer_id: str, purpose: Purpose) -> Consent | None:
        query = select(consents).where(consents.c.customer_id == customer_id, consents.c.purpose == purpose)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else Consent(**row)

    def granted(self, customer_id: str, purpose: Purpose) -> bool:
        """Silence is no consent."""
        consent = self.get(customer_id, purpose)
        return consent is not None and consent.granted

    def all_of(self, customer_id: str) -> list[Consent]:
        query = select(consents).where(consents.c.customer_id == customer_id).order_by(consents.c.purpose)
        return [Consent(**row) for row in self._connection.execute(query).mappings()]

    def add(self, *new: Consent) -> None:
        """First decisions, of customers who had made none."""
        values = [{c.name: getattr(consent, c.name) for c in consents.columns} for consent in new]
        if values:
            self._connection.execute(insert(consents), values)

    def decide(self, consent: Consent) -> None:
        """Write a decision over the earlier one."""
        values = {column.name: getattr(consent, column.name) for column in consents.columns}
        changed = self._connection.execute(
            update(consents)
            .where(consents.c.customer_id == consent.customer_id, consents.c.purpose == consent.purpose)
            .values(values)
        )
        if changed.rowcount == 0:
            self._connection.execute(insert(consents).values(values))
