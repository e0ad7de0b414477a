"""The retrieval run: a set's documents in a throw-away library, its queries by every method."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from rag.evaluation.beir import Collection, Query
from rag.evaluation.library import Step, throw_away_library
from rag.evaluation.outcomes import Outcome
from rag.evaluation.ranking import MEASURES, measure
from rag.records import Filters
from rag.retrieval.retriever import Method, Retriever
from rag.settings import Settings

__all__ = ["METHODS", "RetrievalRun", "evaluate_retrieval"]

METHODS: tuple[Method, ...] = ("lexical", "dense", "hybrid")
# Passages asked for, so that ten different documents are among them: documents have several.
_DEPTH = 100
_KEPT = 10


@dataclass(frozen=True, slots=True)
class RetrievalRun:
    """`without_text` documents cannot be found, though judged, nor those of which `refused` says why the library
    does not take them; `copies` have the text of another one."""

    outcomes: tuple[Outcome, ...]
    documents: int
    passages: int
    without_text: int
    copies: int
    refused: tuple[str, ...]
    seconds: float

    def means(self, method: str) -> dict[str, float]:
        """The mean of every measure over the queries."""
        return {name: fmean(outcome.scores[method][name] for outcome in self.outcomes) for name in MEASURES}

    def to_json(self) -> dict[str, Any]:
        return {
            **{method: {k: round(v, 4) for k, v in self.means(method).items()} for method in METHODS},
            "queries": len(self.outcomes),
            "documents": self.documents,
            "passages": self.passages,
            "seconds": self.seconds,
        }


def evaluate_retrieval(collection: Collection, settings: Settings, step: Step) -> RetrievalRun:
    """Measure lexical, dense and hybrid retrieval on a set, with the product's own ingest and retriever.

    A document's rank is that of its best passage. Documents of the same text are one article here, which
    stands in the ranking for all of them, one after the other in the order of the corpus, whichever of them
    is judged relevant. A document without text, or refused, is not in the library and so counts as not found.
    Raises LibraryError or EncoderError when the library cannot be filled.
    """
    started = time.perf_counter()
    with throw_away_library(settings) as library:
        filled = library.fill(collection.documents, step)
        outcomes = []
        for n, query in enumerate(collection.queries):
            step("asking queries", n, len(collection.queries))
            outcomes.append(_outcome(query, library.engine.retriever, filled.behind))
    return RetrievalRun(
        outcomes=tuple(outcomes),
        documents=len(collection.documents),
        passages=filled.passages,
        without_text=filled.without_text,
        copies=filled.copies,
        refused=filled.refused,
        seconds=round(time.perf_counter() - started, 3),
    )


def _outcome(query: Query, retriever: Retriever, behind: Mapping[str, Sequence[str]]) -> Outcome:
    found: dict[str, list[str]] = {}
    scores: dict[str, dict[str, float]] = {}
    for method in METHODS:
        hits = retriever.retrieve(query.text, Filters(), _DEPTH, method=method)
        ranked = [id_ for article in dict.fromkeys(hit.article.id for hit in hits) for id_ in behind[article]]
        # Where queries are documents themselves, finding oneself is no merit: BEIR leaves it out too.
        found[method] = [id_ for id_ in ranked if id_ != query.id][:_KEPT]
        scores[method] = measure(found[method], query.grades)
    return Outcome(query.id, query.text, scores, found)
