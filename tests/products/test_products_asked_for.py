"""Which articles answer a customer's question, from the demonstration firm's catalogue."""

import pytest

from crmcore.crm import Crm
from crmcore.firm import load_firm
from crmcore.language import language_tools
from crmcore.products import refers_back
from crmcore.settings import ROOT
from crmcore.store.database import Store
from crmcore.usecases.products import products_asked_for
from tests.builders import Clock


@pytest.fixture
def crm(store: Store) -> Crm:
    return Crm(store, load_firm(ROOT / "firm.yml"), language_tools(), b"s" * 32, Clock())


def asked(crm: Crm, text: str) -> set[str]:
    return {product.id for product in products_asked_for(crm, text, "en").products}


def test_a_named_article_is_the_answer_though_it_is_mistyped(crm: Crm) -> None:
    assert asked(crm, "how much is the Harow One") == {"harrow-one"}


def test_a_kind_is_found_by_meaning_and_not_by_a_word_that_another_kind_shares(crm: Crm) -> None:
    """Record players are turntables, although records are sold too."""
    assert asked(crm, "do u have record players under 300") == {"harrow-one"}


def test_when_everything_costs_more_the_cheapest_are_still_shown(crm: Crm) -> None:
    assert "harrow-one" in asked(crm, "any record players under 100 euros?")


def test_what_is_not_sold_has_no_answer(crm: Crm) -> None:
    assert asked(crm, "do you sell washing machines") == set()


def test_only_a_question_that_points_back_goes_on_about_the_last_article() -> None:
    """What is not sold must not be answered with what was talked of before."""
    assert refers_back("whats the warranty on it")
    assert not refers_back("do you sell washing machines")
