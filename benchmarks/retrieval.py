"""The retrieval laboratory: ways to fuse the two indexes side by side, and the approximate index against exact search.

    .venv/bin/python -m benchmarks.retrieval fusion LIBRARY...
    .venv/bin/python -m benchmarks.retrieval scale LIBRARY

A LIBRARY is a RAG_HOME with `queries.json`, as `benchmarks/retrieval_sets.py` builds them. Libraries whose names
agree up to a hyphen count as one set.

`fusion` prints nDCG@10 of articles by way of fusion and set, with a star where the paired randomisation test
against the product's way gives p < 0.05. `scale` prints recall@50 of the vector index against exact search, and how
long the product's retrieve takes, without filters and since dates that half, 5% and 0.1% of the passages pass.
"""

from __future__ import annotations

import json
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from rag.evaluation.ranking import measure
from rag.evaluation.significance import randomisation_test
from rag.models.local_encoder import LocalEncoder, default_weights
from rag.records import Filters
from rag.retrieval.fusion import fuse, min_max
from rag.retrieval.lexical import expression
from rag.retrieval.retriever import Retriever
from rag.storage.index_sync import IndexSync
from rag.storage.library import Library

DEPTH = 100
CUT = 50
Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pool:
    """The candidates of one query: their BM25 and cosine, whether each index returned them, their vectors."""

    ids: list[str]
    bm25: Column
    cosine: Column
    by_words: NDArray[np.bool_]
    by_meaning: NDArray[np.bool_]
    vectors: NDArray[np.float32]
    query: NDArray[np.float32]
    relevant: dict[str, int]

    @property
    def articles(self) -> list[str]:
        return [id_.rpartition(".v")[0] for id_ in self.ids]


def opened(home: Path) -> Retriever:
    encoder = LocalEncoder(default_weights(), home / "models")
    library = Library(home / "library.sqlite3")
    projection = IndexSync(library, home / "library.sqlite3", home / "chroma", encoder.name, print)
    return Retriever(library, projection, encoder.encode)


def asked(home: Path) -> list[tuple[str, set[str]]]:
    """The queries of a library, with the ids of their relevant articles."""
    return [(text, set(found)) for _, text, found in json.loads((home / "queries.json").read_text(encoding="utf-8"))]


def pools(home: Path) -> list[Pool]:
    """The candidates of every query, by the words as they stand and by exact search."""
    retriever = opened(home)
    return [candidates(retriever, text, relevant, expression(text)) for text, relevant in asked(home)]


def candidates(retriever: Retriever, text: str, relevant: set[str], phrase: str | None) -> Pool:
    """Those of one query, whose words are searched as `phrase`."""
    library, (ids, places, every) = retriever.library, in_memory(retriever)
    vector = retriever.encode([text])[0]
    bm25 = dict(library.match(phrase, Filters(), DEPTH)) if phrase else {}
    words = list(bm25)
    meaning = [ids[n] for n in np.argsort(-(every @ vector), kind="stable")[:DEPTH]]
    if phrase:
        bm25 |= library.scores(phrase, [id_ for id_ in meaning if id_ not in bm25])
    found = list(dict.fromkeys([*words, *meaning]))
    matrix = every[[places[id_] for id_ in found]]
    return Pool(
        ids=found,
        bm25=np.array([bm25.get(id_, 0.0) for id_ in found]),
        cosine=(matrix @ vector).astype(np.float64),
        by_words=np.isin(found, words),
        by_meaning=np.isin(found, meaning),
        vectors=matrix,
        query=vector,
        relevant=dict.fromkeys(relevant, 1),
    )


@cache
def in_memory(retriever: Retriever) -> tuple[list[str], dict[str, int], NDArray[np.float32]]:
    """All passages of a library, the row of each, and the rows: their vectors."""
    stored = retriever.projection.vectors(retriever.library.index_ids())
    return list(stored), {id_: n for n, id_ in enumerate(stored)}, np.stack(list(stored.values()))


def standardised(scores: Column) -> Column:
    spread = scores.std()
    result: Column = (scores - scores.mean()) / (spread or 1.0)
    return result


def lists_alone(pool: Pool, weight: float = 0.55) -> Column:
    """Min-max within each list; what a list lacks counts as 0 there."""
    total = np.zeros(len(pool.bm25))
    total[pool.by_words] += (1 - weight) * min_max(pool.bm25[pool.by_words])
    total[pool.by_meaning] += weight * min_max(pool.cosine[pool.by_meaning])
    return total


def reciprocal_ranks(pool: Pool) -> Column:
    total = np.zeros(len(pool.bm25))
    for scores, present in ((pool.bm25, pool.by_words), (pool.cosine, pool.by_meaning)):
        ranks = np.argsort(np.argsort(-np.where(present, scores, -np.inf), kind="stable"))
        total += np.where(present, 1 / (61 + ranks), 0)
    return total


