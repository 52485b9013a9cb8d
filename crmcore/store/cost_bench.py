"""The bench on which rows become service costs."""

from collections.abc import Mapping

from crmcore.store.workbench import APART, Workbench, moment

_CONTENT = f"""concat_ws({APART}, coalesce(cost_id, ''), customer_id, moment, given,
    coalesce(currency, ''), kind)"""


class CostBench(Workbench):
    """Rows as :func:`crmcore.tables.cost_lines.cost_lines` reads them."""

    def settle(self, *, drop_duplicates: bool) -> None:
        """Give every cost an id; a cost that stands in the file twice under one id is one cost."""
        self._number_rows(_CONTENT, "cost_id", "line")
        self._keep_one_of_each("cost_id", "cost_id stands in rows that differ; a cost has one row")
        if drop_duplicates:
            self._db.execute("DELETE FROM kept WHERE place > 1")

    def queries(self) -> Mapping[str, str]:
        return {
            "import_customers": "SELECT DISTINCT customer_id FROM kept ORDER BY customer_id",
            "import_costs": f"""
                SELECT key, customer_id, {moment("moment")}, kind, amount, 1
                FROM kept ORDER BY kept.moment, key""",
        }
