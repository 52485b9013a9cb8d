"""The tools of each language that we can read; English is the first."""

from crmcore.language.minilm import MiniLMEmbedder
from crmcore.language.recognise_en import EnglishRecogniser
from crmcore.needs.language import LanguageTools


def language_tools() -> LanguageTools:
    """Nothing heavy is loaded until a text is read."""
    return LanguageTools(recognisers={"en": EnglishRecogniser()}, embedders={"en": MiniLMEmbedder()})
