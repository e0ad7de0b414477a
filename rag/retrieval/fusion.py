"""Fusion of lexical and dense scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fused:
    """Scores of one set of candidates, all in [0, 1] and in the order of the candidates."""

    scores: Scores
    lexical: Scores
    dense: Scores

    def order(self) -> list[int]:
        """The candidates, best first; those that tie stay in their order."""
        return [int(n) for n in np.argsort(-self.scores, kind="stable")]


def fuse(bm25: Scores, cosines: Scores, *, dense_weight: float) -> Fused:
    """Convex combination of min-max scores (Bruch et al., "An Analysis of Fusion Functions for Hybrid
    Retrieval", 2023) over one set of candidates, of which every one has both of its scores.

    That a candidate has both, whichever index it came from, is worth more than the choice between
    normalisations (`benchmarks/README.md`). BM25 has a least value of its own, 0: none of the words.
    """
    lexical = bm25 / bm25.max() if len(bm25) and bm25.max() > 0 else np.zeros_like(bm25)
    dense = min_max(cosines)
    return Fused((1 - dense_weight) * lexical + dense_weight * dense, lexical, dense)


def min_max(scores: Scores) -> Scores:
    """Scores stretched to [0, 1]; scores that are all the same become all ones."""
    if not len(scores):
        return scores
    width = scores.max() - scores.min()
    stretched: Scores = (scores - scores.min()) / width if width else np.ones_like(scores)
    return stretched
