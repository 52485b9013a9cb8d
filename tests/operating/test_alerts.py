"""The alert rules are what Prometheus reads, and every figure in them exists."""

import re
from typing import Any

import pytest
import yaml

from crmcore.metrics import PROCESS, names
from tests.builders import ROOT

RULES = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
ALERTS: list[dict[str, Any]] = [rule for group in RULES for rule in group["rules"]]
WORDS = {
    "sum", "rate", "max", "min", "increase", "histogram_quantile", "by", "le", "up", "job", "rapport",
}  # fmt: skip


def series() -> set[str]:
    histograms = [family.name for family in PROCESS.collect() if family.type == "histogram"]
    return set(names()) | {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_a_rule_has_the_shape_that_prometheus_wants_and_tells_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Rapport[A-Za-z]+", rule["alert"])
    assert re.fullmatch(r"\d+[smhd]", rule.get("for", "1m"))
    assert rule["labels"]["severity"] in ("page", "warn")
    assert set(rule["annotations"]) == {"summary", "description"}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_figure_in_a_rule_exists(rule: dict[str, Any]) -> None:
    expression = re.sub(r'"[^"]*"', '""', rule["expr"])
    assert expression.count("(") == expression.count(")")
    assert expression.count("{") == expression.count("}")
    bare = re.sub(r"\{[^}]*\}|\[\d+[smhd]\]", "", expression)
    used = set(re.findall(r"[a-z_][a-z0-9_]*", bare)) - WORDS
    assert used <= series(), used - series()
    assert re.search(r"(==|>) [\d.* ]+$", rule["expr"].strip()), "a rule compares with a number"


def test_no_alert_has_the_name_of_another() -> None:
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
