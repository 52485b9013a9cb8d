"""Takes a firm's own files in: orders, customers, costs. A file goes in as a whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from crmcore.crm import Crm
from crmcore.imports.errors import SameRecordsAgain, UnreadableFile
from crmcore.imports.fields import Kind
from crmcore.imports.mapping import read_mapping
from crmcore.imports.options import Reading, read_date_format, read_decimal
from crmcore.imports.rates import Rates
from crmcore.imports.report import ImportReport, Outcome, Reason
from crmcore.imports.statuses import read_own_words
from crmcore.money import from_minor
from crmcore.store.cost_bench import CostBench
from crmcore.store.database import Staged
from crmcore.store.order_bench import OrderBench
from crmcore.store.people_bench import PeopleBench
from crmcore.store.staging import Joined
from crmcore.store.transaction import Transaction
from crmcore.store.workbench import Workbench
from crmcore.tables.cost_lines import cost_lines
from crmcore.tables.opening import Shape, opened
from crmcore.tables.order_lines import order_lines
from crmcore.tables.people_lines import people_lines
from crmcore.tables.rates import read_rates
from crmcore.tables.records import Cells, Records
from crmcore.tables.rejects import write_rejects
from crmcore.tables.table import BrokenRow, Table
from crmcore.usecases.value_refresh import refresh_values

# Customers whose values an import refreshes; of more the next scoring does it, because on SQLite nobody else
# writes meanwhile.
MOST_REFRESHED = 500
_FORGOTTEN_SECONDS = 86_400  # No import takes a day.
Step = Callable[[str, int, int], None]  # What is being done, and how much of how much of it.
Rule = Callable[[Cells], tuple[Any, list[tuple[int, str]]]]


@dataclass(frozen=True)
class Request:
    """A file and what the operator says about it. ``workplace`` is a private directory on a roomy disk."""

    path: Path
    workplace: Path
    mapping: Mapping[str, str] = field(default_factory=dict)
    shape: Shape = field(default_factory=Shape)
    decimal: str | None = None
    date_format: str | None = None
    statuses: Mapping[str, str] = field(default_factory=dict)
    excluded: Mapping[str, str] = field(default_factory=dict)
    rates: Path | None = None
    rejects: Path | None = None
    rounding: bool = False
    keep_good: bool = False
    drop_duplicates: bool = False
    dry_run: bool = False


class _Undo(Exception):
    """Ends a transaction that shall leave nothing behind."""


def import_file(crm: Crm, kind: Kind, request: Request, step: Step = lambda *_: None) -> ImportReport:
    """Take a file in. Customers who are not known come along with their orders and costs.

    Raises
    ------
    UnreadableFile, WrongMapping, SameRecordsAgain, StoreUnavailable : nothing was changed.
    """
    with _file(crm, kind, request) as file, crm.store.staged() as staged:
        file.read(_rule(crm, kind), step)
        file.bench.settle(drop_duplicates=request.drop_duplicates)
        joined = Joined()
        if file.outcome() != "refused":
            step("comparing", 0, 0)
            staged.imports.lay_down(file.bench, file.bench.queries())
            if kind == "orders":
                _refuse_the_same_again(staged, file)
            file.bench.rest()
            try:
                with staged.write() as tx:
                    step("writing", 0, 0)
                    joined = _join(crm, kind, staged, tx, file)
                    if request.dry_run:
                        raise _Undo
            except _Undo:
                pass
        return file.report(joined)


def _rule(crm: Crm, kind: Kind) -> Rule:
    match kind:
        case "orders":
            return order_lines
        case "costs":
            return cost_lines
    with crm.store.read() as tx:
        managers = {m.email.casefold(): m.staff_id for m in tx.staff.all() if m.role == "account_manager"}
    return people_lines(crm.firm.languages, managers)


def _refuse_the_same_again(staged: Staged, file: _File) -> None:
    new, known = staged.imports.orders_known_otherwise(file.scheme)
    if known * 2 > new:
        raise SameRecordsAgain(
            f"{known} of the {new} new orders are in the database already, under ids that were made another "
            "way: same customer, same moment, same amount. They would count twice. Map order_id, quantity, "
            "product and currency (or leave them out) as in the import before"
        )


def _join(crm: Crm, kind: Kind, staged: Staged, tx: Transaction, file: _File) -> Joined:
    """In the transaction; raises _Undo when the file turns out not to fit what is there."""
    now, language, currency = crm.clock(), crm.firm.languages[0], crm.firm.currency
    imports = staged.imports
    imports.wait_for_other_imports()
    if kind == "customers":
        return staged.people.join(language, now)
    others = imports.orders_of_others() if kind == "orders" else imports.costs_of_others()
    if others:
        own_id = "order_id" if kind == "orders" else "cost_id"
        file.bench.refuse(others, f"{own_id} belongs to another customer in the database")
        if file.outcome() == "refused":
            raise _Undo
        imports.lay_down_again(file.bench, file.bench.queries())
    new = imports.join_customers(language, now)
    fields = tuple(file.records.mapping.expressions)
    if kind == "orders":
        imports.find_returns_asked_for_here()
    news = sorted(imports.customers_with_news(kind, currency, fields, MOST_REFRESHED + 1))
    few = len(news) <= MOST_REFRESHED
    if few:  # Customers first and their orders second, as all who write them do: nobody waits in a circle.
        tx.value.lock(news)
    if kind == "costs":
        merged = imports.join_costs(currency)
    else:
        merged = imports.join_orders(currency, fields) + imports.join_returns(currency)
    if not news:
        return Joined(merged, new)
    if few and refresh_values(tx, crm.firm, news, now):
        return Joined(merged, new, values="refreshed", valued=len(news))
    return Joined(merged, new, values="next_scoring")


_BENCHES: dict[Kind, Callable[[Path, str], Workbench]] = {
    "orders": OrderBench,
    "customers": PeopleBench,
    "costs": CostBench,
}
# Optional fields that are part of what makes two rows without an id the same: their letters begin its digest.
_TELLING: dict[Kind, tuple[str, ...]] = {
    "orders": ("quantity", "product", "currency"),
    "customers": (),
    "costs": ("kind", "currency"),
}


class _File:
    """A file on its way in: the table, what it means, and the bench that its rows lie on."""

    def __init__(self, crm: Crm, kind: Kind, request: Request, table: Table, workplace: Path) -> None:
        self.request, self.table, self._currency = request, table, crm.firm.currency
        mapping = read_mapping(kind, request.mapping, table.names, header=table.header)
        order, pattern = read_date_format(request.date_format)
        own = crm.firm.currency
        reading = Reading(
            currency=own,
            zone=crm.firm.zone,
            latest=crm.firm.today(crm.clock()) + timedelta(days=1),  # Another time zone may be a day ahead.
            rates=Rates(own) if request.rates is None else read_rates(request.rates, own, workplace),
            decimal=read_decimal(request.decimal),
            order=order,
            pattern=pattern,
            rounding=request.rounding,
            excluded=request.excluded,
            statuses=read_own_words(request.statuses),
        )
        self.records = Records(table, mapping, reading)
        letters = "".join(name[0] for name in _TELLING[kind] if name in mapping)
        self.scheme = f"row-{letters}-" if letters else "row-"
        scheme = "" if kind == "customers" else self.scheme  # A customer always has an id.
        self.bench = _BENCHES[kind](workplace, scheme)
        self._rows = self._excluded = self._rounded = 0

    def read(self, rule: Rule, step: Step) -> None:
        """Survey the file, then put its rows on the bench as the rule reads them."""
        self.records.survey(lambda done, size: step("looking", done, size))
        for cells in self.records.rows(lambda done, size: step("reading", done, size)):
            if isinstance(cells, BrokenRow):
                self._rows += 1
                columns = "column" if cells.found == 1 else "columns"
                reason = f"the row has {cells.found} {columns} and not {cells.expected}"
                self.bench.reject([(cells.line, reason)])
                continue
            self.bench.add(*rule(cells))
            self._rows += cells.read
            self._excluded += cells.skipped
            self._rounded += cells.rounded
        if not self._rows:
            raise UnreadableFile(f"{self.request.path.name} has names of columns and no rows")

    def outcome(self) -> Outcome:
        if self.bench.rejected() and not self.request.keep_good:
            return "refused"
        return "tried" if self.request.dry_run else "imported"

    def report(self, joined: Joined) -> ImportReport:
        rejected = self.bench.rejected()
        rejects = self._write_rejects() if rejected else None
        customers, total, kept = self.bench.figures()
        good = self._rows - self._excluded - rejected
        return ImportReport(
            kind=self.records.mapping.kind,
            outcome=self.outcome(),
            read=self._rows,
            imported=joined.rows.imported,
            updated=joined.rows.updated,
            unchanged=joined.rows.unchanged,
            rejected=rejected,
            duplicates=good - kept,
            excluded=self._excluded,
            repeats=self.bench.repeats(),
            rounded=self._rounded,
            customers=customers,
            new_customers=joined.new_customers,
            stayed=joined.stayed,
            total=None if total is None else from_minor(total, self._currency),
            currency=self._currency,
            values=joined.values,
            valued=joined.valued,
            reasons=tuple(Reason(*reason) for reason in self.bench.reasons()),
            rejects_file=rejects,
            described=self.table.described,
            mapping=self.records.mapping.texts(),
            guessed=self.records.mapping.guessed,
        )

    def _write_rejects(self) -> Path:
        name = Path(self.request.path.name.removesuffix(".gz")).stem
        path = self.request.rejects or self.request.workplace / f"rejected-{name}.csv"
        write_rejects(path, self.table, self.bench.rejects_between)
        return path


@contextmanager
def _file(crm: Crm, kind: Kind, request: Request) -> Iterator[_File]:
    """Opens a file and a bench for it; both are gone at the end."""
    request.workplace.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(request.workplace)
    with (
        tempfile.TemporaryDirectory(dir=request.workplace, prefix="import-") as directory,
        opened(request.path, request.shape, Path(directory)) as table,
    ):
        file = _File(crm, kind, request, table, Path(directory))
        with file.bench:
            yield file


def _sweep(workplace: Path) -> None:
    """Remove what an import that was killed left behind: it holds customers' rows."""
    for left in workplace.glob("import-*"):
        if time.time() - left.stat().st_mtime > _FORGOTTEN_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
