"""From sentence embeddings to the probability of every intent, and to how far it is in scope.

``fit`` needs scikit-learn; a fitted head is a handful of arrays and needs numpy only.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from understanding.minilm import meanings

OUT_OF_SCOPE = "out_of_scope"
_NEIGHBOURS = 5
_TINY = 1e-6
# A mistyped copy says less about the intent than the sentence that somebody wrote.
_MISTYPED_WEIGHT = 0.5
_STEPS = 60

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """A fitted classifier.

    labels : k intent names, sorted.
    weights, bias : shapes (1152, k) and (k,), of multinomial logistic regression.
    examples : shape (n, 384), the meanings of the sentences that it was fitted on.
    example_labels : shape (n,), for each of them its row in ``labels``.
    """

    labels: tuple[str, ...]
    weights: Floats
    bias: Floats
    examples: NDArray[np.float32]
    example_labels: NDArray[np.int64]

    def probabilities(self, vectors: NDArray[np.float32]) -> Floats:
        """Shape (m, 1152) of sentence vectors to shape (m, k); every row sums to one."""
        logits = vectors @ self.weights + self.bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances: Floats = odds / odds.sum(axis=1, keepdims=True)
        return chances

    def scope_features(self, vectors: NDArray[np.float32], chances: Floats) -> Floats:
        """What tells a message of ours from any other, shape (m, 5).

        The log odds against the explicit out-of-scope class; the cosine to the nearest in-scope
        example; the same, negative, to the nearest out-of-scope example; the mean cosine to the five
        nearest in-scope examples; the highest in-scope probability. Higher is more in scope.
        """
        column = self.labels.index(OUT_OF_SCOPE)
        outside = np.clip(chances[:, column], _TINY, 1 - _TINY)
        cosines = meanings(vectors) @ self.examples.T
        foreign = self.example_labels == column
        ours = cosines[:, ~foreign]
        nearest = -np.sort(-np.partition(ours, -_NEIGHBOURS, axis=1)[:, -_NEIGHBOURS:], axis=1)
        return np.column_stack(
            [
                np.log((1 - outside) / outside),
                nearest[:, 0],
                -cosines[:, foreign].max(axis=1),
                nearest.mean(axis=1),
                np.delete(chances, column, axis=1).max(axis=1),
            ]
        ).astype(np.float64)


@dataclass(frozen=True)
class Examples:
    """Training sentences as vectors: each as it was written, and once more mistyped.

    vectors, mistyped : shape (n, 1152), from ``MiniLM.encode_depths``.
    intents : shape (n,), their names; ``out_of_scope`` must be among them.
    """

    vectors: NDArray[np.float32]
    mistyped: NDArray[np.float32]
    intents: NDArray[np.str_]

    def rows(self, rows: NDArray[np.int64]) -> Examples:
        return Examples(self.vectors[rows], self.mistyped[rows], self.intents[rows])


def fit(examples: Examples, regularisation: float) -> Head:
    """Fit multinomial logistic regression with classes weighted equally.

    Parameters
    ----------
    regularisation : scikit-learn's C, the inverse strength of the penalty, > 0.

    Raises
    ------
    ValueError : when no example is labelled out_of_scope.
    """
    # Only training needs scikit-learn, and it takes a second to import.
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    intents = examples.intents
    if OUT_OF_SCOPE not in intents:
        raise ValueError(
            f"no training example has the intent {OUT_OF_SCOPE!r}: add some to data/nlu/out_of_scope.yml"
        )
    model = LogisticRegression(C=regularisation, class_weight="balanced", max_iter=_STEPS)
    with warnings.catch_warnings():
        # Stopping early is meant: more steps cost minutes and gained nothing on unseen sentences.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(
            np.concatenate([examples.vectors, examples.mistyped]),
            np.concatenate([intents, intents]),
            np.repeat([1.0, _MISTYPED_WEIGHT], len(intents)),
        )
    labels = tuple(str(c) for c in model.classes_)
    return Head(
        labels=labels,
        weights=np.ascontiguousarray(model.coef_.T),
        bias=model.intercept_,
        examples=meanings(examples.vectors),
        example_labels=np.searchsorted(model.classes_, intents),
    )


def save(head: Head, path: Path) -> None:
    """Write the arrays to one ``.npz`` file, without pickles."""
    np.savez(
        path,
        labels=np.array(head.labels),
        weights=head.weights,
        bias=head.bias,
        examples=head.examples,
        example_labels=head.example_labels,
    )


def load(path: Path) -> Head:
    """Read what ``save`` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return Head(
            labels=tuple(str(x) for x in file["labels"]),
            weights=file["weights"],
            bias=file["bias"],
            examples=file["examples"],
            example_labels=file["example_labels"],
        )