def both_scores(pool: Pool, weight: float = 0.55) -> Column:
    return fuse(pool.bm25, pool.cosine, dense_weight=weight).scores


def z_scores(pool: Pool, weight: float = 0.55) -> Column:
    result: Column = (1 - weight) * standardised(pool.bm25) + weight * standardised(pool.cosine)
    return result


def fed_back(pool: Pool, passages: int = 3, strength: float = 0.4) -> Column:
    """The question moved towards the best passages; (3, 0.4) is the product's way."""
    best = fuse(pool.bm25, pool.cosine, dense_weight=0.55).order()[:passages]
    moved = pool.query + strength * pool.vectors[best].mean(axis=0)
    cosine = (pool.vectors @ (moved / np.linalg.norm(moved))).astype(np.float64)
    return fuse(pool.bm25, cosine, dense_weight=0.55).scores


WAYS: dict[str, Callable[[Pool], Column]] = {
    "product": fed_back,
    "BM25": lambda pool: np.where(pool.by_words, pool.bm25, -1.0),
    "dense": lambda pool: np.where(pool.by_meaning, pool.cosine, -2.0),
    "reciprocal ranks, k=60": reciprocal_ranks,
    "each list alone, 0.55": lists_alone,
    "both scores, 0.45": lambda pool: both_scores(pool, 0.45),
    "both scores, 0.55": both_scores,
    "both scores, 0.65": lambda pool: both_scores(pool, 0.65),
    "both as z-scores, 0.55": z_scores,
    "feedback of 3, 0.2": lambda pool: fed_back(pool, 3, 0.2),
    "feedback of 5, 0.6": lambda pool: fed_back(pool, 5, 0.6),
}


def ndcg(pool: Pool, scores: Column) -> float:
    articles = pool.articles
    ranked = dict.fromkeys(articles[n] for n in np.argsort(-scores, kind="stable"))
    return measure(list(ranked), pool.relevant)["nDCG@10"]


def fusion(homes: Sequence[Path]) -> None:
    sets: dict[str, list[Pool]] = {}
    for home in homes:
        sets.setdefault(home.name.partition("-")[0], []).extend(pools(home))
    print(f"{'':26} mean    {' '.join(f'{name:7}' for name in sets)}")
    product: list[list[float]] = []
    for name, way in WAYS.items():
        results = [[ndcg(pool, way(pool)) for pool in found] for found in sets.values()]
        product = product or results
        cells = [
            f"{fmean(result):.4f}{'*' if randomisation_test(reference, result) < 0.05 else ' '}"
            for reference, result in zip(product, results, strict=True)
        ]
        print(f"{name:26} {fmean(map(fmean, results)):.4f}  {' '.join(cells)}", flush=True)


def filters(library: Library, passages: int) -> dict[str, Filters]:
    """None, and since the first dates that no more than such a share of the passages passes."""
    chosen = {"no filter": Filters()}
    days = range(date(1900, 1, 1).toordinal(), date.today().toordinal())
    for share in (0.5, 0.05, 0.001):
        at = bisect_left(days, -share, key=lambda day: -library.passing(Filters(since=date.fromordinal(day))).share)
        since = Filters(since=date.fromordinal(days[0] + at))
        chosen[f"since {since.since} ({library.passing(since).count / passages:.1%})"] = since
    return chosen


def scale(home: Path) -> None:
    retriever, queries = opened(home), asked(home)
    retriever.projection.open()
    articles, passages = retriever.library.counts()
    print(f"{articles:,} articles, {passages:,} passages, {len(queries)} queries")
    for name, chosen in filters(retriever.library, passages).items():
        taken = []
        for text, _ in queries * 2:
            started = time.perf_counter()
            retriever.retrieve(text, chosen)
            taken.append(1000 * (time.perf_counter() - started))
        taken = taken[len(queries) :]  # the first round is to warm up
        recalls = []
        for vector in retriever.encode([text for text, _ in queries]):
            exact = {id_ for id_, _ in retriever.projection.exact(vector, CUT, chosen)}
            near = {id_ for id_, _ in retriever.projection.query(vector, CUT, chosen)}
            recalls.append(len(exact & near) / len(exact) if exact else 1.0)
        print(
            f"{name:24} recall@{CUT} {fmean(recalls):.4f} (lowest {min(recalls):.2f});"
            f" retrieve: median {np.median(taken):.1f} ms, 95% under {np.percentile(taken, 95):.1f} ms",
            flush=True,
        )
    retriever.projection.close()


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("fusion", "scale"):
        sys.exit(__doc__)
    if sys.argv[1] == "fusion":
        fusion([Path(home) for home in sys.argv[2:]])
    else:
        scale(Path(sys.argv[2]))
