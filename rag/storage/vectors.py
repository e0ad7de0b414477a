"""Nearest-neighbour search in Chroma. This is the only module that knows Chroma."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import DiskFull, LibraryError
from rag.records import Filters
from rag.storage.keys import publisher_key

Vectors = NDArray[np.float32]

COLLECTION = "passages"
# Chroma refuses larger batches on some platforms, and 250 is as fast as more.
BATCH = 250


class IndexUnusable(LibraryError):
    """The index cannot be opened or searched; it can be rebuilt from the library."""

    code = "index_unusable"


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What the vector index holds of one passage. `day` is YYYYMMDD."""

    id: str
    vector: Vectors
    day: int | None
    publisher_key: str | None


class VectorIndex:
    """Passage vectors in a folder of its own, by cosine. Safe to use from several threads.

    Opening a damaged folder can end the process: let `rag.storage.index_sync` check it first.
    """

    def __init__(self, folder: Path) -> None:
        # Chroma's import takes most of a second: commands that need no vectors do not pay for it.
        import chromadb
        from chromadb.config import Settings

        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        with _plain_failures(folder):
            self._client: Any = chromadb.PersistentClient(
                path=str(folder), settings=Settings(anonymized_telemetry=False)
            )
            self._collection = self._client.get_or_create_collection(
                COLLECTION,
                # Vectors always come from the library: Chroma must not fetch a model of its own.
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine", "ef_search": 200}},
            )

    def upsert(self, rows: Sequence[IndexRow]) -> None:
        with _plain_failures(self.folder):
            for at in range(0, len(rows), BATCH):
                batch = rows[at : at + BATCH]
                self._collection.upsert(
                    ids=[row.id for row in batch],
                    embeddings=np.stack([row.vector for row in batch]),
                    metadatas=[_metadata(row) for row in batch],
                )

    def delete(self, ids: Sequence[str]) -> None:
        with _plain_failures(self.folder):
            for at in range(0, len(ids), BATCH):
                self._collection.delete(ids=list(ids[at : at + BATCH]))

    def ids(self) -> set[str]:
        with _plain_failures(self.folder):
            return set(self._collection.get(include=[])["ids"])

    def query(self, vector: Vectors, limit: int, filters: Filters) -> list[tuple[str, float]]:
        """The nearest passages with their cosine similarity, best first."""
        where = _where(filters)
        with _plain_failures(self.folder):
            found = self._collection.query(
                query_embeddings=vector.reshape(1, -1), n_results=limit, where=where, include=["distances"]
            )
        distances = found["distances"]
        assert distances is not None  # asked for above
        return [(id_, 1.0 - distance) for id_, distance in zip(found["ids"][0], distances[0], strict=True)]

    def close(self) -> None:
        self._client.close()


@contextmanager
def _plain_failures(folder: Path) -> Iterator[None]:
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, OSError, RuntimeError) as error:
        if "full" in str(error) or "No space" in str(error):
            raise DiskFull(
                f"the vector index {folder} could not be written ({error})",
                "free some space and run the same command again; the articles themselves are kept",
            ) from error
        raise IndexUnusable(
            f"the vector index {folder} cannot be used ({error})", "`rag doctor --repair` rebuilds it"
        ) from error


def _metadata(row: IndexRow) -> dict[str, Any]:
    # Chroma rejects None and an empty mapping; a missing day never matches a date filter.
    metadata: dict[str, Any] = {"passage": row.id}
    if row.day is not None:
        metadata["day"] = row.day
    if row.publisher_key is not None:
        metadata["publisher"] = row.publisher_key
    return metadata


def _where(filters: Filters) -> dict[str, Any] | None:
    conditions: list[dict[str, Any]] = []
    if filters.since is not None:
        conditions.append({"day": {"$gte": int(filters.since.strftime("%Y%m%d"))}})
    if filters.until is not None:
        conditions.append({"day": {"$lte": int(filters.until.strftime("%Y%m%d"))}})
    if filters.publishers:
        conditions.append({"publisher": {"$in": [publisher_key(p) or "" for p in filters.publishers]}})
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else {"$and": conditions}


def fingerprint(folder: Path) -> dict[str, list[int]]:
    """Size and time of change of every file below a folder: differs when anything has touched one."""
    found: dict[str, list[int]] = {}
    for path, _, names in os.walk(folder):
        for name in names:
            stat = (Path(path) / name).stat()
            found[str((Path(path) / name).relative_to(folder))] = [stat.st_size, stat.st_mtime_ns]
    return found
