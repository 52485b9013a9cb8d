"""Which question to ask about a need: few, and never one whose answer is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crmcore.catalogue import Question as CatalogueQuestion
from crmcore.firm import Firm
from crmcore.needs.values import Need, ReadNeed

MAX_PROBES = 2


@dataclass(frozen=True)
class Question:
    """A probe with its wording in the conversation's language."""

    id: str
    about: str
    wording: str


def next_question(need: Need, firm: Firm, language: str, known: Iterable[Need] = ()) -> Question | None:
    """The first question of the category whose answer nobody gave yet, or None.

    ``known`` are the customer's other needs: what he said of one in the same category is not asked
    again for the next (the budget and the time are, since they belong to each need alone).
    """
    category = firm.need(need.category)
    if category is None or len(need.probes) >= MAX_PROBES:
        return None
    asked = {probe.question for probe in need.probes}
    settled = _answered(need.read) | {
        about
        for other in known
        if other.category == need.category and other.status in ("open", "met")
        for about in other.read.attributes
    }
    for question in category.questions:
        if question.id not in asked and question.about not in settled and language in question.wording:
            return Question(question.id, question.about, question.wording[language])
    return None


def question_asked(need: Need, firm: Firm, language: str) -> Question | None:
    """The probe that was asked last, which gives a bare "two" its meaning."""
    category = firm.need(need.category)
    found: CatalogueQuestion | None = next(
        (q for q in category.questions if need.probes and q.id == need.probes[-1].question)
        if category
        else iter(()),
        None,
    )
    return (
        Question(found.id, found.about, found.wording[language])
        if found and language in found.wording
        else None
    )


def _answered(read: ReadNeed) -> set[str]:
    common = {
        "budget": read.budget,
        "quantity": read.quantity,
        "timing": read.timing,
        "purpose": read.purpose,
    }
    return {name for name, value in common.items() if value is not None} | set(read.attributes)
