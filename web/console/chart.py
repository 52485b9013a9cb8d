"""The chart of needs, drawn as SVG on the server.

The specification is Vega-Lite and its colours are the names of our design tokens, so one picture stands in
the page for both themes; a bar leads to the verbatims behind it. The table beside it says the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import vl_convert

from web.console.filters import TIER_NAMES, TIERS

COLOURS = {
    "MVC": "var(--person)",
    "MGC": "var(--brand)",
    "core": "var(--info-text)",
    "BZ": "var(--bz-text)",
    "unknown": "var(--edge)",
}
ROW_HEIGHT = 30
CONVERTER_BASE = "https://vega.github.io/vega-datasets/"


@dataclass(frozen=True)
class Bar:
    """One part of one row; ``amount`` is a number of needs, or money in whole units."""

    category: str
    tier: str
    amount: float
    link: str


@lru_cache(maxsize=64)
def needs_chart(bars: tuple[Bar, ...], order: tuple[str, ...], amount_title: str, width: int) -> str:
    """An ``<svg>`` element; categories in ``order``, the parts of each row in the order of the tiers."""
    shown = [tier for tier in TIERS if any(bar.tier == tier for bar in bars)]
    specification: dict[str, Any] = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": width,
        "height": {"step": ROW_HEIGHT},
        "background": "transparent",
        "padding": 0,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {
            "values": [
                {
                    "category": bar.category,
                    "tier": TIER_NAMES[bar.tier],
                    "place": TIERS.index(bar.tier),
                    "amount": bar.amount,
                    "link": bar.link,
                    "words": f"{bar.category}, {TIER_NAMES[bar.tier]}: {bar.amount:,.0f}",
                }
                for bar in bars
            ]
        },
        "mark": {"type": "bar", "height": 18, "stroke": "var(--surface)", "strokeWidth": 1},
        "encoding": {
            "y": {
                "field": "category",
                "type": "nominal",
                "sort": list(order),
                "title": None,
                "axis": {"domain": False, "ticks": False, "labelPadding": 8, "labelLimit": width * 2 // 5},
            },
            "x": {
                "aggregate": "sum",
                "field": "amount",
                "type": "quantitative",
                "title": amount_title,
                "axis": {"tickCount": 4, "domain": False, "ticks": False, "format": ",~f", "tickMinStep": 1},
            },
            "color": {
                "field": "tier",
                "type": "nominal",
                "scale": {
                    "domain": [TIER_NAMES[tier] for tier in shown],
                    "range": [COLOURS[tier] for tier in shown],
                },
                "legend": None,  # The page has its own, whose words can wrap.
            },
            "order": {"field": "place", "type": "quantitative"},
            "href": {"field": "link"},
            "description": {"field": "words"},
        },
        "config": {
            "font": "inherit",
            "view": {"stroke": None},
            "axis": {
                "gridColor": "var(--line)",
                "labelColor": "var(--text)",
                "titleColor": "var(--text-2)",
                "labelFontSize": 13,
                "titleFontSize": 12,
                "titleFontWeight": 400,
            },
        },
    }
    svg: str = vl_convert.vegalite_to_svg(specification, vl_version="5.21")
    # The converter writes links as absolute ones below its own base; ours are paths of this site.
    return svg.replace(f'xlink:href="{CONVERTER_BASE}/', 'href="/')
