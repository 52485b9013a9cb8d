"""How imported orders, returns and costs join those that are there: a few statements over whole tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from crmcore.imports.fields import Kind
from crmcore.store.staging import Beside, Merged, Staging

_MARGINS = frozenset({"margin", "margin_share", "cost"})
_RANK = "CASE {} WHEN 'placed' THEN 1 WHEN 'shipped' THEN 2 WHEN 'delivered' THEN 3 ELSE 0 END"
# A status only moves on: what was cancelled or delivered here stays so when the file is behind.
_MOVES_ON = f"""(s.status IS NOT NULL AND o.status <> 'cancelled'
    AND (s.status = 'cancelled' OR {_RANK.format("s.status")} > {_RANK.format("o.status")}))"""
_OTHER_MARGIN = (
    "(s.margin_minor IS NOT NULL AND ({0}.margin_minor IS NULL OR {0}.margin_minor <> s.margin_minor))"
)


class Imports(Staging):
    """The records of one file, laid down and joined."""

    # --- looking before joining ---------------------------------------------------------------------

    def orders_known_otherwise(self, scheme: str) -> tuple[int, int]:
        """How many orders are new, and how many of these are there under an id that was made another way.

        Two orders are the same when customer, moment and amount are. ``scheme`` begins the ids that this
        file's rows without an id were given.
        """
        new, known = self.numbers(
            f"""
            SELECT count(*), coalesce(sum(CASE WHEN EXISTS (
                SELECT 1 FROM orders o WHERE o.customer_id = s.customer_id
                AND o.ordered_at = {self.moment("s.ordered_at")} AND o.amount_minor = s.amount_minor
                AND CASE WHEN s.order_id LIKE 'row-%' THEN o.order_id NOT LIKE :scheme
                    ELSE o.order_id LIKE 'row-%' END) THEN 1 ELSE 0 END), 0)
            FROM import_orders s
            WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.order_id = s.order_id)
            """,
            scheme=f"{scheme}%",
        )
        return new, known

    def orders_of_others(self) -> list[str]:
        """Order ids of the file that another customer's order or return has."""
        return self.texts(
            """
            SELECT s.order_id FROM import_orders s JOIN orders o ON o.order_id = s.order_id
            WHERE o.customer_id <> s.customer_id
            UNION
            SELECT CASE WHEN s.return_id LIKE '%-R' THEN substr(s.return_id, 1, length(s.return_id) - 2)
                ELSE s.return_id END
            FROM import_returns s JOIN returns r ON r.return_id = s.return_id
            WHERE r.customer_id <> s.customer_id
            """
        )

    def costs_of_others(self) -> list[str]:
        """Cost ids of the file that another customer's cost has."""
        return self.texts(
            """
            SELECT s.cost_id FROM import_costs s JOIN service_costs c ON c.cost_id = s.cost_id
            WHERE c.customer_id <> s.customer_id
            """
        )

    def customers_with_news(self, kind: Kind, currency: str, fields: Sequence[str], most: int) -> list[str]:
        """Customers of whom the file tells something that is new or other than before; ``most`` of them."""
        besides = [self._costs()] if kind == "costs" else [self._orders(fields), self._returns()]
        news = " UNION ALL ".join(
            f"SELECT s.customer_id FROM {b.rows} WHERE NOT ({b.there}) OR {b.other}" for b in besides
        )
        return self.texts(
            f"SELECT DISTINCT customer_id FROM ({news}) AS news LIMIT {most}", currency=currency
        )

    # --- joining ------------------------------------------------------------------------------------

    def join_customers(self, language: str, now: datetime) -> int:
        """Customers who were not known, with no name yet; returns how many."""
        return self.run(
            """
            INSERT INTO customers (customer_id, name, language, demographics, lifestyle, usage, created_at)
            SELECT customer_id, '', :language, '{}', '{}', '{}', :now FROM import_customers s
            WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.customer_id = s.customer_id)
            ON CONFLICT (customer_id) DO NOTHING
            """,
            language=language,
            now=self.bound_moment(now),
        )

    def join_orders(self, currency: str, fields: Sequence[str]) -> Merged:
        """Add the file's orders, and correct those that it tells otherwise; ``fields`` are what is mapped."""
        at = self.moment("s.ordered_at")
        merged = self.merged(self._orders(fields), currency=currency)
        if merged.updated:
            other, changes = self._corrections(fields)
            self.run(
                f"""
                UPDATE orders AS o SET {changes} FROM import_orders s
                WHERE s.order_id = o.order_id AND ({other})
                """,
                currency=currency,
            )
        with self.many_new("orders", merged.imported):
            self.run(
                f"""
                INSERT INTO orders (order_id, customer_id, ordered_at, amount_minor, margin_minor, currency,
                    status, items, paid)
                SELECT s.order_id, s.customer_id, {at}, s.amount_minor, s.margin_minor, :currency,
                    coalesce(s.status, 'delivered'), {self.json("s.items")}, TRUE
                FROM import_orders s
                WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.order_id = s.order_id)
                ON CONFLICT (order_id) DO NOTHING
                """,
                currency=currency,
            )
        return merged

    def join_returns(self, currency: str) -> Merged:
        """Add what came back; a return that a customer asked for here is the same one, now refunded."""
        merged = self.merged(self._returns(), currency=currency)
        at = self.moment("s.requested_at")
        self.run(
            f"""
            UPDATE returns AS r SET amount_minor = s.amount_minor, currency = :currency, status = 'refunded',
                margin_minor = coalesce(s.margin_minor, r.margin_minor),
                requested_at = CASE WHEN r.source_key LIKE 'import%' THEN {at} ELSE r.requested_at END
            FROM import_returns s WHERE s.return_id = r.return_id AND {self._other_return()}
            """,
            currency=currency,
        )
        self.run(
            f"""
            INSERT INTO returns (return_id, order_id, customer_id, requested_at, reason, amount_minor,
                margin_minor, currency, status, source_key)
            SELECT s.return_id, NULL, s.customer_id, {at}, '', s.amount_minor, s.margin_minor, :currency,
                'refunded', 'import-guess:' || s.return_id
            FROM import_returns s
            WHERE NOT EXISTS (SELECT 1 FROM returns r WHERE r.return_id = s.return_id)
            ON CONFLICT (return_id) DO NOTHING
            """,
            currency=currency,
        )
        self._find_orders_of_returns()
        return merged

    def find_returns_asked_for_here(self) -> None:
        """A credit note with a number of its own may settle a return that the customer asked for in the chat.

        It does when it is the customer's only credit of that amount, and the only such return was asked for
        by the day after; a shop's day may end later than ours. Else both would lessen his value.
        """
        asked = f"""FROM returns r WHERE r.customer_id = s.customer_id AND r.amount_minor = s.amount_minor
            AND r.source_key LIKE 'message:%' AND r.requested_at <= {self.day_after("s.requested_at")}"""
        self.run(
            f"""
            UPDATE import_returns AS s
            SET return_id = (SELECT min(r.return_id) {asked}), order_ref = (SELECT min(r.order_id) {asked})
            WHERE (SELECT count(*) {asked}) = 1
            AND NOT EXISTS (SELECT 1 FROM returns r WHERE r.return_id = s.return_id)
            AND NOT EXISTS (SELECT 1 FROM import_returns t WHERE t.customer_id = s.customer_id
                AND t.amount_minor = s.amount_minor AND t.return_id <> s.return_id)
            """
        )

    def _find_orders_of_returns(self) -> None:
        """Tell which order came back: the one that the file names, else the only earlier one of that amount.

        What was guessed is guessed again for the customers of this file, so that it does not depend on
        which file came first.
        """
        self.run(
            """
            UPDATE returns AS r SET order_id = s.order_ref, source_key = CASE
                WHEN r.source_key LIKE 'import%' THEN 'import:' || r.return_id ELSE r.source_key END
            FROM import_returns s
            WHERE s.return_id = r.return_id AND (r.order_id IS NULL OR r.source_key LIKE 'import-guess:%')
            AND EXISTS (SELECT 1 FROM orders o
                WHERE o.order_id = s.order_ref AND o.customer_id = s.customer_id)
            """
        )
        self.run(
            """
            UPDATE returns AS r SET order_id = coalesce(
                (SELECT o.order_id FROM orders o
                    WHERE o.customer_id = r.customer_id AND o.order_id || '-R' = r.return_id),
                (SELECT min(o.order_id) FROM orders o
                    WHERE o.customer_id = r.customer_id AND o.amount_minor = r.amount_minor
                    AND o.ordered_at <= r.requested_at AND o.status <> 'cancelled'
                    HAVING count(*) = 1))
            WHERE r.source_key LIKE 'import-guess:%'
            AND r.customer_id IN (SELECT customer_id FROM import_customers)
            """
        )

    def join_costs(self, currency: str) -> Merged:
        """Add the file's costs, and correct those that it tells otherwise."""
        at = self.moment("s.incurred_at")
        merged = self.merged(self._costs(), currency=currency)
        if merged.updated:
            self.run(
                f"""
                UPDATE service_costs AS c SET incurred_at = {at}, amount_minor = s.amount_minor,
                    kind = s.kind, currency = :currency
                FROM import_costs s WHERE s.cost_id = c.cost_id AND {self._costs().other}
                """,
                currency=currency,
            )
        self.run(
            f"""
            INSERT INTO service_costs (cost_id, customer_id, incurred_at, kind, amount_minor, currency)
            SELECT s.cost_id, s.customer_id, {at}, s.kind, s.amount_minor, :currency FROM import_costs s
            WHERE NOT EXISTS (SELECT 1 FROM service_costs c WHERE c.cost_id = s.cost_id)
            ON CONFLICT (cost_id) DO NOTHING
            """,
            currency=currency,
        )
        return merged

    # --- parts --------------------------------------------------------------------------------------

    def _orders(self, fields: Sequence[str]) -> Beside:
        other, _ = self._corrections(fields)
        return Beside(
            "import_orders s LEFT JOIN orders o ON o.order_id = s.order_id",
            there="o.order_id IS NOT NULL",
            other=f"({other} OR {self._came_back()})" if "status" in fields else f"({other})",
        )

    def _returns(self) -> Beside:
        """A return of a whole order is told by the order's own lines, which are counted there."""
        return Beside(
            "import_returns s LEFT JOIN returns r ON r.return_id = s.return_id",
            there="r.return_id IS NOT NULL",
            other=self._other_return(),
            counted="NOT s.is_whole",
        )

    def _costs(self) -> Beside:
        return Beside(
            "import_costs s LEFT JOIN service_costs c ON c.cost_id = s.cost_id",
            there="c.cost_id IS NOT NULL",
            other=f"""(c.incurred_at <> {self.moment("s.incurred_at")} OR c.amount_minor <> s.amount_minor
                OR c.kind <> s.kind OR c.currency <> :currency)""",
        )

    def _corrections(self, fields: Sequence[str]) -> tuple[str, str]:
        """When the file tells an order otherwise, and what is then set."""
        at = self.moment("s.ordered_at")
        differs = [f"o.ordered_at <> {at}", "o.amount_minor <> s.amount_minor", "o.currency <> :currency"]
        changes = [f"ordered_at = {at}", "amount_minor = s.amount_minor", "currency = :currency"]
        if _MARGINS & set(fields):
            differs.append(_OTHER_MARGIN.format("o"))
            changes.append("margin_minor = coalesce(s.margin_minor, o.margin_minor)")
        if "product" in fields:
            differs.append("CAST(o.items AS TEXT) <> s.items")
            changes.append(f"items = {self.json('s.items')}")
        if "status" in fields:
            differs.append(_MOVES_ON)
            changes.append(f"status = CASE WHEN {_MOVES_ON} THEN s.status ELSE o.status END")
        return " OR ".join(differs), ", ".join(changes)

    def _other_return(self) -> str:
        return f"""(r.amount_minor <> s.amount_minor OR r.status <> 'refunded' OR r.currency <> :currency
            OR {_OTHER_MARGIN.format("r")}
            OR (r.source_key LIKE 'import%' AND r.requested_at <> {self.moment("s.requested_at")}))"""

    def _came_back(self) -> str:
        """Whether the file tells that an order came back as a whole, and nobody has told that before."""
        return """EXISTS (SELECT 1 FROM import_returns w LEFT JOIN returns r ON r.return_id = w.return_id
            WHERE w.order_ref = s.order_id AND w.is_whole
            AND (r.return_id IS NULL OR r.status <> 'refunded' OR r.amount_minor <> w.amount_minor))"""
