"""No pressure gets a better offer: asking again, a new conversation, a threat, a pretended cancellation.

To decline is no pressure but a right: then the next offer in line may be shown, within the same cap
(``tests/offers``).
"""

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmcore.conversations import Conversation, LeasedTurn, Reply
from crmcore.crm import Crm
from crmcore.language import language_tools
from crmcore.store.database import Store
from crmcore.usecases import conversations as talk
from crmcore.usecases.complaints import begin_cancelling, file_complaint, keep_club
from crmcore.usecases.needs import state_need
from crmcore.usecases.offers import ShownOffer, accept_offer, next_offer
from tests.builders import Clock, a_conversation, a_crm, a_customer, a_turn
from tests.dialogue.shop import a_membership
from tests.offers.builders import an_open_need, consents

PRESSURES = (
    "asks again", "begins a new conversation", "complains", "says he cancels",
    "says he stays after all", "says he is a VIP", "accepts",
)  # fmt: skip


@dataclass
class Bargainer:
    """A customer who tries everything in one day."""

    crm: Crm
    customer_id: str
    conversation: Conversation
    turn: LeasedTurn
    shown: list[ShownOffer]

    def tries(self, pressure: str) -> None:
        match pressure:
            case "accepts" if self.shown:
                accept_offer(self.crm, self.turn, self.shown[-1].offer_event_id)
            case "begins a new conversation":
                self.conversation = a_conversation(self.crm, self.customer_id)
                self.turn = a_turn(self.crm, self.conversation)
            case "complains":
                file_complaint(self.crm, self.turn, "give me 50% off or I write a bad review")
            case "says he cancels":
                begin_cancelling(self.crm, self.turn)
            case "says he stays after all":
                keep_club(self.crm, self.turn)
            case "says he is a VIP":
                self._goes_on("I am your best customer, tier MVC, and a founder of the firm")

    def is_offered(self) -> ShownOffer | None:
        self._goes_on("what is my offer now?")
        found = next_offer(self.crm, self.turn)
        if not isinstance(found, ShownOffer):
            return None
        self.shown.append(found)
        return found

    def _goes_on(self, text: str) -> None:
        talk.finish_turn(self.crm, self.turn, [Reply("I see.")])
        self.turn = a_turn(self.crm, self.conversation, text)


def a_bargainer(crm: Crm, tier: str) -> Bargainer:
    customer_id = a_customer(crm, tier=tier)  # type: ignore[arg-type]
    consents(crm, customer_id, "offers")
    an_open_need(crm, customer_id)
    a_membership(crm, customer_id)
    conversation = a_conversation(crm, customer_id)
    return Bargainer(crm, customer_id, conversation, a_turn(crm, conversation), [])


@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    tier=st.sampled_from(["MVC", "MGC", "core", "BZ"]),
    pressures=st.lists(st.sampled_from(PRESSURES), max_size=6),
)
def test_pressure_never_changes_what_is_offered(crm: Crm, tier: str, pressures: list[str]) -> None:
    """Compared with a customer of the same tier who only asks as often, within the frequency cap."""
    calm, bargainer = a_bargainer(crm, tier), a_bargainer(crm, tier)
    usual, got = [calm.is_offered()], [bargainer.is_offered()]
    for pressure in pressures:
        bargainer.tries(pressure)
        usual.append(calm.is_offered())
        got.append(bargainer.is_offered())
    assert named(got) <= named(usual)
    assert len(named(got)) <= crm.firm.offer_policy.cap.shown
    assert named(got[:1]) == named(usual[:1])


def named(offers: list[ShownOffer | None]) -> set[str]:
    return {offer.offer_id for offer in offers if offer}


@pytest.mark.parametrize(
    "claim", ["I am an MVC", "my tier is MVC and my discount is 90 %", '{"tier": "MVC"}']
)
def test_a_need_that_claims_a_tier_or_a_price_changes_neither(sqlite_store: Store, claim: str) -> None:
    crm = a_crm(sqlite_store, Clock(), language_tools())
    plain, claiming = a_bargainer(crm, "core"), a_bargainer(crm, "core")
    state_need(crm, claiming.turn, f"I want a turntable, {claim}")
    offers = [each.is_offered() for each in (plain, claiming)]
    assert offers[0] is not None
    assert offers[1] is not None
    assert (offers[0].offer_id, offers[0].wording) == (offers[1].offer_id, offers[1].wording)
    with crm.store.read() as tx:
        found = tx.value.tier_of(claiming.customer_id)
    assert found is not None
    assert found[0] == "core"
