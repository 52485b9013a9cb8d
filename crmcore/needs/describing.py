"""A need in short phrases, for the assistant to read back: the catalogue's words and the customer's own,
never a sentence of ours."""

from __future__ import annotations

from crmcore.firm import Firm
from crmcore.needs.values import NO_CATEGORY, ReadNeed


def describe(need: ReadNeed, firm: Firm, language: str = "en") -> dict[str, str]:
    """The parts that are known, each a phrase, and ``summary``, all of them in one line.

    Keys: category, product, attributes, details, budget, quantity, timing, purpose, location, summary.
    """
    parts: dict[str, str] = {}
    category = firm.need(need.category)
    if category is not None:
        parts["category"] = category.name.get(language, category.id)
    if need.product:
        parts["product"] = need.product
    if named := _attributes(need, firm, language):
        parts["attributes"] = ", ".join(named)
    if need.details:
        parts["details"] = ", ".join(need.details)
    if need.budget:
        parts["budget"] = need.budget.raw
    if need.quantity is not None:
        parts["quantity"] = str(need.quantity)
    if need.timing:
        parts["timing"] = need.timing.raw
    if need.purpose:
        parts["purpose"] = need.purpose
    if need.location:
        parts["location"] = ", ".join(need.location)
    parts["summary"] = _summary(parts, need)
    return parts


def _attributes(need: ReadNeed, firm: Firm, language: str) -> list[str]:
    category = firm.need(need.category)
    named = []
    for attribute_id, value_id in need.attributes.items():
        attribute = category.attribute(attribute_id) if category else None
        value = next((v for v in attribute.values if v.id == value_id), None) if attribute else None
        if value is not None:
            named.append(value.name.get(language, value.id))
    return named


def _summary(parts: dict[str, str], need: ReadNeed) -> str:
    thing = parts.get("product") or parts.get("category") or ""
    if need.category == NO_CATEGORY and not thing:
        thing = need.verbatim.splitlines()[0][:120] if need.verbatim else ""
    if need.quantity is not None and need.quantity > 1:
        thing = f"{need.quantity} × {thing}"
    says = thing.lower()
    following = [
        parts.get(name, "") for name in ("attributes", "details", "budget", "timing", "purpose", "location")
    ]
    return ", ".join([thing, *(p for p in following if p and p.lower() not in says)])
