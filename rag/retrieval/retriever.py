"""Retrieval: lexical and dense candidates, fused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rag.errors import InvalidRequest
from rag.records import Filters, Hit
from rag.retrieval.fusion import weighted_sum
from rag.retrieval.lexical import expression
from rag.storage.library import Library
from rag.storage.projection import Projection

LONGEST_QUERY = 4000

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

    The weights follow the measurements in `benchmarks/`: the min-max weighted sum beat reciprocal rank
    fusion on SciFact and on news.
    """

    library: Library
    projection: Projection
    encode: Encode
    dense_weight: float = 0.55
    depth: int = 100

    def retrieve(
        self, query: str, filters: Filters = Filters(), top_k: int = 10, method: Method = "hybrid"
    ) -> list[Hit]:
        """The best `top_k` passages, best first; the filters hold in both indexes.

        One index alone is for measuring what the other adds.
        """
        phrase = None if method == "dense" else expression(query)
        lexical = self.library.match(phrase, filters, self.depth) if phrase else []
        dense = []
        if method != "lexical":
            dense = self.projection.query(self.encode([query])[0], self.depth, filters)
        fused = weighted_sum(lexical, dense, dense_weight=self.dense_weight)[:top_k]
        cosine = dict(dense)
        stored = self.library.passages([id_ for id_, *_ in fused])
        return [
            Hit(*stored[id_], score=score, lexical=by_lexical, dense=by_dense, cosine=cosine.get(id_))
            for id_, score, by_lexical, by_dense in fused
            if id_ in stored
        ]
