"""No sentence that a customer can be told gives a tier away; the assistant never volunteers one."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.builders import ROOT

TIER = re.compile(
    r"\b(MVC|MGC|BZ|tiers?|most valuable|most growable|below zero|lifetime value|CLV)\b", re.IGNORECASE
)
SPOKEN = (
    "web/wording/en.yml",
    "web/widget/words/en.json",
    "crmcore/wording/en.yml",
)


@pytest.mark.parametrize("file", SPOKEN)
def test_no_sentence_of_the_product_names_a_tier(file: str) -> None:
    assert TIER.findall((ROOT / file).read_text(encoding="utf-8")) == []


def test_no_response_names_a_tier() -> None:
    responses = YAML(typ="safe").load(Path(ROOT / "domain.yml"))["responses"]
    assert TIER.findall(str(responses)) == []


def test_no_offer_of_the_demonstration_firm_names_a_tier_where_the_customer_reads_it() -> None:
    offers = YAML(typ="safe").load(ROOT / "firm.yml")["offers"]
    for offer in offers:
        spoken = {key: value for key, value in offer.items() if key not in ("id", "tiers")}
        assert TIER.findall(str(spoken)) == [], offer["id"]


def test_no_action_knows_a_tier_that_it_could_say() -> None:
    for path in (ROOT / "actions").glob("*.py"):
        assert not re.search(r"\btier\b", path.read_text(encoding="utf-8")), path.name
