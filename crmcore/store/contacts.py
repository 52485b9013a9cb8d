"""How customers are reached; a contact that was replaced stays, no longer current."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, insert, select, update

from crmcore.customers import Contact, ContactKind
from crmcore.store.schema import contacts


class Contacts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, *new: Contact) -> None:
        values = [{c.name: getattr(contact, c.name) for c in contacts.columns} for contact in new]
        if values:
            self._connection.execute(insert(contacts), values)

    def by_source(self, source_key: str) -> Contact | None:
        return self._first(contacts.c.source_key == source_key)

    def current_of(self, customer_id: str, kind: ContactKind) -> Contact | None:
        """The newest current contact of a kind."""
        return self._first(
            contacts.c.customer_id == customer_id, contacts.c.kind == kind, contacts.c.current.is_(True)
        )

    def all_of(self, customer_id: str) -> list[Contact]:
        """All current contacts, the newest first."""
        query = (
            select(contacts)
            .where(contacts.c.customer_id == customer_id, contacts.c.current.is_(True))
            .order_by(contacts.c.changed_at.desc(), contacts.c.contact_id)
        )
        return [Contact(**row) for row in self._connection.execute(query).mappings()]

    def current_of_all(self, customer_ids: Sequence[str]) -> dict[str, list[Contact]]:
        """The current contacts of several customers, the newest first."""
        query = (
            select(contacts)
            .where(contacts.c.customer_id.in_(customer_ids), contacts.c.current.is_(True))
            .order_by(contacts.c.changed_at.desc(), contacts.c.contact_id)
        )
        found: dict[str, list[Contact]] = {customer_id: [] for customer_id in customer_ids}
        for row in self._connection.execute(query).mappings():
            found[row["customer_id"]].append(Contact(**row))
        return found

    def owner_of(self, kind: ContactKind, normalized: str) -> str | None:
        """The one customer with this current contact; None when there is none or more than one."""
        query = (
            select(contacts.c.customer_id)
            .where(contacts.c.kind == kind, contacts.c.normalized == normalized, contacts.c.current.is_(True))
            .distinct()
            .limit(2)
        )
        owners = list(self._connection.execute(query).scalars())
        return owners[0] if len(owners) == 1 else None

    def retire(self, customer_id: str, kind: ContactKind) -> None:
        """What was current of this kind is current no longer."""
        self._connection.execute(
            update(contacts)
            .where(contacts.c.customer_id == customer_id, contacts.c.kind == kind)
            .values(current=False)
        )

    def _first(self, *conditions: ColumnElement[bool]) -> Contact | None:
        query = select(contacts).where(*conditions).order_by(contacts.c.changed_at.desc()).limit(1)
        row = self._connection.execute(query).mappings().one_or_none()
        return None if row is None else Contact(**row)
