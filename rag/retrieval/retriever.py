"""Retrieval: lexical and dense candidates, fused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rag.errors import InvalidRequest
from rag.models.cross_encoder import Reranker
from rag.records import Filters, Hit
from rag.retrieval.fusion import Fused, Scores, fuse, min_max
from rag.retrieval.lexical import Frequency, counts, expression
from rag.retrieval.spelling import correct_spelling
from rag.storage.index_sync import IndexSync
from rag.storage.library import Library

LONGEST_QUERY = 4000

_COMMON = 10_000  # passages with a word that is left out if others are found: to score more takes too long
_FEEDBACK = 3  # passages that the question is moved towards
_FEEDBACK_WEIGHT = 0.4
_RERANKED = 30  # passages that a reranker sees

Method = Literal["hybrid", "lexical", "dense"]

Encode = Callable[[list[str]], NDArray[np.float32]]


def searchable(text: str) -> str:
    """The text as it can be searched: without lone surrogates, which JSON and a command line can hold but
    UTF-8 and so no index can. Raises InvalidRequest for one that is empty or too long."""
    if not text.strip():
        raise InvalidRequest("the question is empty", "ask something")
    if len(text) > LONGEST_QUERY:
        raise InvalidRequest(f"the question has {len(text):,} characters, the limit is {LONGEST_QUERY:,}", "shorten it")
    return text.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True, slots=True)
class Retriever:
    """Finds the passages nearest to a question.

    The `depth` best of each index are candidates; each gets both of its scores, whichever index it came
    from. `exact` compares the question with every vector instead of asking the approximate index. A
    `reranker` decides the order of the best thirty that come of both indexes. The defaults follow the
    measurements in `benchmarks/README.md`.
    """

    library: Library
    projection: IndexSync
    encode: Encode
    dense_weight: float = 0.55
    depth: int = 100
    exact: bool = False
    reranker: Reranker | None = None

    def retrieve(
        self, query: str, filters: Filters = Filters(), top_k: int = 10, method: Method = "hybrid"
    ) -> list[Hit]:
        """The best `top_k` passages, best first; the filters hold in both indexes.

        The query is searched as it stands. One index alone is for measuring what the other adds.
        """
        depth = max(self.depth, top_k)
        frequency = self._counting()
        phrase = None if method == "dense" else expression(query, frequency, common=_COMMON)
        bm25 = dict(self.library.match(phrase, filters, depth, counts(phrase, frequency))) if phrase else {}
        found = list(bm25)
        if method == "lexical":
            fused = fuse(_column(bm25, found), np.zeros(len(found)), dense_weight=0.0)
            return self._hits(found, fused, None, top_k)
        vector = self.encode([query])[0]
        search = self.projection.exact if self.exact else self.projection.query
        cosines = dict(search(vector, depth, filters))
        if method == "dense":
            found = list(cosines)
            fused = fuse(np.zeros(len(found)), _column(cosines, found), dense_weight=1.0)
            return self._hits(found, fused, cosines, top_k)
        if phrase:
            bm25 |= self.library.scores(phrase, [id_ for id_ in cosines if id_ not in bm25])
        vectors = self.projection.vectors(list(dict.fromkeys([*found, *cosines])))
        found = list(vectors)
        matrix = np.stack(list(vectors.values())) if vectors else np.empty((0, len(vector)), np.float32)
        fused = self._fuse(_column(bm25, found), matrix, vector)
        near = dict(zip(found, (matrix @ vector).tolist(), strict=True))
        if self.reranker is None:
            return self._hits(found, fused, near, top_k)
        hits = self._hits(found, fused, near, max(top_k, _RERANKED))
        return _rerank(self.reranker, query, hits)[:top_k]

    def correct_spelling(self, query: str) -> str:
        """The query as it was likely meant: a word that stands nowhere in the library is spelled as a passage spells
        it, where a slip of the hand or another transliteration leads to one. Names the library holds are never
        touched, nor names that may be others than those it holds."""
        return correct_spelling(query, self._counting(), self.library)

    def _counting(self) -> Frequency:
        """How frequent words are, each counted once."""
        return cache(lambda words: self.library.frequency(words, _COMMON))

    def _fuse(self, bm25: Scores, matrix: NDArray[np.float32], vector: NDArray[np.float32]) -> Fused:
        """Fuse, move the question towards the best passages (Rocchio, 1971), and fuse again."""
        first = fuse(bm25, (matrix @ vector).astype(np.float64), dense_weight=self.dense_weight)
        if not len(bm25):
            return first
        best = first.order()[:_FEEDBACK]
        moved = vector + _FEEDBACK_WEIGHT * matrix[best].mean(axis=0)
        moved /= np.linalg.norm(moved)
        return fuse(bm25, (matrix @ moved).astype(np.float64), dense_weight=self.dense_weight)

    def _hits(self, ids: list[str], fused: Fused, cosines: dict[str, float] | None, top_k: int) -> list[Hit]:
        best = fused.order()[:top_k]
        stored = self.library.passages([ids[n] for n in best])
        return [
            Hit(
                *stored[ids[n]],
                score=float(fused.scores[n]),
                lexical=float(fused.lexical[n]),
                dense=float(fused.dense[n]) if cosines else 0.0,
                cosine=cosines[ids[n]] if cosines else None,
            )
            for n in best
            if ids[n] in stored
        ]


def _rerank(reranker: Reranker, query: str, hits: list[Hit]) -> list[Hit]:
    """The best in the order of the reranker, its scores stretched to [0, 1]; what it does not see follows with 0."""
    seen, rest = hits[:_RERANKED], hits[_RERANKED:]
    scores = min_max(np.array(reranker.score(query, [(hit.article.title, hit.passage.text) for hit in seen])))
    best = np.argsort(-scores, kind="stable")
    return [*(replace(seen[n], score=float(scores[n])) for n in best), *(replace(hit, score=0.0) for hit in rest)]


def _column(scores: dict[str, float], ids: list[str]) -> Scores:
    return np.array([scores.get(id_, 0.0) for id_ in ids], np.float64)
