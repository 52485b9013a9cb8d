"""The bench on which lines become orders and credits."""

from collections.abc import Mapping

from crmcore.store.workbench import APART, Workbench, moment

# What makes two rows the same row. Its status and its margin may change, so they are no part of it.
_CONTENT = f"""concat_ws({APART}, coalesce(order_id, ''), customer_id, moment, given,
    coalesce(currency, ''), coalesce(quantity::varchar, ''), coalesce(product, ''))"""

_AT_ONCE = 200_000  # Lines of several-line orders that are brought together at once; bounds memory.
_ITEM = """('{"product": ' || to_json(coalesce(product, '?')) || ', "quantity": '
    || greatest(1, coalesce(quantity, 1000000) // 1000000) || ', "amount_minor": ' || amount || '}')"""
_RANK = """CASE status WHEN 'placed' THEN 1 WHEN 'shipped' THEN 2 WHEN 'delivered' THEN 3
    WHEN 'returned' THEN 3 END"""
_STATUS_OF_ONE = "CASE status WHEN 'returned' THEN 'delivered' ELSE status END"


class OrderBench(Workbench):
    """Lines as :func:`crmcore.tables.order_lines.order_lines` reads them."""

    def settle(self, *, drop_duplicates: bool) -> None:
        """Give every line its order and bring the lines of an order together."""
        self._number_rows(_CONTENT, "order_id", "status, margin, line")
        if drop_duplicates:
            self._db.execute("DELETE FROM kept WHERE place > 1")
        self._refuse(
            "SELECT key FROM kept GROUP BY key HAVING min(customer_id) <> max(customer_id)",
            "order_id is used by several customers; an order has one",
        )
        self._db.execute("CREATE VIEW sold_lines AS SELECT * FROM kept WHERE NOT credit")
        self._db.execute(
            "CREATE TABLE several AS SELECT key FROM sold_lines GROUP BY key HAVING count(*) > 1"
        )
        self._db.execute(
            f"""
            CREATE TABLE sold AS
            SELECT key, customer_id, moment, amount, margin, {_STATUS_OF_ONE} AS status,
                CASE WHEN product IS NULL THEN '[]' ELSE '[' || {_ITEM} || ']' END AS items, 1 AS rows
            FROM sold_lines ANTI JOIN several USING (key)
            """
        )
        parts = 1 + self._one("SELECT count(*) FROM sold_lines SEMI JOIN several USING (key)") // _AT_ONCE
        for part in range(parts):
            self._db.execute(
                f"""
                INSERT INTO sold
                SELECT key, any_value(customer_id), min(moment),
                    coalesce(sum(amount) FILTER (is_valid), sum(amount)),
                    CASE WHEN count(margin) = count(*)
                        THEN coalesce(sum(margin) FILTER (is_valid), sum(margin)) END,
                    coalesce(['placed', 'shipped', 'delivered'][min({_RANK}) FILTER (is_valid)],
                        CASE WHEN bool_or(is_valid) THEN NULL ELSE 'cancelled' END),
                    CASE WHEN count(product) = 0 THEN '[]'
                        ELSE '[' || string_agg({_ITEM}, ', ' ORDER BY product, amount, quantity) || ']' END,
                    count(*)
                FROM (SELECT *, status IS DISTINCT FROM 'cancelled' AS is_valid
                    FROM sold_lines SEMI JOIN several USING (key) WHERE hash(key) % {parts} = {part})
                GROUP BY key
                """
            )
        self._db.execute(
            """
            CREATE TABLE credited AS
            SELECT return_id, any_value(customer_id) AS customer_id, min(moment) AS moment,
                sum(amount)::BIGINT AS amount,
                CASE WHEN count(margin) = count(*) THEN sum(margin)::BIGINT END AS margin,
                coalesce(max(returned_order), max(own)) AS order_ref,
                bool_or(is_whole) AS is_whole, count(*) AS rows
            FROM (
                SELECT CASE WHEN order_id IS NULL THEN key ELSE key || '-R' END AS return_id, customer_id,
                    moment, -amount AS amount, -margin AS margin, returned_order, order_id AS own,
                    false AS is_whole
                FROM kept WHERE credit
                UNION ALL
                SELECT key || '-R', customer_id, moment, amount, margin, key, key, true
                FROM kept WHERE NOT credit AND status = 'returned'
            ) GROUP BY return_id
            """
        )

    def refuse(self, keys: list[str], reason: str) -> None:
        """Takes orders out with their credits."""
        super().refuse(keys, reason)
        self._db.execute("DELETE FROM sold WHERE key IN (SELECT key FROM others)")
        theirs = "SELECT key FROM others UNION SELECT key || '-R' FROM others"
        self._db.execute(f"DELETE FROM credited WHERE return_id IN ({theirs})")

    def queries(self) -> Mapping[str, str]:
        return {
            "import_customers": "SELECT DISTINCT customer_id FROM kept ORDER BY customer_id",
            "import_orders": f"""
                SELECT key, customer_id, {moment("moment")}, amount::BIGINT, margin::BIGINT, status, items,
                    rows
                FROM sold ORDER BY sold.moment, key""",
            "import_returns": f"""
                SELECT return_id, order_ref, customer_id, {moment("moment")}, amount, margin, is_whole, rows
                FROM credited ORDER BY return_id""",
        }
