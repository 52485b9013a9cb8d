"""When to say "I did not understand": a threshold found at training time, never a constant.

Every training example is judged by a head that saw neither it nor anything worded like it: near
duplicates go into one fold together, since a random split would look much better than real life.
From these judgements come a scope score (one number from ``Head.scope_features``) and the threshold
under which just the wished share of in-scope messages falls.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understanding.head import OUT_OF_SCOPE, Examples, Floats, fit
from understanding.minilm import meanings

FOLDS = 3
# Above this cosine two sentences count as one way of saying it.
SAME_WORDING = 0.6


@dataclass(frozen=True)
class Calibration:
    """The fitted scope score and its threshold; the last three fields are for the record."""

    coefficients: tuple[float, ...]
    intercept: float
    threshold: float
    accuracy: float
    in_scope_rejected: float
    out_of_scope_found: float

    def score(self, features: Floats) -> Floats:
        """Shape (m, 5) to the probability (m,) that each message is in scope."""
        log_odds = features @ np.array(self.coefficients) + self.intercept
        probability: Floats = 1.0 / (1.0 + np.exp(-log_odds))
        return probability

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Calibration:
        return cls(**{**values, "coefficients": tuple(values["coefficients"])})


def wordings(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """Group sentences that say the same: shape (n, 384) of unit vectors to a group number each, (n,).

    Each sentence joins the nearest earlier group leader within ``SAME_WORDING``, or leads a new group.
    """
    group = np.empty(len(vectors), dtype=np.int64)
    leaders = np.empty_like(vectors)
    count = 0
    for row, vector in enumerate(vectors):
        cosines = leaders[:count] @ vector
        best = int(cosines.argmax()) if count else -1
        if count and cosines[best] > SAME_WORDING:
            group[row] = best
        else:
            leaders[count] = vector
            group[row] = count
            count += 1
    return group


def calibrate(
    examples: Examples, regularisation: float, rejected_in_scope: float, seed: int = 0
) -> Calibration:
    """Cross-validate by wording, fit the scope score, and set the threshold.

    Parameters
    ----------
    examples, regularisation : as for ``head.fit``.
    rejected_in_scope : the share of understandable messages that may be turned away, 0..1.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold

    names = examples.intents
    guesses = np.empty_like(names)
    features = np.zeros((len(names), 5))
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for seen, unseen in splitter.split(names, names, wordings(meanings(examples.vectors))):
        head = fit(examples.rows(seen), regularisation)
        vectors = examples.vectors[unseen]
        chances = head.probabilities(vectors)
        guesses[unseen] = np.array(head.labels)[chances.argmax(axis=1)]
        features[unseen] = head.scope_features(vectors, chances)
    in_scope = names != OUT_OF_SCOPE
    model = LogisticRegression(class_weight="balanced").fit(features, in_scope)
    draft = Calibration(tuple(model.coef_[0].tolist()), float(model.intercept_[0]), 0.0, 0.0, 0.0, 0.0)
    scores = draft.score(features)
    threshold = float(np.quantile(scores[in_scope], rejected_in_scope))
    found = (scores < threshold) | (guesses == OUT_OF_SCOPE)
    return Calibration(
        coefficients=draft.coefficients,
        intercept=draft.intercept,
        threshold=threshold,
        accuracy=float(np.mean(guesses == names)),
        in_scope_rejected=float(found[in_scope].mean()),
        out_of_scope_found=float(found[~in_scope].mean()),
    )
