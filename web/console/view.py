"""The board as rows of a table and bars of a chart, both from the same numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from crmcore.console import NeedsReport, mask_personal
from crmcore.firm import Firm
from crmcore.money import from_minor
from crmcore.needs.board import BoardRow
from web.console.chart import Bar, needs_chart
from web.console.filters import STATUSES, TIER_NAMES, TIERS, WEIGHTS, Filters

WIDE, NARROW = 620, 330
EVIDENCE = "/console/verbatims"

SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}
LATEST = 6  # Verbatims beside the numbers.

DICTIONARY = {
    "category": "what the need is about, from the firm's catalogue",
    "status": "understood (not confirmed), open (confirmed, unmet), met, withdrawn, contradicted",
    "tier": "of the customer now: MVC most valuable, MGC most growable, BZ below zero, core, unknown",
    "stated_at": "when it was said, UTC",
    "product": "what was named, if anything",
    "confidence": "of having understood it, 0 to 1",
    "verbatim": "the customer's words with personal data masked",
}


@dataclass(frozen=True)
class Cell:
    tier: str
    count: int
    link: str


@dataclass(frozen=True)
class Row:
    category: str
    title: str
    cells: tuple[Cell, ...]
    count: int
    customers: int
    worth: str
    growth: str
    link: str


@dataclass(frozen=True)
class Evidence:
    title: str
    tier: str
    tier_name: str
    status: str
    status_name: str
    product: str
    words: str
    confidence: int  # Percent.
    stated_at: datetime


def rows_of(report: NeedsReport, firm: Firm, filters: Filters) -> tuple[Row, ...]:
    """One row a category, the heaviest first by what the reader chose."""
    counts = {(cell.category, cell.tier): cell.count for cell in report.board.cells}
    found = []
    for category in {cell.category for cell in report.board.cells}:
        behind = [cell for cell in report.worth if cell.category == category]
        cells = tuple(
            Cell(
                tier, counts.get((category, tier), 0), filters.address(EVIDENCE, category=category, tier=tier)
            )
            for tier in TIERS
        )
        row = Row(
            category=category,
            title=title_of(firm, category),
            cells=cells,
            count=sum(cell.count for cell in cells),
            customers=sum(cell.customers for cell in behind),
            worth=whole(sum(cell.clv_minor for cell in behind), firm),
            growth=whole(sum(cell.potential_minor for cell in behind), firm),
            link=filters.address(EVIDENCE, category=category),
        )
        weight = {
            "number": row.count,
            "worth": sum(cell.clv_minor for cell in behind),
            "growth": sum(cell.potential_minor for cell in behind),
        }[filters.by]
        found.append((-weight, -row.count, row.title, row))
    return tuple(entry[-1] for entry in sorted(found, key=lambda entry: entry[:3]))


def charts_of(
    report: NeedsReport, firm: Firm, filters: Filters, order: Iterable[Row]
) -> tuple[Markup, Markup]:
    """The same bars for a wide and for a narrow page; what costs more than it brings goes to the left."""
    if filters.by == "number":
        amounts = {(cell.category, cell.tier): float(cell.count) for cell in report.board.cells}
    else:
        minor = "clv_minor" if filters.by == "worth" else "potential_minor"
        amounts = {
            (cell.category, cell.tier): float(from_minor(getattr(cell, minor), firm.currency))
            for cell in report.worth
        }
    bars = tuple(
        Bar(title_of(firm, category), tier, amount, _evidence(filters, category, tier))
        for (category, tier), amount in sorted(amounts.items())
        if amount
    )
    title = WEIGHTS[filters.by] + ("" if filters.by == "number" else f", {firm.currency}")
    titles = tuple(row.title for row in order)
    # The text comes from our own specification and the converter escapes what it writes.
    wide, narrow = (Markup(needs_chart(bars, titles, title, width)) for width in (WIDE, NARROW))  # noqa: S704
    return wide, narrow


def evidence_of(rows: Iterable[BoardRow], firm: Firm) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            title=title_of(firm, row.category),
            tier=row.tier,
            tier_name=TIER_NAMES[row.tier],
            status=row.status,
            status_name=STATUSES[row.status],
            product=row.product or "",
            words=mask_personal(row.verbatim, [row.customer_name] if row.customer_name else []),
            confidence=round(row.confidence * 100),
            stated_at=row.stated_at.astimezone(firm.zone),
        )
        for row in rows
    )


def csv_of(report: NeedsReport, firm: Firm, filters: Filters, now: datetime) -> str:
    """One line a need, headed by lines that say as of when, under which filters, and what a column means."""
    out = io.StringIO()
    writer = csv.writer(out)
    chosen = [f"{name}={value}" for name, value in vars(filters).items() if value and name != "by"] or [
        "none"
    ]
    value_day = report.value_as_of.isoformat() if report.value_as_of else "not scored yet"
    writer.writerow([_cell(f"# {firm.name}: needs as of {now:%Y-%m-%dT%H:%MZ}; tiers as of {value_day}")])
    writer.writerow([_cell(f"# Filters: {', '.join(chosen)}")])
    writer.writerow(
        [f"# Columns: {'; '.join(f'{name} = {meaning}' for name, meaning in DICTIONARY.items())}"]
    )
    writer.writerow(DICTIONARY)
    for row in report.board.rows:
        words = mask_personal(row.verbatim, [row.customer_name] if row.customer_name else [])
        stated = row.stated_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        values = (
            row.category,
            row.status,
            row.tier,
            stated,
            row.product or "",
            f"{row.confidence:.2f}",
            words,
        )
        writer.writerow([_cell(value) for value in values])
    return out.getvalue()


def title_of(firm: Firm, category: str) -> str:
    found = firm.need(category)
    name = (found.name.get("en") or next(iter(found.name.values()))) if found else category.replace("-", " ")
    return name[:1].upper() + name[1:]


def whole(minor: int, firm: Firm) -> str:
    """Money without its cents: the sums are estimates."""
    amount = f"{from_minor(abs(minor), firm.currency):,.0f}"
    sign = "−" if minor < 0 and amount != "0" else ""
    symbol = SYMBOLS.get(firm.currency)
    return f"{sign}{symbol}{amount}" if symbol else f"{sign}{amount} {firm.currency}"


def _evidence(filters: Filters, category: str, tier: str) -> str:
    return filters.address(EVIDENCE, category=category, tier=tier)


def _cell(text: str) -> str:
    """A spreadsheet runs what begins like a formula; a customer's words must stay words."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
