"""How imported customers join those that are there, without taking back what they said here themselves."""

from __future__ import annotations

from datetime import datetime

from crmcore.store.staging import Beside, Joined, Merged, Staging


class PeopleImports(Staging):
    """Customers, contacts and consents of one file, laid down and joined."""

    def join(self, language: str, now: datetime) -> Joined:
        """Add the file's customers and correct the others; what a customer said here himself stays."""
        stayed = self._leave_out_contacts() + self._leave_out_consents()
        merged = self._look()
        new = self._join_customers(language, now)
        self._join_contacts(now)
        self._join_consents(now)
        return Joined(merged, new, stayed)

    def _leave_out_contacts(self) -> int:
        self.run(
            """
            DELETE FROM import_contacts AS s WHERE EXISTS (SELECT 1 FROM contacts c
                WHERE c.customer_id = s.customer_id AND c.kind = s.kind AND c.current
                AND c.normalized = s.normalized)
            """
        )
        return self.run(
            """
            DELETE FROM import_contacts AS s WHERE EXISTS (SELECT 1 FROM contacts c
                WHERE c.customer_id = s.customer_id AND c.kind = s.kind AND c.current
                AND c.source_key LIKE 'message:%')
            """
        )

    def _leave_out_consents(self) -> int:
        at = self.moment("s.decided_at")
        self.run(
            f"""
            DELETE FROM import_consents AS s WHERE EXISTS (SELECT 1 FROM consents c
                WHERE c.customer_id = s.customer_id AND c.purpose = s.purpose
                AND (c.granted = s.granted OR (c.source = 'import' AND {at} < c.decided_at)))
            """
        )
        return self.run(
            f"""
            DELETE FROM import_consents AS s WHERE EXISTS (SELECT 1 FROM consents c
                WHERE c.customer_id = s.customer_id AND c.purpose = s.purpose AND c.source <> 'import'
                AND (s.decided_at IS NULL OR {at} <= c.decided_at))
            """
        )

    def _look(self) -> Merged:
        other = """((s.name IS NOT NULL AND s.name <> c.name)
            OR (s.language IS NOT NULL AND s.language <> c.language)
            OR (s.manager IS NOT NULL AND s.manager <> coalesce(c.account_manager_id, ''))
            OR EXISTS (SELECT 1 FROM import_contacts t WHERE t.customer_id = s.customer_id)
            OR EXISTS (SELECT 1 FROM import_consents t WHERE t.customer_id = s.customer_id))"""
        return self.merged(
            Beside(
                "import_people s LEFT JOIN customers c ON c.customer_id = s.customer_id",
                there="c.customer_id IS NOT NULL",
                other=other,
            )
        )

    def _join_customers(self, language: str, now: datetime) -> int:
        self.run(
            """
            UPDATE customers AS c SET name = coalesce(s.name, c.name),
                language = coalesce(s.language, c.language),
                account_manager_id = coalesce(s.manager, c.account_manager_id)
            FROM import_people s WHERE s.customer_id = c.customer_id
            """
        )
        return self.run(
            """
            INSERT INTO customers (customer_id, name, language, demographics, lifestyle, usage,
                account_manager_id, created_at)
            SELECT s.customer_id, coalesce(s.name, ''), coalesce(s.language, :language), '{}', '{}', '{}',
                s.manager, :now
            FROM import_people s
            WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.customer_id = s.customer_id)
            ON CONFLICT (customer_id) DO NOTHING
            """,
            language=language,
            now=self.bound_moment(now),
        )

    def _join_contacts(self, now: datetime) -> None:
        self.run(
            """
            UPDATE contacts AS c SET current = FALSE FROM import_contacts s
            WHERE s.customer_id = c.customer_id AND s.kind = c.kind AND c.current
            """
        )
        self.run(
            """
            INSERT INTO contacts (contact_id, customer_id, kind, value, normalized, current, changed_at)
            SELECT s.contact_id, s.customer_id, s.kind, s.value, s.normalized, TRUE, :now
            FROM import_contacts s
            """,
            now=self.bound_moment(now),
        )

    def _join_consents(self, now: datetime) -> None:
        at = f"coalesce({self.moment('s.decided_at')}, :now)"
        bound = self.bound_moment(now)
        self.run(
            f"""
            UPDATE consents AS c SET granted = s.granted, decided_at = {at}, source = 'import'
            FROM import_consents s WHERE s.customer_id = c.customer_id AND s.purpose = c.purpose
            """,
            now=bound,
        )
        self.run(
            f"""
            INSERT INTO consents (customer_id, purpose, granted, decided_at, source)
            SELECT s.customer_id, s.purpose, s.granted, {at}, 'import' FROM import_consents s
            WHERE NOT EXISTS (SELECT 1 FROM consents c
                WHERE c.customer_id = s.customer_id AND c.purpose = s.purpose)
            """,
            now=bound,
        )
