"""From what was measured of a sentence to the probability that it answers the question.

A logistic regression; `benchmarks/learn_quoting.py` learned the table on questions whose answers are known
and on questions without one, and reports what it is worth on texts that it has not seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from rag.answering.candidates import Candidate
from rag.answering.features import FEATURES, Measured
from rag.records import Hit

TABLE = "weights.json"

# Odds of a sentence far from which a person, a place or a year stands that the question names. SQuAD and
# EvoTemp hardly ask about what their articles do not name, so that no weight could be learned; on both, this
# one loses nothing that is beyond noise.
_UNNAMED = 0.1


@cache
def learned() -> NDArray[np.float64]:
    """One weight for each of FEATURES, and the constant last."""
    table = json.loads((files("rag.answering") / TABLE).read_text(encoding="utf-8"))
    return np.array([*(table[name] for name in FEATURES), table["constant"]])


def probabilities(measured: Measured, weights: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely each candidate is to answer the question, in [0, 1]."""
    logits = measured.features @ np.asarray(weights)[:-1] + weights[-1]
    return np.asarray(1 / (1 + np.exp(-logits)))


def scored(measured: Measured, speaks: Callable[[Hit], bool]) -> list[Candidate]:
    """The candidates with their probabilities as scores, best first; those of hits that do not speak of what
    the question names are less likely by a policy of ours, which was not learned."""
    chances = probabilities(measured, learned())
    heard = {hit.passage.id: speaks(hit) for hit in {c.hit.passage.id: c.hit for c in measured.candidates}.values()}
    return best_first(
        replace(c, score=float(p) if heard[c.hit.passage.id] else _less_likely(float(p)))
        for c, p in zip(measured.candidates, chances, strict=True)
    )


def best_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda c: (-c.score, c.hit.article.id, c.span.start))


def _less_likely(chance: float) -> float:
    odds = chance / (1 - chance) * _UNNAMED
    return odds / (1 + odds)
