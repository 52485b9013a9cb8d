"""How often what customers really spent lay inside the interval that was promised for each of them.

The log is a table with a header (customer, day, amount; other names by option). The models are fitted until a
day and value every customer over a horizon after it, with a margin of one and no discount, so that value is
spend; then what each spent in that time is compared with his 95 % interval, and the total with the firm's.

    .venv/bin/python -m bench.value_coverage CDNOW_master.txt.gz --until 1997-09-30 --days 273 \\
        --columns customer_id date dollar_value
"""

import argparse
import gzip
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bench.results import write_result
from crmcore.value.engine import score_firm
from crmcore.value.model import Ledger, ValueTerms
from crmcore.value.purchase_log import PurchaseLog
from crmcore.value.segments import segment_interval


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--until", type=date.fromisoformat, required=True, help="fit until this day")
    parser.add_argument("--days", type=int, required=True, help="and look so many days ahead")
    parser.add_argument("--columns", nargs=3, default=("customer_id", "date", "amount"))
    arguments = parser.parse_args()
    log = read_log(arguments.log, *arguments.columns)
    name = arguments.log.name.split(".")[0]
    figures = coverage(log, arguments.until, arguments.days)
    print(figures)
    write_result(
        f"value_coverage_{name}",
        f".venv/bin/python -m bench.value_coverage {arguments.log.name} --until {arguments.until} "
        f"--days {arguments.days}",
        figures,
        "Share of customers whose spend in the hold-out lay inside their 95 % interval, by repeat purchases "
        "before. 'forecast' says which layers the values stand on.",
    )


def read_log(path: Path, customer: str, day: str, amount: str) -> list[tuple[str, date, float]]:
    """Rows of a table with a header, split at commas, or at blanks where there are none; gzip or not.
    Without an amount's name each row counts one."""
    content = path.read_bytes()
    lines = (gzip.decompress(content) if path.suffix == ".gz" else content).decode().splitlines()
    parted = [line.split(",") if "," in lines[0] else line.split() for line in lines]
    wanted = [parted[0].index(name) for name in (customer, day, amount) if name]
    rows = ([*(row[i] for i in wanted), "1"][:3] for row in parted[1:])
    return [(who, date.fromisoformat(when[:10]), float(much)) for who, when, much in rows]


def purchase_log(rows: list[tuple[str, date, float]]) -> PurchaseLog:
    ids: dict[str, int] = {}
    who = np.array([ids.setdefault(row[0], len(ids)) for row in rows])
    day, amount = np.array([row[1].toordinal() for row in rows]), np.array([row[2] for row in rows])
    return PurchaseLog.of(list(ids), who, day, amount)


def coverage(log: list[tuple[str, date, float]], until: date, days: int) -> dict[str, Any]:
    purchases = purchase_log(log).until(until.toordinal())
    summary = purchases.summary(until.toordinal())
    nothing = np.zeros(len(summary))
    ledger = Ledger(summary.spent, nothing, nothing, nothing)
    terms = ValueTerms(margin=1.0, discount_rate=0.0, horizon_days=days)
    scoring = score_firm(summary, ledger, terms, None, purchases)
    values, model = scoring.values, scoring.fit.model
    if values is None or model is None:
        raise SystemExit(f"nothing is valued by this fit: {scoring.fit.diagnostics}")

    end = until + timedelta(days=days)
    place = {customer: i for i, customer in enumerate(summary.customer_id)}
    came = np.zeros(len(summary))
    for customer, day, amount in log:
        if until < day <= end and customer in place:
            came[place[customer]] += amount
    # Half a cent for the rounding of floats.
    inside = (values.low - 0.005 <= came) & (came <= values.high + 0.005)
    x = summary.frequency
    low, high = segment_interval(values.clv, values.deviation, values.contribution, model.parameter_error)
    groups = {"0": x == 0, "1": x == 1, "2-3": (x > 1) & (x < 4), "4+": x >= 4}
    return {
        "customers": len(summary),
        "inside": round(float(inside.mean()), 4),
        "below": round(float((came < values.low - 0.005).mean()), 4),
        "above": round(float((came > values.high + 0.005).mean()), 4),
        "inside_by_repeat_purchases": {
            name: round(float(inside[rows].mean()), 4) for name, rows in groups.items() if rows.any()
        },
        "total_came": round(float(came.sum())),
        "total_expected": round(float(values.clv.sum())),
        "total_interval": [round(low), round(high)],
        "forecast": "closed form" if model.forecaster is None else str(model.forecaster.variant),
        "diagnostics": [d.code for d in scoring.fit.diagnostics],
    }


if __name__ == "__main__":
    main()
