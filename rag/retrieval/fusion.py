"""Fusion of two ranked lists."""

from __future__ import annotations

from collections.abc import Sequence

Ranked = Sequence[tuple[str, float]]


def min_max(ranked: Ranked) -> dict[str, float]:
    """Scores stretched to [0, 1]; a list whose scores are all the same becomes all ones."""
    if not ranked:
        return {}
    scores = [score for _, score in ranked]
    low, width = min(scores), max(scores) - min(scores)
    return {id_: (score - low) / width if width else 1.0 for id_, score in ranked}


def weighted_sum(lexical: Ranked, dense: Ranked, *, dense_weight: float) -> list[tuple[str, float, float, float]]:
    """Convex combination of min-max scores (Bruch et al., "An Analysis of Fusion Functions for Hybrid
    Retrieval", 2023); what one list lacks counts as 0 there.

    Returns (id, fused, lexical, dense), all in [0, 1], best first; ties keep the order of the ids.
    """
    by_lexical, by_dense = min_max(lexical), min_max(dense)
    fused = [
        (
            id_,
            (1 - dense_weight) * by_lexical.get(id_, 0.0) + dense_weight * by_dense.get(id_, 0.0),
            by_lexical.get(id_, 0.0),
            by_dense.get(id_, 0.0),
        )
        for id_ in {**by_lexical, **by_dense}
    ]
    return sorted(fused, key=lambda row: (-row[1], row[0]))
