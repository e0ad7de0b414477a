"""The writing half of the library."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

import numpy as np
from numpy.typing import NDArray

from rag.errors import UnknownArticle
from rag.records import Document, IngestStatus, Span
from rag.storage.keys import TEXT_ADDRESS, input_hash, input_text, new_article_id, publisher_key, text_digest

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

    def place(self, draft: Document) -> Placement:
        """Decide what a draft is to the library, and move addresses accordingly.

        The same source with the same text is unchanged; with another text it is updated; a text that
        is here under another address is a duplicate.
        """
        digest = text_digest(draft.text)
        owner, twin = self._owner(draft, digest), self._by_digest(digest)
        if owner is None and twin is None:
            return self._new("added", draft, digest)
        if owner is None:
            assert twin is not None
            self._attach(draft, twin["id"])
            return Placement("duplicate", twin["id"], twin["version"], False)
        primary = self._is_primary(draft, digest, owner)
        if owner["digest"] == digest:
            # A copy under another address does not rename the article it is a copy of.
            if primary and self._differs(owner, draft):
                return Placement("updated", owner["id"], owner["version"] + 1, True)
            return Placement("unchanged", owner["id"], owner["version"], False)
        if twin is not None:
            return self._moved(draft, digest, owner, twin)
        if not primary:
            self._detach(draft, digest)
            return self._new("updated", draft, digest)
        self._part_from_others(draft, digest, owner)
        return Placement("updated", owner["id"], owner["version"] + 1, True)

    def write(self, draft: Document, placement: Placement, spans: Sequence[Span]) -> None:
        """Write the article version and its passages in place of the earlier ones."""
        article_id, version, digest = placement.article_id, placement.version, text_digest(draft.text)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._connection.execute(
            "INSERT INTO articles VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET version = excluded.version, digest = excluded.digest",
            (article_id, version, digest, now),
        )
        day = int(draft.published[:10].replace("-", "")) if draft.published else None
        self._connection.execute(
            "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                article_id,
                version,
                _address(draft, digest),
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

    def remember(self, draft: Document, placement: Placement) -> None:
        """Note which bytes led here, once the article is written (see Library.knows)."""
        if draft.fingerprint is not None:
            self._connection.execute(
                "INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?)",
                (draft.fingerprint, placement.article_id, placement.version, _address(draft, text_digest(draft.text))),
            )

    def remove(self, article_id: str) -> None:
        """Remove an article with its versions, passages, vectors and addresses. Raises UnknownArticle."""
        row = self._connection.execute(
            "SELECT coalesce((SELECT article_id FROM aliases WHERE id = :id), :id)", {"id": article_id}
        ).fetchone()
        self._drop_passages(row[0])
        merged = "SELECT id FROM aliases WHERE article_id = ?"
        self._connection.execute(f"DELETE FROM articles WHERE digest = '' AND id IN ({merged})", (row[0],))
        gone = self._connection.execute("DELETE FROM articles WHERE id = ? AND digest <> ''", (row[0],))
        if gone.rowcount == 0:
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

    def _owner(self, draft: Document, digest: str) -> sqlite3.Row | None:
        """The article that this source, or this id, already names."""
        row: sqlite3.Row | None = self._connection.execute(
            "SELECT a.* FROM addresses d JOIN articles a ON a.id = d.article_id WHERE d.source = ?",
            (_address(draft, digest),),
        ).fetchone()
        if row is None and draft.id is not None:
            row = self._connection.execute(
                "SELECT * FROM articles WHERE digest <> '' AND"
                " id = coalesce((SELECT article_id FROM aliases WHERE id = :id), :id)",
                {"id": draft.id},
            ).fetchone()
        return row

    def _by_digest(self, digest: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._connection.execute(
            "SELECT * FROM articles WHERE digest = ? ORDER BY added_at, id LIMIT 1", (digest,)
        ).fetchone()
        return row

    def _new(self, status: IngestStatus, draft: Document, digest: str) -> Placement:
        """A place of its own. A given id may be that of an article that was merged: its versions go on."""
        article_id = draft.id or self._free_id(_address(draft, digest), digest)
        row = self._connection.execute("SELECT version FROM articles WHERE id = ?", (article_id,)).fetchone()
        return Placement(status, article_id, row["version"] + 1 if row else 1, True)

    def _free_id(self, source: str, digest: str) -> str:
        for salt in count():
            article_id = new_article_id(source, f"{digest}{salt or ''}")
            taken = "SELECT 1 FROM articles WHERE id = :id UNION SELECT 1 FROM aliases WHERE id = :id"
            if self._connection.execute(taken, {"id": article_id}).fetchone() is None:
                return article_id
        raise AssertionError("there is always a next number")

    def _is_primary(self, draft: Document, digest: str, owner: sqlite3.Row) -> bool:
        """Whether the article's current version came from this source, or nothing else leads to it."""
        source = self._connection.execute(
            "SELECT source FROM versions WHERE article_id = ? AND version = ?", (owner["id"], owner["version"])
        ).fetchone()[0]
        return source == _address(draft, digest) or draft.id == owner["id"] or not self._others(draft, digest, owner)

    def _others(self, draft: Document, digest: str, owner: sqlite3.Row) -> list[str]:
        rows = self._connection.execute(
            "SELECT source FROM addresses WHERE article_id = ? AND source <> ? ORDER BY source",
            (owner["id"], _address(draft, digest)),
        )
        return [row[0] for row in rows]

    def _differs(self, owner: sqlite3.Row, draft: Document) -> bool:
        """Whether anything but the meaning of "the same text" has changed: case, white space, metadata."""
        row = self._connection.execute(
            "SELECT text, title, publisher, authors, published, url FROM versions WHERE article_id = ? AND version = ?",
            (owner["id"], owner["version"]),
        ).fetchone()
        authors = tuple(json.loads(row["authors"]))
        stored = (row["text"], row["title"], row["publisher"], authors, row["published"], row["url"])
        return stored != (draft.text, draft.title, draft.publisher, draft.authors, draft.published, draft.url)

    def _moved(self, draft: Document, digest: str, owner: sqlite3.Row, twin: sqlite3.Row) -> Placement:
        """The source now carries a text that is here already: its address moves to that article.

        An article that is left without an address is merged: it keeps its versions, but no digest.
        """
        self._detach(draft, digest)
        if not self._others(draft, digest, owner):
            self._drop_passages(owner["id"])
            self._connection.execute("UPDATE articles SET digest = '' WHERE id = ?", (owner["id"],))
            self._connection.execute(
                "UPDATE aliases SET article_id = ? WHERE article_id = ?", (twin["id"], owner["id"])
            )
            self._connection.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?)", (owner["id"], twin["id"]))
        self._attach(draft, twin["id"])
        return Placement("duplicate", twin["id"], twin["version"], False)

    def _part_from_others(self, draft: Document, digest: str, owner: sqlite3.Row) -> None:
        """Before one of several addresses gets a new text, the others keep the old one as their own article."""
        others = self._others(draft, digest, owner)
        if not others:
            return
        clone = self._free_id(others[0], owner["digest"])
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._connection.execute("INSERT INTO articles VALUES (?, 1, ?, ?)", (clone, owner["digest"], now))
        self._connection.execute(
            "INSERT INTO versions SELECT ?, 1, ?, title, text, publisher, authors, published, published_from, url,"
            " day, publisher_key, stored_at FROM versions WHERE article_id = ? AND version = ?",
            (clone, others[0], owner["id"], owner["version"]),
        )
        self._connection.execute(
            "UPDATE addresses SET article_id = ? WHERE article_id = ? AND source <> ?",
            (clone, owner["id"], _address(draft, digest)),
        )
        rows = self._connection.execute(
            'SELECT title, start, "end", text FROM passages WHERE article_id = ? ORDER BY ordinal', (owner["id"],)
        ).fetchall()
        self._add_passages(clone, 1, rows[0][0] if rows else "", [(Span(r[1], r[2]), r[3]) for r in rows])

    def _attach(self, draft: Document, article_id: str) -> None:
        address = _address(draft, text_digest(draft.text))
        self._connection.execute("INSERT OR REPLACE INTO addresses VALUES (?, ?)", (address, article_id))
        if draft.id is not None and draft.id != article_id:
            self._connection.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?)", (draft.id, article_id))

    def _detach(self, draft: Document, digest: str) -> None:
        self._connection.execute("DELETE FROM addresses WHERE source = ?", (_address(draft, digest),))
        self._connection.execute("DELETE FROM aliases WHERE id = ?", (draft.id,))

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


def _address(draft: Document, digest: str) -> str:
    """What the draft is known by: its source, or for a paste or an upload the text itself."""
    return draft.source or f"{TEXT_ADDRESS}{digest}"
