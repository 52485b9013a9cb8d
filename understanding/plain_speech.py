"""The last word of the pipeline: what is written for machines means nothing here, whatever it resembles."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from understanding.commands import is_for_machines, is_no_answer

_ANSWERS = ("affirm", "deny")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class PlainSpeech(GraphComponent, EntityExtractorMixin):
    """Makes ``/ask_human``, ``<b>yes</b>`` or ``null`` an ``nlu_fallback`` without entities.

    Sentence embeddings hear a word through any wrapping, so a typed command would get the intent that it
    names. The gateway's own buttons do not pass here: Rasa reads their payloads after the pipeline.
    """

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> PlainSpeech:
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            text = message.get(TEXT) or ""
            if is_for_machines(text):
                _means(message, DEFAULT_NLU_FALLBACK_INTENT_NAME)
                message.set(ENTITIES, [], add_to_output=True)
            elif is_no_answer(text) and message.get(INTENT)["name"] in _ANSWERS:
                _means(message, "inform")
        return messages


def _means(message: Message, intent: str) -> None:
    meant = {"name": intent, "confidence": 1.0}
    others = [other for other in message.get(INTENT_RANKING_KEY) or [] if other["name"] != intent]
    message.set(INTENT, meant, add_to_output=True)
    message.set(INTENT_RANKING_KEY, [meant, *others], add_to_output=True)
