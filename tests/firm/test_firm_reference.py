"""docs/firm.md names every key of the schema and no other."""

import re

from pydantic import BaseModel

from crmcore import catalogue, firm
from tests.builders import ROOT

SECTIONS: dict[str, type[BaseModel]] = {
    "firm": firm.Firm,
    "voice": catalogue.Voice,
    "opening_hours": firm.Week,
    "policies": catalogue.Policies,
    "delivery": catalogue.Delivery,
    "ways": catalogue.DeliveryWay,
    "returns": catalogue.Returns,
    "club": catalogue.Club,
    "value": catalogue.ValuePolicy,
    "tiers": catalogue.TierPolicy,
    "routing": catalogue.Routing,
    "queue_points": catalogue.QueuePoints,
    "offer_policy": catalogue.OfferPolicy,
    "cap": catalogue.Cap,
    "needs": catalogue.NeedCategory,
    "attributes": catalogue.Attribute,
    "values": catalogue.AttributeValue,
    "questions": catalogue.Question,
    "products": catalogue.Product,
    "offers": catalogue.Offer,
    "terms": catalogue.Terms,
}


def documented() -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    for line in (ROOT / "docs" / "firm.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            sections[line[3:]] = []
        elif sections and (key := re.match(r"\| `([a-z_]+)` \|", line)):
            list(sections.values())[-1].append(key[1])
    return sections


def test_the_reference_names_every_key_in_its_order_and_no_other() -> None:
    assert documented() == {name: list(model.model_fields) for name, model in SECTIONS.items()}


def test_every_part_of_the_schema_has_a_section() -> None:
    parts = {m for m in vars(catalogue).values() if isinstance(m, type) and issubclass(m, catalogue.Part)}
    assert parts - {catalogue.Part} <= set(SECTIONS.values())


def test_a_default_in_the_reference_is_the_schemas() -> None:
    text = (ROOT / "docs" / "firm.md").read_text(encoding="utf-8")
    checked = 0
    for section, model in SECTIONS.items():
        body = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
        for row in body.splitlines():
            stated = re.match(r"\| `(\w+)` \|.*default ([\d.]+)(?= \||$)", row)
            if stated:
                assert float(stated[2]) == float(model.model_fields[stated[1]].default), row
                checked += 1
    assert checked > 15
