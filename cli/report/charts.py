"""Charts, written as Vega-Lite and drawn as SVG.

Colours are the names of our design tokens, so that one picture stands in both themes. Brass is what people
did, pine is what the product foresaw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import vl_convert
from markupsafe import Markup, escape

ACTUAL, FORESEEN, OTHER = "var(--person)", "var(--brand)", "var(--info-text)"
PALE, BELOW, LINE, GROUND = "var(--edge)", "var(--bz-text)", "var(--text-3)", "var(--sunken)"
HALF, WHOLE, PHONE = 500, 1040, 310  # Widths in pixels.

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Chart:
    """Layers of one Vega-Lite view with the data of each in it; ``height`` in pixels."""

    layers: Sequence[Mapping[str, Any]]
    height: int = 240


def draw(chart: Chart, width: int, title: str, description: str) -> Markup:
    """An ``<svg>`` element that says to screen readers what it shows."""
    specification = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": width,
        "height": chart.height,
        "background": "transparent",
        "padding": {"left": 2, "top": 2, "bottom": 2, "right": 12},  # Half of the last number of an axis.
        "autosize": {"type": "fit-x", "contains": "padding"},
        "layer": chart.layers,
        "config": _LOOK,
    }
    svg: str = vl_convert.vegalite_to_svg(specification, vl_version="5.21")
    head, _, body = svg.partition(">")
    words = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    # The converter escapes what it writes; ours is escaped here.
    return Markup(f'{head} role="img">{words}{body}')  # noqa: S704


def layer(rows: Rows, mark: str, *, of: Mapping[str, Any] | None = None, **encoding: Any) -> dict[str, Any]:
    """``of``: properties of the mark."""
    return {"data": {"values": list(rows)}, "mark": {"type": mark, **(of or {})}, "encoding": encoding}


def rule(axis: str, at: float, **of: Any) -> dict[str, Any]:
    """A thin dashed line across the chart."""
    look = {"color": LINE, "strokeDash": [4, 4], **of}
    return layer([{"at": at}], "rule", of=look, **{axis: {"field": "at", "type": "quantitative"}})


def numbers(field: str, title: str | None, *, format: str = ",~f", **more: Any) -> dict[str, Any]:
    """A channel of numbers."""
    axis = {"format": format, "tickCount": 5, **more.pop("axis", {})}
    return {"field": field, "type": "quantitative", "title": title, "axis": axis, **more}


def names(field: str, title: str | None, order: Sequence[str], **axis: Any) -> dict[str, Any]:
    """A channel of names in a given order."""
    return {
        "field": field,
        "type": "nominal",
        "title": title,
        "sort": list(order),
        "axis": {"labelAngle": 0, "labelOverlap": False, **axis},
    }


def told_by(field: str, look: Mapping[str, Any]) -> dict[str, Any]:
    """A colour, shape or dash for each name; the page has a key of its own, whose words can wrap."""
    scale = {"domain": list(look), "range": list(look.values())}
    return {"field": field, "type": "nominal", "scale": scale, "legend": None}


def days(field: str, title: str | None = None) -> dict[str, Any]:
    """A channel of days, written as ISO text."""
    return {
        "field": field,
        "type": "temporal",
        "title": title,
        "scale": {"type": "utc"},
        "axis": {"format": "%b %y", "grid": False, "tickCount": 6, "labelFlush": True},
    }


_LOOK = {
    "font": "inherit",
    "aria": False,
    "view": {"stroke": None},
    "bar": {"color": FORESEEN},
    "point": {"filled": True, "opacity": 1, "size": 60},
    "axis": {
        "domain": False,
        "ticks": False,
        "gridColor": "var(--line)",
        "labelColor": "var(--text)",
        "titleColor": "var(--text-2)",
        "labelFontSize": 12,
        "labelPadding": 6,
        "labelOverlap": "greedy",
        "titleFontSize": 12,
        "titleFontWeight": 400,
        "titlePadding": 8,
    },
}
