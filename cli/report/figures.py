"""What a figure of the page is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cli.report.charts import HALF, PHONE, WHOLE, Chart, draw


@dataclass(frozen=True)
class Table:
    """``rows``: cells of text, the first one names the row."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Figure:
    """A chart with what it shows (``title``), how to read it, and its numbers. ``key``: colour class and
    name. The picture is drawn twice, for a wide and for a narrow page."""

    title: str
    reading: str
    wide: Markup
    narrow: Markup
    key: tuple[tuple[str, str], ...]
    table: Table
    spans: bool


def figure(
    chart: Chart,
    *,
    title: str,
    reading: str,
    table: Table,
    key: tuple[tuple[str, str], ...],
    spans: bool = False,
) -> Figure:
    """Draw the chart; ``spans``: across the whole page."""
    wide, narrow = (draw(chart, width, title, reading) for width in (WHOLE if spans else HALF, PHONE))
    return Figure(title, reading, wide, narrow, key, table, spans)
