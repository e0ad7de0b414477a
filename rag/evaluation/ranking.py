"""Measures of a ranked list of documents against judgements.

As trec_eval and so BEIR compute them: the gain of a document is its grade (linear, not 2^grade - 1), its
discount log2(rank + 1), and the ideal ranking is made of all judged documents, found or not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["MEASURES", "measure"]

_CUT = 10
MEASURES = ("nDCG@10", "recall@10", "MRR@10", "hit@4", "hit@10")


def measure(found: Sequence[str], grades: Mapping[str, int]) -> dict[str, float]:
    """The measures, each in [0, 1], of distinct document ids, best first.

    `grades` are those of the judged documents; above 0 is relevant, and at least one must be.
    """
    top = list(found[:_CUT])
    relevant = {id_ for id_, grade in grades.items() if grade > 0}
    ranks = [rank for rank, id_ in enumerate(top, start=1) if id_ in relevant]
    ideal = sorted((grades[id_] for id_ in relevant), reverse=True)[:_CUT]
    return {
        "nDCG@10": _gain(max(grades.get(id_, 0), 0) for id_ in top) / _gain(ideal),
        "recall@10": len(ranks) / len(relevant),
        "MRR@10": 1 / ranks[0] if ranks else 0.0,
        "hit@4": float(bool(ranks) and ranks[0] <= 4),
        "hit@10": float(bool(ranks)),
    }


def _gain(grades: Iterable[int]) -> float:
    """Discounted cumulative gain (Järvelin and Kekäläinen, "Cumulated gain-based evaluation", 2002)."""
    return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))
