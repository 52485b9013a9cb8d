"""The value report as a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cli.report import numbers
from cli.report.figures import Figure
from cli.report.of_hold_out import pace, trust, verdicts
from cli.report.of_values import unknown, worth
from crmcore.settings import ROOT
from crmcore.usecases.value_findings import Found, Missing, Parameter
from crmcore.usecases.value_report import ValueReport

_HERE = Path(__file__).parent
_TOKENS = ROOT / "web" / "static" / "tokens.css"  # The product's colours and type, named in one place.
_SHARED = ROOT / "web" / "static" / "base.css"
_LONGEST_NUMBER = 24  # Characters.


@dataclass(frozen=True)
class Section:
    """``missing`` stands where the data do not allow a figure."""

    name: str
    title: str
    figures: tuple[Figure, ...]
    missing: tuple[Missing, ...]
    said: tuple[str, ...] = ()


def render(report: ValueReport) -> str:
    """One HTML document; whatever somebody typed is escaped."""
    html: str = (
        _environment()
        .get_template("value_report.html")
        .render(
            report=report,
            style=_style(),
            held=None if isinstance(report.hold_out, Missing) else report.hold_out,
            values=None if isinstance(report.values, Missing) else report.values,
            sections=list(_sections(report)),
            findings=list(_findings(report)),
            parameters=list(_parameters(report)),
            variant=_variant,
            is_long=_is_long,
            **{name: getattr(numbers, name) for name in ("count", "day", "money", "percent")},
        )
    )
    return html


def _sections(report: ValueReport) -> Iterator[Section]:
    held, values = report.hold_out, report.values
    if isinstance(held, Missing):
        yield Section("trust", "Can the forecast be trusted?", (), (held,))
    else:
        figures = tuple(trust(held, report.currency))
        yield Section("trust", "Can the forecast be trusted?", figures, (), tuple(verdicts(held)))
        yield Section("pace", "Does the model keep pace with the shop?", tuple(pace(held)), ())
    if isinstance(values, Missing):
        yield Section("worth", "What are the customers worth?", (), (values,))
    else:
        yield Section("worth", "What are the customers worth?", tuple(worth(values)), tuple(unknown(values)))


def _variant(name: str) -> str:
    """``Pareto/NBD + pace + habits`` as ``Pareto/NBD with pace and habits``."""
    form, *layers = name.split(" + ")
    *first, last = layers or [""]
    return f"{form} with {', '.join(first)} and {last}" if first else f"{form} with {last}" if last else form


def _is_long(cell: str) -> bool:
    """A sentence, which a table sets as text and not as a number."""
    return len(cell) > _LONGEST_NUMBER


def _findings(report: ValueReport) -> Iterator[tuple[str, Found]]:
    if not isinstance(report.values, Missing):
        yield from (("Values in force", found) for found in report.values.diagnostics)
    if not isinstance(report.hold_out, Missing):
        yield from (("Forecast of the hold-out", found) for found in report.hold_out.diagnostics)


def _parameters(report: ValueReport) -> Iterator[tuple[str, Parameter]]:
    if not isinstance(report.values, Missing):
        yield from (("values in force", found) for found in report.values.parameters)
    if not isinstance(report.hold_out, Missing):
        yield from (("hold-out", found) for found in report.hold_out.parameters)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style() -> Markup:
    own = _HERE / "templates" / "value_report.css"
    return Markup("\n".join(path.read_text(encoding="utf-8") for path in (_TOKENS, _SHARED, own)))  # noqa: S704
