"""Does an answer know how good it is? Curves over the confidence that answers state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Bin", "auroc", "calibration_error", "reliability", "risk_coverage"]

Point = tuple[float, bool]  # (confidence, whether it was right)


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same confidence: its mean, and the share of them that were right."""

    confidence: float
    right: float
    count: int


def risk_coverage(points: Sequence[Point], total: int) -> list[tuple[float, float]]:
    """(coverage, risk) for every threshold, the surest first: the share of `total` questions that are answered
    there, and the share of wrong ones among them (Geifman and El-Yaniv, "Selective classification", 2017).

    Answers of the same confidence stand or fall together and make one point.
    """
    ordered = sorted(points, reverse=True)
    curve = []
    wrong = 0
    for n, (confidence, right) in enumerate(ordered, start=1):
        wrong += not right
        if n == len(ordered) or ordered[n][0] != confidence:
            curve.append((n / total, wrong / n))
    return curve


def reliability(points: Sequence[Point], bins: int = 10) -> list[Bin]:
    """The answers in `bins` equally wide ranges of confidence; empty ranges are left out."""
    held: list[list[Point]] = [[] for _ in range(bins)]
    for confidence, right in points:
        held[min(max(int(confidence * bins), 0), bins - 1)].append((confidence, right))
    return [Bin(_mean([c for c, _ in part]), _mean([r for _, r in part]), len(part)) for part in held if part]


def calibration_error(points: Sequence[Point]) -> float:
    """Mean distance of confidence and share right over the bins, weighted by their counts (ECE)."""
    return sum(b.count * abs(b.confidence - b.right) for b in reliability(points)) / len(points)


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """How often a positive score is above a negative one, ties counting half. Neither may be empty."""
    return _mean(placements(positive, negative))


def placements(positive: Sequence[float], negative: Sequence[float]) -> list[float]:
    """For every positive score the share of negative ones below it, ties counting half: their mean is the
    area under the ROC curve, which makes it a measure of single questions that can be tested in pairs."""
    ordered = np.sort(np.asarray(negative, dtype=np.float64))
    below = np.searchsorted(ordered, positive, side="left") + np.searchsorted(ordered, positive, side="right")
    return [float(share) for share in below / (2 * len(ordered))]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
