"""The library: articles, their versions and passages. SQLite is the truth; everything else is rebuilt from it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from rag.errors import LibraryDamaged, UnknownArticle
from rag.records import Article, ArticleSummary, Filters, Passage
from rag.storage import search
from rag.storage.database import Database
from rag.storage.keys import TEXT_ADDRESS, input_text, publisher_key
from rag.storage.listing import Listing
from rag.storage.transaction import Transaction
from rag.storage.vectors import IndexRow, Vectors

_VERSION_COLUMNS = (
    "v.article_id, v.version, v.title, v.text, v.publisher, v.authors, v.published, v.published_from, v.url"
)
_PASSAGE_COLUMNS = 'p.id, p.article_id, p.version, p.ordinal, p.start, p."end", p.text'


class Library:
    """Articles in one SQLite file. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path)
        self._listing = Listing()

    @property
    def database(self) -> Database:
        """The file, for what else is kept in it."""
        return self._database

    def close(self) -> None:
        self._database.close()

    # Writing

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """All or nothing; `generation` grows with every transaction that changed passages."""
        with self._database.writing() as connection:
            changes = Transaction(connection)
            yield changes
            if changes.changed:
                row = connection.execute(
                    "INSERT INTO meta VALUES ('generation', '1')"
                    " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1 RETURNING value"
                ).fetchone()
                changes.generation = int(row[0])

    def set_meta(self, key: str, value: str) -> None:
        if self.meta(key) == value:  # reading a library must not need a disk with room on it
            return
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # Reading

    def meta(self, key: str, default: str = "") -> str:
        with self._database.reading() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
            return str(row[0]) if row else default

    @property
    def generation(self) -> int:
        return int(self.meta("generation", "0"))

    def counts(self) -> tuple[int, int]:
        """Number of articles and of passages."""
        with self._database.reading() as connection:
            articles = connection.execute("SELECT count(*) FROM articles WHERE digest <> ''").fetchone()[0]
            passages = connection.execute("SELECT count(*) FROM passages").fetchone()[0]
            return articles, passages

    def article(self, article_id: str, version: int | None = None) -> Article:
        """The article by its id, or by another id under which the same text came; the current version
        unless one is named. Raises UnknownArticle."""
        with self._database.reading() as connection:
            current = (
                "JOIN articles a ON a.id = v.article_id AND a.version = v.version AND a.digest <> ''"
                " WHERE a.id = coalesce((SELECT article_id FROM aliases WHERE id = :id), :id)"
            )
            named = "WHERE v.article_id = :id AND v.version = :version"
            row = connection.execute(
                f"SELECT {_VERSION_COLUMNS} FROM versions v {current if version is None else named}",
                {"id": article_id, "version": version},
            ).fetchone()
            if row is None:
                raise UnknownArticle(article_id)
            return _article(row, _addresses(connection, row["article_id"]))

    def articles(self, limit: int = -1, after: str | None = None) -> list[ArticleSummary]:
        """Articles ordered by id, those behind `after` first; a negative limit means all."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT a.id, v.title, v.publisher, v.published, v.url,"
                " (SELECT count(*) FROM passages p WHERE p.article_id = a.id), a.version"
                " FROM articles a JOIN versions v ON v.article_id = a.id AND v.version = a.version"
                " WHERE a.digest <> '' AND a.id > ? ORDER BY a.id LIMIT ?",
                (after or "", limit),
            ).fetchall()
            return [ArticleSummary(*row) for row in rows]

    def listed(self, words: str, limit: int, offset: int) -> tuple[list[ArticleSummary], int]:
        """A page of the articles whose title or publisher holds all of the words, those added last first,
        and how many there are in all."""
        with self._database.reading() as connection:
            return self._listing.page(connection, words, limit, offset)

    def newest(self, limit: int) -> list[str]:
        """Ids of the articles with the newest publication dates, newest first; then those without a date, the last
        one stored first."""
        current = "FROM versions v CROSS JOIN articles a ON a.id = v.article_id AND a.version = v.version"
        with self._database.reading() as connection:
            found = [
                row[0]
                for row in connection.execute(
                    f"SELECT a.id {current} WHERE v.day IS NOT NULL AND a.digest <> '' ORDER BY v.day DESC LIMIT ?",
                    (limit,),
                )
            ]
            undated = connection.execute(
                f"SELECT a.id {current} WHERE v.day IS NULL AND a.digest <> '' ORDER BY v.rowid DESC LIMIT ?",
                (limit - len(found),),
            )
            return found + [row[0] for row in undated]

    def passages(self, ids: Sequence[str]) -> dict[str, tuple[Passage, Article]]:
        """Passages by id, each with its article; ids that are gone are left out."""
        found: dict[str, tuple[Passage, Article]] = {}
        articles: dict[str, Article] = {}
        with self._database.reading() as connection:
            marks = ",".join("?" * len(ids))
            rows = connection.execute(
                f"SELECT {_PASSAGE_COLUMNS} FROM passages p WHERE p.id IN ({marks})", tuple(ids)
            ).fetchall()
            for row in rows:
                passage = Passage(*row)
                if passage.article_id not in articles:
                    version = connection.execute(
                        f"SELECT {_VERSION_COLUMNS} FROM versions v WHERE v.article_id = ? AND v.version = ?",
                        (passage.article_id, passage.version),
                    ).fetchone()
                    addresses = _addresses(connection, passage.article_id)
                    articles[passage.article_id] = _article(version, addresses)
                found[passage.id] = (passage, articles[passage.article_id])
        return found

    def match(
        self, expression: str, filters: Filters, limit: int, counts: Mapping[str, int] | None = None
    ) -> list[tuple[str, float]]:
        """Passage ids with their BM25 scores (higher is better) for an FTS5 expression, best first. Faster with
        `counts`: in how many passages each word of the expression stands."""
        with self._database.reading() as connection:
            return search.match(connection, expression, filters, limit, counts)

    def scores(self, expression: str, ids: Sequence[str]) -> dict[str, float]:
        """BM25, as `match` gives it, of those of these passages that match."""
        with self._database.reading() as connection:
            return search.scores(connection, expression, ids)

    def frequency(self, words: str, most: int) -> int:
        """In how many passages these words stand beside each other, counted up to `most`."""
        with self._database.reading() as connection:
            return search.frequency(connection, words, most)

    def terms(self, prefix: str) -> dict[str, int]:
        """The stems in the lexical index that begin so, each with the number of passages that hold it."""
        with self._database.reading() as connection:
            return search.terms(connection, prefix)

    def examples(self, word: str, most: int) -> list[str]:
        """Title and text of passages that hold the word or another of its stem."""
        with self._database.reading() as connection:
            return search.examples(connection, word, most)

    def document_frequency(self, terms: Sequence[str]) -> dict[str, int]:
        """In how many passages each term (a word as typed) occurs, after stemming."""
        with self._database.reading() as connection:
            return {
                term: connection.execute(
                    "SELECT count(*) FROM passages_fts WHERE passages_fts MATCH ?", (f'"{term}"',)
                ).fetchone()[0]
                for term in terms
            }

    def knows(self, fingerprint: str) -> bool:
        """Whether bytes of this fingerprint were read before, and their article is at the version that
        they led to and still has their address."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT 1 FROM readings r JOIN articles a ON a.id = r.article_id AND a.version = r.version"
                " JOIN addresses d ON d.source = r.source AND d.article_id = r.article_id WHERE r.fingerprint = ?",
                (fingerprint,),
            )
            return row.fetchone() is not None

    def publishers(self, limit: int = 100) -> list[str]:
        """Publishers as they are written most recently, the one with most articles first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT v.publisher, max(v.stored_at) FROM versions v"
                " JOIN articles a ON a.id = v.article_id AND a.version = v.version AND a.digest <> ''"
                " WHERE v.publisher_key IS NOT NULL GROUP BY v.publisher_key ORDER BY count(*) DESC LIMIT ?",
                (limit,),
            )
            return [str(row[0]) for row in rows]

    def has_publisher(self, publisher: str) -> bool:
        """Whether an article is by them, however the name is written."""
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT 1 FROM versions v JOIN articles a ON a.id = v.article_id AND a.version = v.version"
                " AND a.digest <> '' WHERE v.publisher_key = ? LIMIT 1",
                (publisher_key(publisher) or "",),
            )
            return found.fetchone() is not None

    def undated(self, publishers: Sequence[str] = ()) -> int:
        """How many articles (of these publishers, if any are given) have no publication date."""
        among = f" AND v.publisher_key IN ({','.join('?' * len(publishers))})" if publishers else ""
        with self._database.reading() as connection:
            return int(
                connection.execute(
                    "SELECT count(*) FROM articles a JOIN versions v"
                    f" ON v.article_id = a.id AND v.version = a.version WHERE v.day IS NULL AND a.digest <> ''{among}",
                    [publisher_key(publisher) or "" for publisher in publishers],
                ).fetchone()[0]
            )

    # Vectors

    def index_ids(self) -> list[str]:
        """Ids of all passages: what a complete vector index holds."""
        with self._database.reading() as connection:
            return [row[0] for row in connection.execute("SELECT id FROM passages ORDER BY rowid")]

    def index_rows(self, model: str, ids: Sequence[str]) -> list[IndexRow]:
        """The stored vectors of these passages; a passage without a vector of this model is left out."""
        with self._database.reading() as connection:
            marks = ",".join("?" * len(ids))
            rows = connection.execute(
                f"SELECT p.id, x.vector, v.day, v.publisher_key FROM passages p {search.VECTOR}"
                " JOIN versions v ON v.article_id = p.article_id AND v.version = p.version"
                f" WHERE p.id IN ({marks})",
                (model, *ids),
            ).fetchall()
            return [IndexRow(r[0], np.frombuffer(r[1], dtype="<f4"), r[2], r[3]) for r in rows]

    def vectors(self, model: str, ids: Sequence[str]) -> dict[str, Vectors]:
        """The stored vectors of these passages, by id; a passage without one of this model is left out."""
        with self._database.reading() as connection:
            marks = ",".join("?" * len(ids))
            rows = connection.execute(
                f"SELECT p.id, x.vector FROM passages p {search.VECTOR} WHERE p.id IN ({marks})",
                (model, *ids),
            )
            return {row[0]: np.frombuffer(row[1], dtype="<f4") for row in rows}

    def passing(self, filters: Filters) -> search.Passing:
        """About how many passages the filters let through."""
        with self._database.reading() as connection:
            return search.passing(connection, filters)

    def among(self, found: Sequence[tuple[str, float]], filters: Filters, limit: int) -> list[tuple[str, float]]:
        """The first `limit` of these passages that pass the filters."""
        with self._database.reading() as connection:
            return search.among(connection, found, filters, limit)

    def nearest(self, model: str, vector: Vectors, limit: int, filters: Filters) -> list[tuple[str, float]]:
        """The nearest passages with their cosine similarity, best first, out of all that pass the filters.

        Exact: every vector is read, 150 MB for 100,000 passages.
        """
        with self._database.reading() as connection:
            return search.nearest(connection, model, vector, limit, filters)

    def without_vector(self, model: str, limit: int) -> list[str]:
        """Texts to embed of passages that have no vector of this model."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT p.title, p.text FROM passages p WHERE NOT EXISTS"
                " (SELECT 1 FROM vectors x WHERE x.model = ? AND x.input_hash = p.input_hash) LIMIT ?",
                (model, limit),
            ).fetchall()
            return [input_text(row[0], row[1]) for row in rows]

    def integrity(self) -> str:
        """`ok`, or SQLite's first complaint about the file or the lexical index."""
        with self._database.reading() as connection:
            said = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if said != "ok":
            return said
        try:
            with self._database.writing() as connection:
                connection.execute("INSERT INTO passages_fts (passages_fts, rank) VALUES ('integrity-check', 1)")
        except (sqlite3.DatabaseError, LibraryDamaged):
            return "the lexical index does not agree with the passages"
        return "ok"

    def rebuild_lexical(self) -> None:
        self._database.rebuild_lexical()


def _addresses(connection: sqlite3.Connection, article_id: str) -> tuple[str, ...]:
    """Where an article's text was found, without the address that a text has by itself."""
    rows = connection.execute(
        "SELECT source FROM addresses WHERE article_id = ? AND source NOT LIKE ? ORDER BY source",
        (article_id, f"{TEXT_ADDRESS}%"),
    )
    return tuple(row[0] for row in rows)


def _article(row: sqlite3.Row, addresses: tuple[str, ...]) -> Article:
    return Article(
        id=row["article_id"],
        version=row["version"],
        title=row["title"],
        text=row["text"],
        publisher=row["publisher"],
        authors=tuple(json.loads(row["authors"])),
        published=row["published"],
        published_from=row["published_from"],
        url=row["url"],
        addresses=addresses,
    )
