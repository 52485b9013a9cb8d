"""Every check says when all is well and when it is not, and then how to mend it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmcore.doctor import CHECKS, DatabaseFacts, Facts, examine
from crmcore.doctor.findings import Verdict
from tests.builders import ROOT

NOW = datetime(2026, 3, 11, 10, 0, tzinfo=UTC)
GUIDE = (ROOT / "docs" / "guide-operator.md").read_text(encoding="utf-8")
DAY = 86_400.0


def a_database(**changes: Any) -> DatabaseFacts:
    figures = {"rapport_value_age_seconds": DAY / 2, **changes.pop("figures", {})}
    return DatabaseFacts(figures=figures, **changes)


def facts(**changes: Any) -> Facts:
    """A whole, safe, running installation, but for what the test changes."""
    whole = Facts(now=NOW, database=a_database(), last_backup=NOW - timedelta(hours=8))
    return replace(whole, **changes)


def with_database(**changes: Any) -> Facts:
    return facts(database=a_database(**changes))


def test_an_installation_that_is_whole_has_nothing_to_mend() -> None:
    assert {name: finding.says for name, finding in examine(facts()).items() if finding.verdict != "ok"} == {}


AILING: list[tuple[str, Facts, Verdict, str]] = [
    (
        "environments",
        facts(brain_environment=False, brains={"http://a:1": False}),
        "missing",
        "make setup",
    ),
    ("model", facts(model_is_fresh=False), "warning", "rapport train"),
    ("database", facts(database=None, database_says="connection refused"), "missing", "RAPPORT_DATABASE_URL"),
    ("schema", with_database(pending=("0004",)), "missing", "rapport upgrade"),
    ("schema", facts(database=None), "missing", "database"),
    ("gateway", facts(gateway_answers=False), "missing", "--part gateway"),
    ("actions", facts(actions_answer=False), "missing", "--part actions"),
    ("brain", facts(brains={"http://a:1": False}), "missing", "--part rasa"),
    ("brain", facts(brains={"http://a:1": False, "http://b:1": True}), "warning", "--part rasa"),
    (
        "worker",
        with_database(figures={"rapport_jobs_oldest_due_seconds": 300}),
        "missing",
        "--part worker",
    ),
    ("redis", facts(redis_is_set=True, redis_answers=False), "warning", "RAPPORT_REDIS_URL"),
    ("worker", with_database(workers=0), "missing", "--part worker"),
    ("mail", facts(mail_is_set=False), "warning", "RAPPORT_SMTP_URL"),
    ("mail", facts(mail_answers=False), "warning", "RAPPORT_SMTP_URL"),
    ("disk", facts(free_bytes=1_000_000_000), "warning", "Make room"),
    ("disk", facts(free_bytes=100_000_000), "missing", "Make room"),
    ("lost", with_database(figures={"rapport_lost_messages": 1}), "unsafe", "answer the customers"),
    ("waiting", with_database(figures={"rapport_pending_oldest_seconds": 90}), "warning", "dialogue engine"),
    ("tracker", with_database(incidents={"tracker_in_memory": 3}), "unsafe", "rasa*.log"),
    ("jobs", with_database(failed_jobs=2), "warning", "by hand"),
    ("values", facts(database=DatabaseFacts()), "warning", "rapport score"),
    ("values", with_database(figures={"rapport_value_age_seconds": 9 * DAY}), "warning", "rapport score"),
    ("webhooks", with_database(figures={"rapport_webhook_dead_letters": 4}), "warning", "webhooks retry"),
    ("backup", facts(last_backup=None), "missing", "rapport backup"),
    ("backup", facts(last_backup=NOW - timedelta(days=9)), "warning", "rapport backup"),
    ("listening", facts(host="0.0.0.0"), "unsafe", "RAPPORT_TRUSTED_PROXIES"),
    ("listening", facts(host="203.0.113.5", trusted_proxies=()), "unsafe", "TLS"),
    ("brain-private", facts(brain_seen_at=("192.168.1.9:5005",)), "unsafe", "firewall"),
    ("database-role", with_database(superuser=True), "unsafe", "ordinary role"),
    ("processes", with_database(gateways=2), "unsafe", "PostgreSQL"),
    ("processes", with_database(gateways=2, kind="postgresql"), "warning", "RAPPORT_REDIS_URL"),
    ("sign-ins", with_database(demonstration_sign_ins=("anna@x.example",)), "unsafe", "staff passwd"),
    ("files", facts(home_mode=0o755), "unsafe", "chmod 700"),
    ("files", facts(open_files=("secrets/secret",)), "unsafe", "chmod 600"),
    ("limits", facts(request_limit_factor=50), "warning", "unset"),
    ("origins", with_database(origins=("http://shop.example.com",)), "unsafe", "https://"),
    ("origins", with_database(origins=("https://*",)), "unsafe", "https://"),
    ("clock", with_database(ahead_seconds=-40.0), "warning", "NTP"),
]


@pytest.mark.parametrize(("name", "ailing", "verdict", "mend"), AILING)
def test_a_check_finds_what_is_wrong_and_says_how_to_mend_it(
    name: str, ailing: Facts, verdict: Verdict, mend: str
) -> None:
    finding = examine(ailing)[name]
    assert finding.verdict == verdict
    assert mend in finding.mend
    assert finding.says.endswith(".")
    assert finding.mend.endswith((".", ")."))


def test_no_check_is_without_an_example_of_what_is_wrong() -> None:
    assert {name for name, *_ in AILING} == {check.name for check in CHECKS}


@pytest.mark.parametrize(
    ("name", "well"),
    [
        ("environments", facts(brain_environment=False)),
        ("model", facts(brain_environment=False, model_is_fresh=False)),
        ("listening", facts(host="0.0.0.0", trusted_proxies=("172.18.0.0/16",))),
        ("processes", replace(with_database(gateways=2, kind="postgresql"), redis_is_set=True)),
        ("redis", facts(redis_is_set=True, redis_answers=True)),
        ("origins", with_database(origins=("http://localhost:8080", "https://shop.example.com"))),
        ("clock", with_database(ahead_seconds=1.5)),
    ],
)
def test_a_configuration_that_is_meant_so_is_no_fault(name: str, well: Facts) -> None:
    assert examine(well)[name].verdict == "ok"


@pytest.mark.parametrize("unseen", [facts(database=None), with_database(pending=("0002",))])
def test_what_could_not_be_seen_is_not_called_well(unseen: Facts) -> None:
    found = examine(unseen)
    for check in CHECKS:
        if check.reads_data:
            assert found[check.name].verdict == "warning", check.name
            assert found[check.name].says.startswith("Not seen")


def test_the_guide_lists_every_check_and_no_other() -> None:
    table = GUIDE.split("## Doctor")[1].split("\n## ")[0]
    listed = dict(re.findall(r"^\| `([a-z-]+)` \| (.+?) \|$", table, re.MULTILINE))
    assert listed == {check.name: check.about for check in CHECKS}
