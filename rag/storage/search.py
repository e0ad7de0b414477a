"""Searching the library's file: full text, filters, and exact comparison of vectors."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from rag.records import Filters
from rag.storage.keys import publisher_key

__all__ = ["VECTOR", "Passing", "among", "frequency", "match", "nearest", "passing", "scores"]

Scored = list[tuple[str, float]]

# SQLite keeps the order of a CROSS JOIN. Left to itself it starts from all vectors of a model, which it takes for ten.
VECTOR = "CROSS JOIN vectors x ON x.model = ? AND x.input_hash = p.input_hash"
_VERSION = "CROSS JOIN versions v ON v.article_id = p.article_id AND v.version = p.version"
_PASSING = "FROM versions v CROSS JOIN passages p ON p.article_id = v.article_id AND p.version = v.version"
_SCORED = "SELECT rowid, bm25(passages_fts) AS score FROM passages_fts WHERE passages_fts MATCH ?"

_RESERVE = 1.5  # what is looked at beyond what should be enough
_CHUNK = 4096  # vectors compared at a time
_IDS = 500  # ids asked for at a time


@dataclass(frozen=True, slots=True)
class Passing:
    """About how many passages some filters let through, and which share of all passages that is."""

    count: int
    share: float

    def reach(self, limit: int) -> int:
        """How many of the best have to be looked at to find `limit` that pass, if dates and publishers lie
        among the best as they do elsewhere."""
        return math.ceil(_RESERVE * limit / self.share) if self.share else 0


def passing(connection: sqlite3.Connection, filters: Filters) -> Passing:
    """Estimated from the versions of articles, which an index counts without reading them."""
    where, values = _conditions(filters)
    through = connection.execute(f"SELECT count(*) FROM versions v WHERE {where or 'true'}", values).fetchone()[0]
    versions = connection.execute("SELECT count(*) FROM versions").fetchone()[0]
    passages = connection.execute("SELECT count(*) FROM passages").fetchone()[0]
    share = through / versions if versions else 0.0
    return Passing(math.ceil(share * passages), share)


def match(connection: sqlite3.Connection, expression: str, filters: Filters, limit: int) -> Scored:
    """Passage ids with their BM25 scores (higher is better) for an FTS5 expression, best first."""
    if filters:
        through = passing(connection, filters)
        reach = through.reach(limit)
        if 2 * reach < through.count:  # to look up the best is faster than to gather all that pass
            best = _best(connection, expression, Filters(), reach)
            found = among(connection, best, filters, limit)
            if len(found) == limit or len(best) < reach:
                return found
    return _best(connection, expression, filters, limit)


def _best(connection: sqlite3.Connection, expression: str, filters: Filters, limit: int) -> Scored:
    where, values = _conditions(filters)
    # The plus sign keeps SQLite from running the whole search once for every passage that passes.
    within = f"AND +rowid IN (SELECT p.rowid {_PASSING} WHERE {where})" if where else ""
    rows = connection.execute(
        # Joined after the best are known: most matches of a question are never looked up.
        f"SELECT p.id, -f.score FROM ({_SCORED} {within} ORDER BY score, rowid LIMIT ?) f"
        " CROSS JOIN passages p ON p.rowid = f.rowid ORDER BY f.score, f.rowid",
        (expression, *values, limit),
    ).fetchall()
    return [(row[0], row[1]) for row in rows]


def scores(connection: sqlite3.Connection, expression: str, ids: Sequence[str]) -> dict[str, float]:
    """BM25, as `match` gives it, of those of these passages that match."""
    marks = ",".join("?" * len(ids))
    rows = connection.execute(
        f"SELECT p.id, -f.score FROM ({_SCORED} AND +rowid IN (SELECT rowid FROM passages WHERE id IN ({marks}))) f"
        " CROSS JOIN passages p ON p.rowid = f.rowid",
        (expression, *ids),
    )
    return {row[0]: row[1] for row in rows}


def frequency(connection: sqlite3.Connection, words: str, most: int) -> int:
    """In how many passages these words stand beside each other, counted up to `most`."""
    row = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM passages_fts WHERE passages_fts MATCH ? LIMIT ?)", (f'"{words}"', most)
    ).fetchone()
    return int(row[0])


def among(connection: sqlite3.Connection, found: Iterable[tuple[str, float]], filters: Filters, limit: int) -> Scored:
    """The first `limit` of these passages that pass the filters."""
    where, values = _conditions(filters)
    kept: Scored = []
    for chunk in _chunks(found):
        marks = ",".join("?" * len(chunk))
        rows = connection.execute(
            f"SELECT p.id FROM passages p {_VERSION} WHERE p.id IN ({marks}) AND {where or 'true'}",
            (*(id_ for id_, _ in chunk), *values),
        )
        through = {row[0] for row in rows}
        kept += [hit for hit in chunk if hit[0] in through]
        if len(kept) >= limit:
            break
    return kept[:limit]


def nearest(
    connection: sqlite3.Connection, model: str, vector: NDArray[np.float32], limit: int, filters: Filters
) -> Scored:
    """The nearest passages with their cosine similarity, best first, out of all that pass the filters."""
    where, values = _conditions(filters)
    rows = connection.execute(
        f"SELECT p.id, x.vector {_PASSING if where else 'FROM passages p'} {VECTOR} WHERE {where or 'true'}",
        (model, *values),
    )
    ids: list[str] = []
    cosines = np.empty(0, np.float32)
    while True:
        blobs: list[bytes] = []
        for row in islice(rows, _CHUNK):  # not `fetchmany`: thousands of rows at once set off the garbage collector
            ids.append(row[0])
            blobs.append(row[1])
        if not blobs:
            break
        matrix = np.frombuffer(b"".join(blobs), dtype="<f4").reshape(len(blobs), -1)
        # Not `@`: the threads of BLAS spin on for milliseconds after each product and slow down what comes next.
        cosines = np.append(cosines, np.einsum("ij,j->i", matrix, vector))
    if not ids:
        return []
    least = np.partition(cosines, -limit)[-limit] if limit < len(ids) else -np.inf
    best = [(ids[n], float(cosines[n])) for n in np.flatnonzero(cosines >= least)]
    return sorted(best, key=lambda hit: (-hit[1], hit[0]))[:limit]


def _chunks(found: Iterable[tuple[str, float]]) -> Iterator[Scored]:
    rest = iter(found)
    while chunk := list(islice(rest, _IDS)):
        yield chunk


def _conditions(filters: Filters) -> tuple[str, list[object]]:
    conditions: list[str] = []
    values: list[object] = []
    if filters.since is not None:
        conditions.append("v.day >= ?")
        values.append(int(filters.since.strftime("%Y%m%d")))
    if filters.until is not None:
        conditions.append("v.day <= ?")
        values.append(int(filters.until.strftime("%Y%m%d")))
    if filters.publishers:
        conditions.append(f"v.publisher_key IN ({','.join('?' * len(filters.publishers))})")
        values.extend(publisher_key(p) or "" for p in filters.publishers)
    return " AND ".join(conditions), values
