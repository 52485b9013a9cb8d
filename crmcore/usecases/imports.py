"""Takes a firm's own files in: orders, customers, costs. A file goes in as a whole or not at all."""

from __future__ import annotations

import tempfile
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
from crmcore.store.imports import Imports, Merged
from crmcore.store.workbench import Workbench
from crmcore.tables.opening import Shape, opened
from crmcore.tables.order_lines import order_lines
from crmcore.tables.records import Cells, Records
from crmcore.tables.rejects import write_rejects
from crmcore.tables.table import BrokenRow, Table

Step = Callable[[str, int, int], None]  # What is being done, and how much of how much of it.


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
    """Take a file in; raises what :func:`import_orders` raises."""
    ways = {"orders": import_orders}
    return ways[kind](crm, request, step)


def import_orders(crm: Crm, request: Request, step: Step = lambda *_: None) -> ImportReport:
    """Orders and credits, whose customers come along when they are not known.

    Raises
    ------
    UnreadableFile, WrongMapping, SameRecordsAgain, StoreUnavailable : nothing was changed.
    """
    with _file(crm, "orders", request) as file:
        file.read(order_lines, step)
        file.bench.settle_orders(drop_duplicates=request.drop_duplicates)
        step("comparing", 0, 0)
        queries = {
            "import_customers": file.bench.staged_customers(),
            "import_orders": file.bench.staged_orders(),
            "import_returns": file.bench.staged_returns(),
        }
        fields = tuple(file.records.mapping.expressions)
        with crm.store.staged() as staged:
            staged.imports.lay_down(file.bench, queries)
            _refuse_the_same_again(staged.imports, file)
            merged, new_customers, outcome = Merged(), 0, file.outcome()
            if outcome == "refused":
                return file.report(merged, 0, outcome)
            try:
                with staged.write() as imports:
                    imports.wait_for_other_imports()
                    others = imports.of_other_customers()
                    if others:
                        file.bench.refuse_orders(
                            others, "order_id belongs to another customer in the database"
                        )
                        outcome = file.outcome()
                        if outcome == "refused":
                            raise _Undo
                        imports.lay_down_again(file.bench, queries)
                    step("writing", 0, 0)
                    new_customers = imports.join_customers(crm.firm.languages[0], crm.clock())
                    merged = imports.join_orders(crm.firm.currency, fields)
                    merged += imports.join_returns(crm.firm.currency)
                    if request.dry_run:
                        raise _Undo
            except _Undo:
                pass
        return file.report(merged, new_customers, outcome)


def _refuse_the_same_again(imports: Imports, file: _File) -> None:
    new, known = imports.known_otherwise(file.scheme)
    if known * 2 > new:
        raise SameRecordsAgain(
            f"{known} of the {new} new orders are in the database already, under ids that were made another "
            "way: same customer, same moment, same amount. They would count twice. Map order_id, quantity, "
            "product and currency (or leave them out) as in the import before"
        )


class _File:
    """A file on its way in: the table, what it means, and the bench that its rows lie on."""

    def __init__(self, crm: Crm, kind: Kind, request: Request, table: Table, workplace: Path) -> None:
        self.request, self.table, self._currency = request, table, crm.firm.currency
        mapping = read_mapping(kind, request.mapping, table.names, header=table.header)
        order, pattern = read_date_format(request.date_format)
        reading = Reading(
            currency=crm.firm.currency,
            zone=crm.firm.zone,
            latest=crm.firm.today(crm.clock()) + timedelta(days=1),  # Another time zone may be a day ahead.
            rates=Rates(crm.firm.currency),
            decimal=read_decimal(request.decimal),
            order=order,
            pattern=pattern,
            rounding=request.rounding,
            excluded=request.excluded,
            statuses=read_own_words(request.statuses),
        )
        self.records = Records(table, mapping, reading)
        letters = "".join(name[0] for name in ("quantity", "product", "currency") if name in mapping)
        self.scheme = f"row-{letters}-" if letters else "row-"
        self.bench = Workbench(workplace, self.scheme)
        self._rows = self._excluded = self._rounded = 0

    def read(self, rule: Callable[[Cells], tuple[Any, list[tuple[int, str]]]], step: Step) -> None:
        """Survey the file, then put its rows on the bench as the rule reads them."""
        self.records.survey(lambda done, size: step("looking", done, size))
        for cells in self.records.rows(lambda done, size: step("reading", done, size)):
            if isinstance(cells, BrokenRow):
                self._rows += 1
                reason = f"the row has {cells.found} columns and not {cells.expected}"
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

    def report(self, merged: Merged, new_customers: int, outcome: Outcome) -> ImportReport:
        rejected = self.bench.rejected()
        rejects = self._write_rejects() if rejected else None
        customers, total, kept = self.bench.figures()
        good = self._rows - self._excluded - rejected
        return ImportReport(
            kind=self.records.mapping.kind,
            outcome=outcome,
            read=self._rows,
            imported=merged.imported,
            updated=merged.updated,
            unchanged=merged.unchanged,
            rejected=rejected,
            duplicates=good - kept,
            excluded=self._excluded,
            repeats=self.bench.repeats(),
            rounded=self._rounded,
            customers=customers,
            new_customers=new_customers,
            total=from_minor(total, self._currency),
            currency=self._currency,
            reasons=tuple(Reason(*reason) for reason in self.bench.reasons()),
            rejects_file=rejects,
            described=self.table.described,
            mapping=self.records.mapping.texts(),
            guessed=self.records.mapping.guessed,
        )

    def _write_rejects(self) -> Path:
        path = self.request.rejects or self.request.workplace / f"rejected-{self.request.path.name}.csv"
        write_rejects(path, self.table, self.bench.rejects_between)
        return path


@contextmanager
def _file(crm: Crm, kind: Kind, request: Request) -> Iterator[_File]:
    """Opens a file and a bench for it; both are gone at the end."""
    request.workplace.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=request.workplace, prefix="import-") as directory,
        opened(request.path, request.shape, Path(directory)) as table,
    ):
        file = _File(crm, kind, request, table, Path(directory))
        with file.bench:
            yield file
