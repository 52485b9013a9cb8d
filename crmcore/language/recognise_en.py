"""The English recogniser: our grammar with dateparser and price-parser behind it."""

import re
from collections.abc import Sequence
from datetime import date

from crmcore.language.counts_en import count
from crmcore.language.money_en import money
from crmcore.language.phrases_en import phrases
from crmcore.language.times_en import times
from crmcore.needs.language import Count, Money, Phrases, Slot, When

_ASKS: tuple[tuple[Slot, re.Pattern[str]], ...] = (
    (
        "budget",
        re.compile(
            r"\b(budget|spend|price range|how much (?!time)(?:would|do|can|are) you|pay)\b", re.IGNORECASE
        ),
    ),
    (
        "quantity",
        re.compile(
            r"\b(how many|quantity|number of|party size|how (?:big|large)|for how many)\b", re.IGNORECASE
        ),
    ),
    (
        "timing",
        re.compile(
            r"\b(when\b|what (?:day|date|time)|which (?:day|date|days)|how soon|by when|start date"
            r"|check[- ]?in date)",
            re.IGNORECASE,
        ),
    ),
    (
        "location",
        re.compile(
            r"\b(where\b|which (?:city|town|place|area|location)|what (?:city|town|place|area|location)"
            r"|location|destination)",
            re.IGNORECASE,
        ),
    ),
    (
        "purpose",
        re.compile(
            r"\b(what (?:is it|will you use|do you (?:want|need) it) for|purpose|occasion|use it)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "attributes",
        re.compile(
            r"\b(what (?:kind|type|size|colou?r|style|sort|flavou?r|genre|cuisine|model|brand)"
            r"|which (?:kind|type|size|colou?r|style|one|flavou?r|genre|model|brand)"
            r"|any (?:preferences?|toppings?|specific|particular|extras?)|what \w+ (?:of"
            r"|would you like)|prefer)",
            re.IGNORECASE,
        ),
    ),
)


class EnglishRecogniser:
    """See :class:`crmcore.needs.language.Recogniser`."""

    def asked_for(self, agent_turn: str) -> frozenset[Slot]:
        if "?" not in agent_turn and not re.match(
            r"\s*(?:what|how|when|where|which)\b", agent_turn, re.IGNORECASE
        ):
            return frozenset()
        return frozenset(slot for slot, pattern in _ASKS if pattern.search(agent_turn))

    def money(self, text: str, asked: frozenset[Slot]) -> Money | None:
        return money(text, asked == {"budget"})

    def times(self, text: str, today: date, asked: frozenset[Slot]) -> tuple[When, ...]:
        return times(text, today, asked == {"timing"})

    def count(self, text: str, taken: Sequence[tuple[int, int]], asked: frozenset[Slot]) -> Count | None:
        return count(text, taken, "quantity" in asked)

    def phrases(self, text: str, taken: Sequence[tuple[int, int]], asked: frozenset[Slot]) -> Phrases:
        return phrases(text, taken, asked)
