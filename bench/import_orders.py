"""A million order rows into SQLite and PostgreSQL, beside pandas' ``to_sql``: seconds and peak memory.

``python -m bench.import_orders`` writes a log of random orders, then takes turns: Rapport's own command,
the same file again, and a script that reads it with pandas and writes it with ``to_sql`` into a bare table.
Each is a process of its own, measured from its start to its end. The PostgreSQL server is the one that
``--postgres`` names; databases are made there and dropped.
"""

import argparse
import json
import os
import random
import resource
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from subprocess import Popen
from time import perf_counter
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from bench.results import write_result

ROOT = Path(__file__).resolve().parent.parent
PEER = """
import sys, pandas, sqlalchemy
log = pandas.read_csv(sys.argv[1], parse_dates=["ordered_at"], dtype={"order_id": str, "customer_id": str})
log.to_sql("orders", sqlalchemy.create_engine(sys.argv[2]), index=False)
"""
Measured = tuple[float, float, float]  # Seconds, its own seconds of a processor, MB at the peak.


def write_log(path: Path, rows: int) -> None:
    """Ten orders a customer, over two years; numbers rise with time, as they do in a shop."""
    rng = random.Random(7)
    first = datetime(2024, 1, 1)  # noqa: DTZ001 - written without a zone, as shops do.
    with path.open("w", encoding="utf-8") as file:
        file.write("order_id,customer_id,ordered_at,amount,product\n")
        seconds = sorted(rng.randrange(63_000_000) for _ in range(rows))
        for number, second in enumerate(seconds):
            at = first + timedelta(seconds=second)
            customer, cents = rng.randrange(rows // 10 or 1), rng.randrange(100, 30_000)
            file.write(f"{10**9 + number},c{customer:07d},{at},{cents / 100:.2f},p{rng.randrange(500)}\n")


def run(command: list[str], **environment: str) -> Measured:
    """One process; raises when it fails."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = perf_counter()
    with tempfile.TemporaryFile() as said:
        process = Popen(command, cwd=ROOT, env={**inherited, **environment}, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(
                f"{command[:4]} ended with {process.returncode}: {said.read()[-2000:].decode()}"
            )
    return perf_counter() - started, usage.ru_utime + usage.ru_stime, _megabytes(usage)


def _megabytes(usage: resource.struct_rusage) -> float:
    kilobytes = usage.ru_maxrss / 1024 if sys.platform == "darwin" else usage.ru_maxrss
    return kilobytes / 1024


class Postgres:
    """Makes and drops databases on a server."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)

    def create(self) -> str:
        name = f"bench_{uuid4().hex[:12]}"
        self._admin("CREATE DATABASE {}", name)
        return self._url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        self._admin("DROP DATABASE {} WITH (FORCE)", str(make_url(url).database))

    def _admin(self, statement: str, name: str) -> None:
        plain = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def one_round(log: Path, where: Path, target: str, server: Postgres) -> dict[str, Measured]:
    """Rapport, Rapport again with the same file, and pandas, each into a database of its own."""
    home = where / f"home-{uuid4().hex[:8]}"
    ours, theirs = (
        (f"sqlite:///{home / 'rapport.db'}", f"sqlite:///{where / f'{home.name}.db'}")
        if target == "sqlite"
        else (server.create(), server.create())
    )
    rapport = [sys.executable, "-m", "cli"]
    compiled = {"PYTHONPYCACHEPREFIX": str(where / "compiled"), "OPENBLAS_NUM_THREADS": "1"}
    environment = {"RAPPORT_HOME": str(home), "RAPPORT_DATABASE_URL": ours, **compiled}
    run([*rapport, "firm", "export"], **environment)  # The schema and the firm are there beforehand.
    taking = [*rapport, "import", "orders", str(log), "--json"]
    found = {
        "rapport": run(taking, **environment),
        "rapport_again": run(taking, **environment),
        "pandas": run([sys.executable, "-c", PEER, str(log), theirs], **compiled),
    }
    if target != "sqlite":
        server.drop(ours)
        server.drop(theirs)
    return found


def summed(rounds: list[dict[str, Measured]]) -> dict[str, object]:
    figures: dict[str, object] = {}
    for name in rounds[0]:
        seconds, processor, memory = zip(*(found[name] for found in rounds), strict=True)
        figures[name] = {
            "seconds": round(median(seconds), 1),
            "seconds_from_to": [round(min(seconds), 1), round(max(seconds), 1)],
            "processor_seconds": round(median(processor), 1),
            "peak_mb": round(median(memory)),
        }
    ratios = [found["rapport"][0] / found["pandas"][0] for found in rounds]
    figures["rapport_to_pandas"] = {
        "seconds": round(median(ratios), 2),
        "seconds_from_to": [round(min(ratios), 2), round(max(ratios), 2)],
        "processor_seconds": round(median(f["rapport"][1] / f["pandas"][1] for f in rounds), 2),
        "peak_mb": round(median(f["rapport"][2] / f["pandas"][2] for f in rounds), 2),
    }
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", default="postgresql+psycopg://postgres@127.0.0.1/postgres")
    said = parser.parse_args()
    server = Postgres(said.postgres)
    with tempfile.TemporaryDirectory() as directory:
        where = Path(directory)
        log = where / "orders.csv"
        write_log(log, said.rows)
        few = where / "few.csv"
        write_log(few, 1000)
        for target in ("sqlite", "postgresql"):
            one_round(few, where, target, server)  # Compiles what is imported, for both.
        rounds: dict[str, list[dict[str, Measured]]] = {"sqlite": [], "postgresql": []}
        for _ in range(said.rounds):
            for target, found in rounds.items():
                found.append(one_round(log, where, target, server))
                print(target, json.dumps({k: [round(v, 1) for v in pair] for k, pair in found[-1].items()}))
        figures = {
            "rows": said.rows,
            "rounds": said.rounds,
            "load_average": round(os.getloadavg()[2], 1),
            **{target: summed(found) for target, found in rounds.items()},
        }
    write_result(
        "import_orders",
        f"python -m bench.import_orders --rows {said.rows} --rounds {said.rounds}",
        figures,
        "Whole processes, medians of the rounds. Rapport settles formats, checks each row, numbers repeats, "
        "makes the customers, and fills a table with a key, references and two more indexes; pandas fills a "
        "bare table with floats. rapport_again is the same file a second time, which changes nothing. "
        "load_average is that of the last 15 minutes: other work on the machine slows both. "
        "processor_seconds are the process's own, without the server's.",
    )


if __name__ == "__main__":
    main()
