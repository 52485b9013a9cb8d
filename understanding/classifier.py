"""The intent classifier of the dialogue, with its own calibrated fallback."""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from understanding import head as heads
from understanding import minilm
from understanding.calibration import Calibration, calibrate
from understanding.typos import mistype

logger = logging.getLogger(__name__)

_HEAD_FILE = "head.npz"
_CALIBRATION_FILE = "calibration.json"
_RANKING_LENGTH = 5


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SentenceIntentClassifier(IntentClassifier, GraphComponent):
    """Logistic regression on sentence embeddings; what it cannot place becomes ``nlu_fallback``.

    A message gets its likeliest intent. When its scope score is under the threshold that was
    calibrated in training, or when it holds no letter or digit, its intent is ``nlu_fallback`` and
    the guess stays second in the ranking.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        return [Featurizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {
            # The inverse strength of the penalty, found by cross-validation (docs/understanding.md).
            "regularisation": 30.0,
            # The share of understandable messages that the calibrated threshold may turn away.
            "rejected_in_scope": 0.03,
        }

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        fitted: tuple[heads.Head, Calibration] | None = None,
    ) -> None:
        self._config = config
        self._storage = model_storage
        self._resource = resource
        self._fitted = fitted

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceIntentClassifier:
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SentenceIntentClassifier:
        with model_storage.read_from(resource) as folder:
            calibration = Calibration.from_dict(json.loads((folder / _CALIBRATION_FILE).read_text("utf-8")))
            return cls(config, model_storage, resource, (heads.load(folder / _HEAD_FILE), calibration))

    def train(self, training_data: TrainingData) -> Resource:
        examples = [e for e in training_data.intent_examples if e.get(INTENT) and e.get(TEXT)]
        mistyped = minilm.load().encode_depths(mistype([e.get(TEXT) for e in examples]))
        sentences = heads.Examples(
            _vectors(examples), mistyped, np.array([str(e.get(INTENT)) for e in examples])
        )
        calibration = calibrate(sentences, self._config["regularisation"], self._config["rejected_in_scope"])
        self._fitted = (heads.fit(sentences, self._config["regularisation"]), calibration)
        logger.info(f"Intents calibrated on {len(examples)} examples: {calibration}")
        with self._storage.write_to(self._resource) as folder:
            heads.save(self._fitted[0], folder / _HEAD_FILE)
            (folder / _CALIBRATION_FILE).write_text(json.dumps(calibration.as_dict(), indent=1), "utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        if self._fitted is None or not messages:
            return messages
        head, calibration = self._fitted
        vectors = _vectors(messages)
        chances = head.probabilities(vectors)
        scores = calibration.score(head.scope_features(vectors, chances))
        for message, row, score in zip(messages, chances, scores, strict=True):
            best = np.argsort(-row)[:_RANKING_LENGTH]
            ranking = [{"name": head.labels[i], "confidence": float(row[i])} for i in best]
            empty = not any(c.isalnum() for c in message.get(TEXT) or "")
            if empty:
                score = 0.0
            if empty or (score < calibration.threshold and ranking[0]["name"] != heads.OUT_OF_SCOPE):
                # The confidence that it is none of our intents.
                ranking.insert(0, {"name": DEFAULT_NLU_FALLBACK_INTENT_NAME, "confidence": float(1 - score)})
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        return messages


def _vectors(messages: list[Message]) -> NDArray[np.float32]:
    """The sentence features of the messages, shape (n, 1152)."""
    rows = []
    for message in messages:
        _, sentence = message.get_dense_features(TEXT)
        if sentence is None:
            raise ValueError(
                "a message has no sentence features: put SentenceEmbedding first in config.yml's pipeline"
            )
        rows.append(sentence.features[0])
    return np.array(rows, dtype=np.float32)
