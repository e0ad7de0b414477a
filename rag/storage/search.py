"""Searching the library's file: full text, filters, and exact comparison of vectors."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice

import numpy as np
from numpy.typing import NDArray

from rag.records import Filters
from rag.storage.keys import publisher_key

__all__ = ["VECTOR", "Passing", "among", "examples", "frequency", "match", "nearest", "passing", "scores", "terms"]

Scored = list[tuple[str, float]]

# SQLite keeps the order of a CROSS JOIN. Left to itself it starts from all vectors of a model, which it takes for ten.
VECTOR = "CROSS JOIN vectors x ON x.model = ? AND x.input_hash = p.input_hash"
_VERSION = "CROSS JOIN versions v ON v.article_id = p.article_id AND v.version = p.version"
_PASSING = "FROM versions v CROSS JOIN passages p ON p.article_id = v.article_id AND p.version = v.version"
_SCORED = "SELECT rowid, bm25(passages_fts) AS score FROM passages_fts WHERE passages_fts MATCH ?"

_MOST_OF_A_WORD = 2.2  # what a word adds to BM25 is below so many times its weight: k1 + 1, and k1 is 1.2
_TO_START = 5  # times as many passages as are wanted: with so many at hand, the least of the best is known well
_WORTHWHILE = 20  # times as many; a question whose words stand in fewer passages is searched in one go
_MOST_FREQUENT = 6  # words that are only searched in pairs, of which there are soon too many

_RESERVE = 1.5  # what is looked at beyond what should be enough
_CHUNK = 4096  # vectors compared at a time
_LAST_LETTER = "\U0010ffff"
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
    """Estimated from the versions of articles, which an index counts without reading them.

    How many there are in all is taken from the last row's number, too high where much was replaced.
    """
    where, values = _conditions(filters)
    through = connection.execute(f"SELECT count(*) FROM versions v WHERE {where or 'true'}", values).fetchone()[0]
    versions = connection.execute("SELECT max(rowid) FROM versions").fetchone()[0]
    share = through / versions if versions else 0.0
    return Passing(math.ceil(share * _rows(connection)), share)


def match(
    connection: sqlite3.Connection,
    expression: str,
    filters: Filters,
    limit: int,
    counts: Mapping[str, int] | None = None,
) -> Scored:
    """Passage ids with their BM25 scores (higher is better) for an FTS5 expression, best first.

    `counts` says in how many passages each word of the expression stands, if that is known and the expression
    asks for any of them. It changes nothing but the time that the search takes.
    """
    if filters:
        through = passing(connection, filters)
        reach = through.reach(limit)
        if 2 * reach < through.count:  # to look up the best is faster than to gather all that pass
            best = _best(connection, expression, reach, counts)
            found = among(connection, best, filters, limit)
            if len(found) == limit or len(best) < reach:
                return found
        where, values = _conditions(filters)
        return _scored(connection, expression, limit, f"SELECT p.rowid {_PASSING} WHERE {where}", values)
    return _best(connection, expression, limit, counts)


def _best(connection: sqlite3.Connection, expression: str, limit: int, counts: Mapping[str, int] | None) -> Scored:
    """The best of all passages, without scoring most of those that match.

    To score a passage takes ten times as long as to see that it matches. One that holds a single word of the
    question, and that a frequent one, has less than the best have, so of the frequent words only passages with two
    are scored; which words are frequent in that sense, the least of the best says (as MaxScore, Turtle and Flood,
    "Query evaluation: strategies and optimizations", 1995). What comes out is exact.
    """
    if counts and sum(counts.values()) > _WORTHWHILE * limit:
        words = sorted(counts, key=lambda word: (counts[word], word))
        at_most = [_MOST_OF_A_WORD * _weight(counts[word], _rows(connection)) for word in words]
        together = list(accumulate(counts[word] for word in words))
        rare = next((n for n, passages in enumerate(together, 1) if passages >= _TO_START * limit), len(words))
        for _ in ("with a guess", "with what the guess has shown"):
            rare = max(rare, len(words) - _MOST_FREQUENT)
            if rare >= len(words):
                break
            within = "SELECT rowid FROM passages_fts WHERE passages_fts MATCH ?"
            best = _scored(connection, expression, limit, within, [_worth_scoring(words[:rare], words[rare:])])
            least = best[-1][1] if len(best) == limit else 0.0
            if at_most[rare] < least:
                return best
            rare = next((n for n, score in enumerate(at_most) if score < least), len(words))
    return _scored(connection, expression, limit)


def _weight(passages: int, rows: int) -> float:
    """The weight of a word in BM25, as FTS5 has it."""
    return max(math.log((rows - passages + 0.5) / (passages + 0.5)), 0.0)


def _worth_scoring(rare: Sequence[str], frequent: Sequence[str]) -> str:
    """The expression of passages with any rare word or two of the frequent ones."""
    pairs = [f"({word} AND ({' OR '.join(frequent[n:])}))" for n, word in enumerate(frequent[:-1], 1)]
    return " OR ".join([*rare, *pairs])


def _rows(connection: sqlite3.Connection) -> int:
    """How many passages there are, or more. To count them takes milliseconds."""
    return connection.execute("SELECT max(rowid) FROM passages").fetchone()[0] or 0


def _scored(
    connection: sqlite3.Connection, expression: str, limit: int, within: str = "", values: Sequence[object] = ()
) -> Scored:
    # The plus sign keeps SQLite from running the whole search once for every passage that is in.
    only = f"AND +rowid IN ({within})" if within else ""
    rows = connection.execute(
        # Joined after the best are known: most matches of a question are never looked up.
        f"SELECT p.id, -f.score FROM ({_SCORED} {only} ORDER BY score, rowid LIMIT ?) f"
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


def terms(connection: sqlite3.Connection, prefix: str) -> dict[str, int]:
    """The stems in the index that begin so, each with the number of passages that hold it."""
    connection.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.stems USING fts5vocab('main', 'passages_fts', 'row')")
    rows = connection.execute(
        "SELECT term, doc FROM stems WHERE term >= ? AND term < ?", (prefix, f"{prefix}{_LAST_LETTER}")
    )
    return dict(rows.fetchall())


def examples(connection: sqlite3.Connection, word: str, most: int) -> list[str]:
    """Title and text of passages that hold the word or another of its stem."""
    rows = connection.execute(
        "SELECT title || char(10) || text FROM passages_fts WHERE passages_fts MATCH ? LIMIT ?", (f'"{word}"', most)
    )
    return [row[0] for row in rows]


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
