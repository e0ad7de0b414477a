"""The writing half of the library."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from rag.errors import UnknownArticle
from rag.records import Draft, IngestStatus, Span
from rag.storage.keys import input_hash, input_text, new_article_id, publisher_key, text_digest

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a draft belongs: what it is to the library, and the article that takes it."""

    status: IngestStatus
    article_id: str
    version: int
    writes: bool  # whether the text or its metadata must be written


class Transaction:
    """The writing half of the library, inside one transaction. Built by Library.transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.added: list[str] = []  # ids of the passages written
        self.removed: list[str] = []  # ids of the passages that left
        self.generation = 0  # of the library, once this has changed it

    @property
    def changed(self) -> bool:
        return bool(self.added or self.removed)

    def place(self, draft: Draft) -> Placement:
        """Decide what a draft is to the library, and move addresses accordingly.

        The same source with the same text is unchanged; with another text it is updated; a text that
        is here under another address is a duplicate.
        """
        digest = text_digest(draft.text)
        owner, twin = self._owner(draft), self._by_digest(digest)
        if owner is None:
            if twin is None:
                return Placement("added", draft.id or new_article_id(draft.source, digest), 1, True)
            known = draft.source is None
            self._attach(draft, twin["id"])
            return Placement("unchanged" if known else "duplicate", twin["id"], twin["version"], False)
        if owner["digest"] == digest:
            changed = self._metadata_changed(owner, draft)
            if changed:
                return Placement("updated", owner["id"], owner["version"] + 1, True)
            return Placement("unchanged", owner["id"], owner["version"], False)
        if twin is not None:
            return self._moved(draft, owner, twin)
        self._part_from_others(draft, owner)
        return Placement("updated", owner["id"], owner["version"] + 1, True)

    def write(self, draft: Draft, placement: Placement, spans: Sequence[Span]) -> None:
        """Write the article version and its passages in place of the earlier ones."""
        article_id, version = placement.article_id, placement.version
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._connection.execute(
            "INSERT INTO articles VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET version = excluded.version, digest = excluded.digest",
            (article_id, version, text_digest(draft.text), now),
        )
        day = int(draft.published[:10].replace("-", "")) if draft.published else None
        self._connection.execute(
            "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                article_id,
                version,
                draft.source,
                draft.title,
                draft.text,
                draft.publisher,
                json.dumps(draft.authors, ensure_ascii=False),
                draft.published,
                draft.published_from,
                draft.url,
                day,
                publisher_key(draft.publisher),
                now,
            ),
        )
        self._attach(draft, article_id)
        self._add_passages(article_id, version, draft.title, [(s, draft.text[s.start : s.end]) for s in spans])
        # After the new ones are in, so that the vectors they share with the old ones stay.
        self._drop_passages(article_id, before=version)

    def remember(self, draft: Draft, placement: Placement) -> None:
        """Note which bytes led here, once the article is written (see Library.knows)."""
        if draft.fingerprint is not None:
            self._connection.execute(
                "INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?)",
                (draft.fingerprint, placement.article_id, placement.version, draft.source),
            )

    def remove(self, article_id: str) -> None:
        """Remove an article with its versions, passages, vectors and addresses. Raises UnknownArticle."""
        row = self._connection.execute(
            "SELECT coalesce((SELECT article_id FROM aliases WHERE id = :id), :id)", {"id": article_id}
        ).fetchone()
        self._drop_passages(row[0])
        if self._connection.execute("DELETE FROM articles WHERE id = ?", (row[0],)).rowcount == 0:
            raise UnknownArticle(article_id)

    def embed_added(self, model: str, encode: Callable[[list[str]], Vectors]) -> None:
        """Embed what was added and has no vector of this model yet, and store the vectors."""
        wanted: dict[str, str] = {}
        for passage_id in self.added:
            row = self._connection.execute(
                "SELECT input_hash, title, text FROM passages WHERE id = ?", (passage_id,)
            ).fetchone()
            # A passage may be gone again: written and replaced within the same batch.
            if row is not None and not self._has_vector(model, row[0]):
                wanted[row[0]] = input_text(row[1], row[2])
        self.add_vectors(model, wanted, encode)

    def add_vectors(self, model: str, texts: dict[str, str], encode: Callable[[list[str]], Vectors]) -> None:
        """Encode texts, keyed by their hash, and store the vectors."""
        if not texts:
            return
        vectors = encode(list(texts.values())).astype("<f4", copy=False)
        self._connection.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
            [(model, digest, vector.tobytes()) for digest, vector in zip(texts, vectors, strict=True)],
        )

    def _has_vector(self, model: str, digest: str) -> bool:
        row = self._connection.execute("SELECT 1 FROM vectors WHERE model = ? AND input_hash = ?", (model, digest))
        return row.fetchone() is not None

    def _owner(self, draft: Draft) -> sqlite3.Row | None:
        """The article that this source, or this id, already names."""
        row: sqlite3.Row | None = self._connection.execute(
            "SELECT a.* FROM addresses d JOIN articles a ON a.id = d.article_id WHERE d.source = ?", (draft.source,)
        ).fetchone()
        if row is None and draft.id is not None:
            row = self._connection.execute(
                "SELECT * FROM articles WHERE id = coalesce((SELECT article_id FROM aliases WHERE id = :id), :id)",
                {"id": draft.id},
            ).fetchone()
        return row

    def _by_digest(self, digest: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._connection.execute(
            "SELECT * FROM articles WHERE digest = ? ORDER BY added_at, id LIMIT 1", (digest,)
        ).fetchone()
        return row

    def _metadata_changed(self, owner: sqlite3.Row, draft: Draft) -> bool:
        row = self._connection.execute(
            "SELECT source, title, publisher, authors, published, url FROM versions"
            " WHERE article_id = ? AND version = ?",
            (owner["id"], owner["version"]),
        ).fetchone()
        # A copy under another address does not rename the article it is a copy of.
        if row["source"] != draft.source:
            return False
        authors = tuple(json.loads(row["authors"]))
        stored = (row["title"], row["publisher"], authors, row["published"], row["url"])
        return stored != (draft.title, draft.publisher, draft.authors, draft.published, draft.url)

    def _moved(self, draft: Draft, owner: sqlite3.Row, twin: sqlite3.Row) -> Placement:
        """The source now carries a text that is here already: its address moves to that article."""
        self._connection.execute("DELETE FROM addresses WHERE source = ?", (draft.source,))
        others = self._connection.execute("SELECT 1 FROM addresses WHERE article_id = ?", (owner["id"],)).fetchone()
        if others is None:
            self.remove(owner["id"])
            self._connection.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?)", (owner["id"], twin["id"]))
        self._attach(draft, twin["id"])
        return Placement("duplicate", twin["id"], twin["version"], False)

    def _part_from_others(self, draft: Draft, owner: sqlite3.Row) -> None:
        """Before one of several addresses gets a new text, the others keep the old one as their own article."""
        others = self._connection.execute(
            "SELECT source FROM addresses WHERE article_id = ? AND source IS NOT ? ORDER BY source",
            (owner["id"], draft.source),
        ).fetchall()
        if not others:
            return
        clone = new_article_id(others[0][0], owner["digest"])
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._connection.execute("INSERT INTO articles VALUES (?, 1, ?, ?)", (clone, owner["digest"], now))
        self._connection.execute(
            "INSERT INTO versions SELECT ?, 1, ?, title, text, publisher, authors, published, published_from, url,"
            " day, publisher_key, stored_at FROM versions WHERE article_id = ? AND version = ?",
            (clone, others[0][0], owner["id"], owner["version"]),
        )
        self._connection.execute(
            "UPDATE addresses SET article_id = ? WHERE article_id = ? AND source IS NOT ?",
            (clone, owner["id"], draft.source),
        )
        rows = self._connection.execute(
            'SELECT title, start, "end", text FROM passages WHERE article_id = ? ORDER BY ordinal', (owner["id"],)
        ).fetchall()
        self._add_passages(clone, 1, rows[0][0] if rows else "", [(Span(r[1], r[2]), r[3]) for r in rows])

    def _attach(self, draft: Draft, article_id: str) -> None:
        if draft.source is not None:
            self._connection.execute("INSERT OR REPLACE INTO addresses VALUES (?, ?)", (draft.source, article_id))
        if draft.id is not None and draft.id != article_id:
            self._connection.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?)", (draft.id, article_id))

    def _add_passages(self, article_id: str, version: int, title: str, parts: Iterable[tuple[Span, str]]) -> None:
        rows = [
            (f"{article_id}.v{version}.{n}", article_id, version, n, span.start, span.end, title, text)
            for n, (span, text) in enumerate(parts)
        ]
        self._connection.executemany(
            'INSERT INTO passages (id, article_id, version, ordinal, start, "end", title, text, input_hash)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*row, input_hash(input_text(title, row[-1]))) for row in rows],
        )
        self.added.extend(row[0] for row in rows)

    def _drop_passages(self, article_id: str, *, before: int | None = None) -> None:
        """Drop an article's passages, of versions earlier than `before` only if it is given, and the
        vectors that no other passage shares."""
        which, values = "article_id = ? AND version < coalesce(?, version + 1)", (article_id, before)
        rows = self._connection.execute(f"SELECT id, input_hash FROM passages WHERE {which}", values).fetchall()
        self.removed.extend(row[0] for row in rows)
        self._connection.execute(f"DELETE FROM passages WHERE {which}", values)
        self._connection.executemany(
            "DELETE FROM vectors WHERE input_hash = :hash"
            " AND NOT EXISTS (SELECT 1 FROM passages WHERE input_hash = :hash)",
            [{"hash": row[1]} for row in rows],
        )
