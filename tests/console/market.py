"""A firm whose customers have said what they need."""

from __future__ import annotations

from datetime import timedelta
from itertools import cycle

from crmcore.catalogue import Tier
from crmcore.tiers import Reason
from tests.builders import a_conversation, a_customer
from tests.staff.office import Office
from tests.workspace.shop import a_need, worth

# (category, tier, worth in euros, potential in euros, days ago, status, words)
SAID: tuple[tuple[str, Tier | None, int, int, int, str, str], ...] = (
    ("turntable", "MVC", 1842, 610, 1, "open", "something quiet for late evenings, nothing too fiddly"),
    ("turntable", "MVC", 1530, 240, 3, "open", "a deck that can play my father's shellacs too"),
    ("turntable", "MGC", 410, 1260, 2, "open", "my first record player, up to 300 euros, no amp"),
    ("turntable", "core", 120, 90, 6, "understood", "it should start by itself, my hands are not so steady"),
    ("turntable", "core", 95, 60, 12, "met", "a lid for the dust"),
    ("turntable", None, 0, 0, 0, "understood", "do you have players with bluetooth"),
    ("headphones", "MGC", 380, 900, 1, "open", "closed ones for practising at night"),
    ("headphones", "core", 140, 30, 4, "open", "light ones, I wear glasses all day"),
    ("headphones", "core", 80, 20, 9, "open", "for my son Liam, he is eight, not too loud"),
    ("headphones", "BZ", -60, 0, 5, "withdrawn", "cheapest you have"),
    ("speakers", "MVC", 2210, 1900, 2, "open", "small ones for a bookshelf, but fit for a cello"),
    ("speakers", "core", 160, 80, 20, "contradicted", "big floor standers for the living room"),
    ("lessons", "MVC", 1842, 610, 1, "understood", "my daughter wants to learn the violin"),
    ("lessons", "MGC", 410, 1260, 8, "open", "jazz piano for grown-ups, evenings only"),
    ("lessons", "core", 70, 40, 11, "open", "ring me on +353 1 555 0142 about drum lessons please"),
    ("lessons", None, 0, 0, 0, "understood", "do you teach left-handed guitar"),
    ("keyboard", "MGC", 520, 1480, 3, "open", "a stage piano that I can carry alone up four floors"),
    ("keyboard", "core", 110, 50, 15, "met", "weighted keys, headphones jack"),
    ("guitar", "core", 90, 70, 7, "open", "left-handed, for a beginner, small body"),
    ("guitar", "BZ", -40, 10, 9, "open", "send it to 14 Fiddler's Row please, strings only"),
    ("records", "MVC", 990, 130, 2, "open", "first pressings of Blue Note"),
    ("records", "core", 130, 40, 1, "open", "irish folk of the seventies, write to ruth@example.com"),
    ("workshop", "MGC", 300, 520, 4, "open", "somebody who can set up an old Thorens"),
    ("workshop", None, 0, 0, 1, "understood", "do you repair accordions"),
)  # fmt: skip


def a_market(office: Office, repeat: int = 1) -> None:
    """Each line of ``SAID`` by a customer of his own; without a tier it is an unknown visitor's."""
    names = cycle(["Ruth Okafor", "Liam Byrne", "Mei Tanaka", "Jonas Weber", "Aoife Kelly"])
    for _ in range(repeat):
        for category, tier, clv, potential, days, status, words in SAID:
            stated = office.clock.now - timedelta(days=days, minutes=7)
            common = {"status": status, "stated_at": stated, "confidence": 0.9}
            if tier is None:
                where = a_conversation(office.crm).conversation_id
                a_need(office.crm, category, words, conversation_id=where, **common)
                continue
            customer = a_customer(office.crm, next(names), tier=tier)
            why = Reason("no_rule_applies")
            worth(office.crm, customer, tier, clv * 100, potential * 100, why)
            a_need(office.crm, category, words, customer_id=customer, **common)
