"""Figures about understood intents, and their table."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

CORE = (
    "greet goodbye thank affirm deny ask_human complain cancel_service ask_order_status ask_return_refund "
    "ask_billing ask_product_info ask_delivery state_need ask_price_or_discount update_contact_details "
    "bot_challenge out_of_scope"
).split()
OUTSIDE = "out_of_scope"


@dataclass(frozen=True)
class Share:
    """``hits`` of ``n``, with Wilson's 95 % interval."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        return self.hits / self.n if self.n else math.nan

    def interval(self, z: float = 1.96) -> tuple[float, float]:
        """Wilson (1927), the score interval for a proportion; (0, 1) when n is 0."""
        if not self.n:
            return 0.0, 1.0
        p, n = self.value, self.n
        centre = p + z * z / (2 * n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)

    def __str__(self) -> str:
        low, high = self.interval()
        return f"{self.value:.3f} ({low:.3f}–{high:.3f}), {self.hits} of {self.n}" if self.n else "–"


@dataclass(frozen=True)
class Scores:
    """What was measured over rows of known intent."""

    accuracy: Share
    macro_f1: float
    outside_found: Share
    inside_rejected: Share
    by_intent: dict[str, tuple[Share, Share, float]]
    confusions: tuple[tuple[str, str, int], ...]


def score(gold: Sequence[str], predicted: Sequence[str]) -> Scores:
    """Compare known intents with predicted ones, n each; F1 is averaged over the intents in ``gold``."""
    pairs = Counter(zip(gold, predicted, strict=True))
    golds, guesses = Counter(gold), Counter(predicted)
    by_intent = {}
    for intent in sorted(golds):
        recall, precision = (
            Share(pairs[intent, intent], golds[intent]),
            Share(pairs[intent, intent], guesses[intent]),
        )
        by_intent[intent] = (recall, precision, 2 * recall.hits / (golds[intent] + guesses[intent]))
    inside = len(gold) - golds[OUTSIDE]
    rejected = sum(k for (g, p), k in pairs.items() if g != OUTSIDE and p == OUTSIDE)
    wrong = sorted(((g, p, k) for (g, p), k in pairs.items() if g != p), key=lambda x: (-x[2], x[0], x[1]))
    return Scores(
        accuracy=Share(sum(k for (g, p), k in pairs.items() if g == p), len(gold)),
        macro_f1=sum(f for _, _, f in by_intent.values()) / len(by_intent) if by_intent else math.nan,
        outside_found=Share(pairs[OUTSIDE, OUTSIDE], golds[OUTSIDE]),
        inside_rejected=Share(rejected, inside),
        by_intent=by_intent,
        confusions=tuple(wrong),
    )


def as_object(scores: Scores) -> dict[str, object]:
    """The scores for a program: each share as its value, its 95 % interval and its counts."""
    return {
        "accuracy": _share(scores.accuracy),
        "macro_f1": scores.macro_f1 if scores.by_intent else None,
        "outside_found": _share(scores.outside_found),
        "inside_rejected": _share(scores.inside_rejected),
        "by_intent": {
            intent: {"recall": _share(recall), "precision": _share(precision), "f1": f1}
            for intent, (recall, precision, f1) in scores.by_intent.items()
        },
        "confusions": [{"gold": g, "predicted": p, "count": k} for g, p, k in scores.confusions],
    }


def _share(share: Share) -> dict[str, object]:
    return {
        "value": share.value if share.n else None, "interval": share.interval(),
        "hits": share.hits, "n": share.n,
    }  # fmt: skip


def table(scores: Scores, confusions: int = 12) -> str:
    """The scores as Markdown."""
    lines = [
        "| measure | value (95 % interval) |",
        "|---|---|",
        f"| accuracy | {scores.accuracy} |",
        f"| macro-F1 over {len(scores.by_intent)} intents | {scores.macro_f1:.3f} |",
        f"| out-of-scope recall | {scores.outside_found} |",
        f"| in-scope messages rejected | {scores.inside_rejected} |",
        "",
        "| intent | n | recall (95 % interval) | precision | F1 |",
        "|---|---|---|---|---|",
    ]
    for intent, (recall, precision, f1) in scores.by_intent.items():
        low, high = recall.interval()
        right = f"{precision.value:.2f}" if precision.n else "–"
        lines.append(
            f"| {intent} | {recall.n} | {recall.value:.2f} ({low:.2f}–{high:.2f}) | {right} | {f1:.2f} |"
        )
    worst = ", ".join(f"{g} → {p} ({k})" for g, p, k in scores.confusions[:confusions])
    return "\n".join([*lines, "", f"Most frequent mistakes: {worst or 'none'}."])
