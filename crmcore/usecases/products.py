"""Questions about articles and prices, answered from the catalogue and from nowhere else."""

import numpy as np

from crmcore.catalogue import Product
from crmcore.crm import Crm
from crmcore.needs import read_need
from crmcore.needs.language import Embedder
from crmcore.products import FoundProducts, closest, find_products, of_category

NEAR_ENOUGH = 0.5  # Cosine between a question and an article's description, with MiniLM sentences.


def products_asked_for(crm: Crm, text: str, language: str) -> FoundProducts:
    """The articles that a question is about; nothing when the catalogue has nothing near it.

    Names first, because names and model numbers carry no meaning; then the category that the sentence means,
    within what he would spend; then words of a category's name; then the article nearest in meaning.
    """
    firm = crm.firm
    found = find_products(text, language, firm.products, firm.needs)
    if found.certain or not text.strip() or not firm.products:
        return found
    wanted = read_need(text, firm, crm.language, firm.today(crm.clock()), language=language)
    ceiling = wanted.budget.max if wanted.budget and wanted.budget.currency in (None, firm.currency) else None
    meant = of_category(firm.products, wanted.category, ceiling)
    if meant:
        return FoundProducts(meant, certain=False)
    if found.products:
        return found
    embedder = crm.language.embedder(language)
    similar = _similarity(embedder, text, firm.products, language)
    nearest = closest(similar, firm.products, NEAR_ENOUGH)
    return FoundProducts((nearest,) if nearest else (), certain=False)


def _similarity(
    embedder: Embedder, text: str, products: tuple[Product, ...], language: str
) -> dict[str, float]:
    described = embedder.embed(_descriptions(products, language))
    cosines = described @ embedder.embed((text,))[0]
    return {p.id: float(c) for p, c in zip(products, np.asarray(cosines), strict=True)}


def _descriptions(products: tuple[Product, ...], language: str) -> tuple[str, ...]:
    return tuple(f"{p.name}: {p.about.get(language) or next(iter(p.about.values()))}" for p in products)
