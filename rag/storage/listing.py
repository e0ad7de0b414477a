"""The list of articles: newest first, a page at a time, narrowed to words of titles and publishers."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from rag.english.words import fold
from rag.records import ArticleSummary

__all__ = ["Listing"]

_ROWS = 500  # rows asked for at a time
_HERE = "FROM articles WHERE digest <> ''"
# A row number is higher than all before it when its article is added, so that it tells the order; it is
# taken again only after the highest was removed, which the id, the version and the time give away.
_STAMPS = f"SELECT rowid, id, version, added_at {_HERE} AND rowid > ?"
_SIGNATURE = (
    f"SELECT count(*), sum(version), max(added_at), (SELECT id FROM articles WHERE rowid = :last) {_HERE}"
    " AND rowid <= :last"
)
_PAGE = (
    "SELECT a.id, v.title, v.publisher, v.published, v.url,"
    " (SELECT count(*) FROM passages p WHERE p.article_id = a.id), a.version"
    " FROM articles a JOIN versions v ON v.article_id = a.id AND v.version = a.version"
)
_WORDS = (
    "SELECT a.rowid, v.title, v.publisher_key"
    " FROM articles a CROSS JOIN versions v ON v.article_id = a.id AND v.version = a.version"
)

_Stamp = tuple[str, int, str]  # id, version and time of addition: another one is another title


@dataclass(frozen=True, slots=True)
class _Known:
    """What the library held at a generation, by row; `signature` is that of all these rows."""

    generation: str
    signature: tuple[object, ...]
    stamps: dict[int, _Stamp]
    words: dict[int, str]  # folded

    @property
    def last(self) -> int:
        return max(self.stamps, default=0)


class Listing:
    """What titles and publishers say, folded and kept in memory: to read it from the file, SQLite would
    walk over the texts of all articles. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known = _Known("", (), {}, {})

    def page(
        self, connection: sqlite3.Connection, words: str, limit: int, offset: int
    ) -> tuple[list[ArticleSummary], int]:
        """Articles that hold every one of the words in title or publisher, those added last first, from
        the `offset`th on, and how many there are in all. No words mean all articles."""
        wanted = fold(words).split()
        if not wanted:
            total = connection.execute(f"SELECT count(*) {_HERE}").fetchone()[0]
            some = f"SELECT rowid {_HERE} ORDER BY rowid DESC LIMIT ? OFFSET ?"
            return _summaries(connection, [row[0] for row in connection.execute(some, (limit, offset))]), total
        with self._lock:
            self._known = known = _caught_up(connection, self._known)
        first, *others = wanted
        found = [rowid for rowid, said in known.words.items() if first in said]
        for word in others:
            found = [rowid for rowid in found if word in known.words[rowid]]
        found.sort(reverse=True)
        return _summaries(connection, found[offset : offset + limit]), len(found)


def _caught_up(connection: sqlite3.Connection, known: _Known) -> _Known:
    """What is known, brought to the state that this connection sees."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()
    generation = str(row[0]) if row else ""
    if generation == known.generation:
        return known
    # Mostly articles were added and all else is as it was, which is told much faster than by looking at each.
    if known.stamps and _signature(connection, known.last) == known.signature:
        fresh = _stamps(connection, known.last)
        stamps, words = known.stamps | fresh, known.words.copy()
    else:
        fresh = stamps = _stamps(connection, 0)
        words = {rowid: said for rowid, said in known.words.items() if stamps.get(rowid) == known.stamps[rowid]}
    missing = [rowid for rowid in fresh if rowid not in words]
    for at in range(0, len(missing), _ROWS):
        words.update(_words(connection, missing[at : at + _ROWS]))
    return _Known(generation, _signature(connection, max(stamps, default=0)), stamps, words)


def _signature(connection: sqlite3.Connection, last: int) -> tuple[object, ...]:
    return tuple(connection.execute(_SIGNATURE, {"last": last}).fetchone())


def _stamps(connection: sqlite3.Connection, after: int) -> dict[int, _Stamp]:
    cursor = connection.cursor()
    cursor.row_factory = None  # tuples: half the time
    return {rowid: (id_, version, added) for rowid, id_, version, added in cursor.execute(_STAMPS, (after,))}


def _words(connection: sqlite3.Connection, rowids: Sequence[int]) -> dict[int, str]:
    rows = connection.execute(f"{_WORDS} WHERE a.rowid IN ({','.join('?' * len(rowids))})", rowids)
    return {rowid: fold(f"{title}\n{publisher or ''}") for rowid, title, publisher in rows}


def _summaries(connection: sqlite3.Connection, rowids: Sequence[int]) -> list[ArticleSummary]:
    marks = ",".join("?" * len(rowids))
    rows = connection.execute(f"{_PAGE} WHERE a.rowid IN ({marks}) ORDER BY a.rowid DESC", rowids)
    return [ArticleSummary(*row) for row in rows]
