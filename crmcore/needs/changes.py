"""How a need changes: a correction, the answer to a probe, and what contradicts what."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from crmcore.needs.values import MAX_VERBATIM, NO_CATEGORY, Budget, Need, ReadNeed

_SURE = 0.5  # A correction changes the category only when it names another one with this confidence.
_MOST_PIECES = Decimal(24)  # A number said alone, and larger than this, is money.
_NEGATION = re.compile(r"^(?:no|not|without)\s+", re.IGNORECASE)


def merged(before: ReadNeed, said: ReadNeed, answers_question: bool = False) -> ReadNeed:
    """The need after "no, I meant …": what was said anew replaces, the rest stays.

    ``answers_question``: the words answer a probe about this need, so they cannot name another thing.
    """
    another = (
        not answers_question
        and said.category not in (NO_CATEGORY, before.category)
        and said.confidence >= _SURE
        and said.product is not None
    )
    names_product = said.product is not None and not answers_question and (another or _is_thing(said))
    if before.quantity is None and not answers_question and _is_bare_number(said):
        number = Decimal(said.quantity or 0)
        if before.budget:
            said = replace(said, quantity=None, budget=_moved(before.budget, number))
        elif number > _MOST_PIECES:
            said = replace(said, quantity=None, budget=Budget(str(number), target=number))
    repeated = before.verbatim == said.verbatim or before.verbatim.endswith(f"\n{said.verbatim}")
    return ReadNeed(
        verbatim=before.verbatim if repeated else f"{before.verbatim}\n{said.verbatim}"[-MAX_VERBATIM:],
        category=said.category if another else before.category,
        confidence=said.confidence if another else before.confidence,
        product=said.product if names_product else before.product,
        attributes=said.attributes if another else {**before.attributes, **said.attributes},
        details=_details(() if another else before.details, said.details),
        budget=said.budget or before.budget,
        quantity=said.quantity if said.quantity is not None else before.quantity,
        timing=said.timing or before.timing,
        purpose=said.purpose or before.purpose,
        location=said.location or before.location,
    )


def _is_bare_number(said: ReadNeed) -> bool:
    """Only a number was said: "no, 400"."""
    others = (
        said.product,
        said.attributes,
        said.details,
        said.budget,
        said.timing,
        said.purpose,
        said.location,
    )
    return said.quantity is not None and not any(others)


def _moved(budget: Budget, amount: Decimal) -> Budget:
    """The budget with its number replaced: "up to 300" becomes "up to 400"."""
    if budget.max is not None and budget.min is None:
        return replace(budget, raw=str(amount), max=amount)
    return replace(budget, raw=str(amount), min=None, max=None, target=amount)


def _is_thing(said: ReadNeed) -> bool:
    """A product in a correction counts when the catalogue knows something like it."""
    return said.category != NO_CATEGORY and said.confidence >= _SURE


def _details(before: tuple[str, ...], said: tuple[str, ...]) -> tuple[str, ...]:
    """Old and new words together; "no egg" takes "egg" back, and the other way round."""

    def bare(words: str) -> str:
        return _NEGATION.sub("", words).lower()

    new = {bare(words) for words in said}
    return (*(words for words in before if bare(words) not in new), *said)


def confirmed(need: Need) -> Need:
    """He said that we understood him: his own word counts for certain."""
    return replace(need, status="open", read=replace(need.read, confidence=1.0))


def contradicts(new: Need, old: Need) -> bool:
    """Whether a newly confirmed need takes an older one's place.

    It does when both are of one category and for the same purpose, and an attribute that both name
    has another value.
    """
    if new.category != old.category or new.category == NO_CATEGORY or old.status != "open":
        return False
    if new.read.purpose and old.read.purpose and new.read.purpose != old.read.purpose:
        return False
    shared = new.read.attributes.keys() & old.read.attributes.keys()
    return any(new.read.attributes[a] != old.read.attributes[a] for a in shared)
