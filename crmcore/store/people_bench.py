"""The bench on which rows become customers, contacts and consents."""

from collections.abc import Mapping

from crmcore.customers import CONTACT_KINDS
from crmcore.ids import new_id
from crmcore.imports.people import PURPOSES
from crmcore.store.workbench import APART, Workbench, moment

_FACTS = ("customer_id", "name", "language", "manager", *CONTACT_KINDS, *PURPOSES, "decided")
_CONTENT = f"concat_ws({APART}, {', '.join(f"coalesce({fact}::VARCHAR, '')" for fact in _FACTS)})"


class PeopleBench(Workbench):
    """Rows as :func:`crmcore.tables.people_lines.people_lines` reads them."""

    _has_amounts = False

    def settle(self, *, drop_duplicates: bool) -> None:
        """One row a customer; the same row twice is one, asked for or not."""
        del drop_duplicates
        self._number_rows(_CONTENT, "customer_id", "line")
        self._keep_one_of_each(
            "customer_id", "customer_id stands in rows that differ; a customer has one row"
        )

    def queries(self) -> Mapping[str, str]:
        nonce = new_id("import")  # So that no two imports make the same ids.
        contacts = " UNION ALL ".join(
            f"""SELECT 'con_' || left(md5('{nonce}:{kind}:' || key), 20), key, '{kind}', {kind}, {kind}_key
            FROM kept WHERE {kind} IS NOT NULL"""
            for kind in CONTACT_KINDS
        )
        consents = " UNION ALL ".join(
            f"SELECT key, '{purpose}', {purpose}, {moment('decided')} FROM kept WHERE {purpose} IS NOT NULL"
            for purpose in PURPOSES
        )
        return {
            "import_people": "SELECT key, name, language, manager, 1 FROM kept ORDER BY key",
            "import_contacts": contacts,
            "import_consents": consents,
        }
