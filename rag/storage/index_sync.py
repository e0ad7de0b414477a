"""Keeps the vector index a true projection of the library: checks it, mends it, rebuilds it.

The library names the folder that holds the current index. A rebuild goes into a fresh folder, so that
one that is interrupted leaves nothing half done.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from rag.errors import EncoderMismatch
from rag.records import Filters
from rag.storage.keys import input_hash
from rag.storage.library import Library
from rag.storage.probe import IndexDamage, probe
from rag.storage.transaction import Transaction
from rag.storage.vectors import IndexUnusable, VectorIndex, Vectors, fingerprint

_STAMP = "clean.json"
_BEHIND = -1
_CHUNK = 500
_FEW = 6000  # passages that are faster compared one by one than found under a filter
_FARTHEST = 6000  # hits that are asked for to look through them, before Chroma is left to filter
_MARGIN = 2  # times as many hits as are looked through: near the end of what it returns the index misses some

Encode = Callable[[list[str]], Vectors]
Report = Callable[[str], None]


class IndexSync:
    """The vector index of one library, opened at first use.

    `model` names the encoder whose vectors are projected; `report` is told when something is mended.
    """

    def __init__(self, library: Library, library_path: Path, root: Path, model: str, report: Report) -> None:
        self._library = library
        self._library_path = library_path
        self._root = root
        self._model = model
        self._report = report
        self._index: VectorIndex | None = None
        self._generation = _BEHIND  # of the library, that the open index is known to hold
        self._opening = threading.RLock()

    # Using

    def open(self) -> VectorIndex:
        """The index, after it has been held against the library and mended where they differ.

        Raises EncoderMismatch if the library's vectors come from another encoder.
        """
        with self._opening:
            if self._index is None:
                self.check_model()
                self._library.set_meta("encoder", self._model)
                self._mend(self.examine())
            assert self._index is not None
            return self._index

    def query(self, vector: Vectors, limit: int, filters: Filters) -> list[tuple[str, float]]:
        """As VectorIndex.query; an index that broke meanwhile is mended first, once.

        Chroma gathers all that pass before it searches, a tenth of a second in a large library. So where filters
        let few passages through, those are compared one by one; where many, the nearest are asked for and looked
        through.
        """
        if not filters:
            return self._ask(vector, limit, filters)
        passing = self._library.passing(filters)
        if passing.count < _FEW:
            return self.exact(vector, limit, filters)
        if (reach := _MARGIN * passing.reach(limit)) < _FARTHEST:
            found = self._library.among(self._ask(vector, reach, Filters()), filters, limit)
            if len(found) == limit:
                return found
        return self._ask(vector, limit, filters)

    def _ask(self, vector: Vectors, limit: int, filters: Filters) -> list[tuple[str, float]]:
        index = self.open()
        try:
            return index.query(vector, limit, filters)
        except IndexUnusable:
            with self._opening:
                if self._index is index:  # nobody else has mended it meanwhile
                    self._let_go()
            return self.open().query(vector, limit, filters)

    def exact(self, vector: Vectors, limit: int, filters: Filters) -> list[tuple[str, float]]:
        """As `query`, out of all vectors in the library. Raises EncoderMismatch."""
        self.check_model()
        return self._library.nearest(self._model, vector, limit, filters)

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of these passages, in their order; what is gone is left out."""
        stored = self._library.vectors(self._model, ids)
        return {id_: stored[id_] for id_ in ids if id_ in stored}

    def apply(self, changes: Transaction) -> None:
        """Bring the index up to what a committed transaction changed."""
        if not changes.changed:
            return
        index = self.open()
        with self._opening:
            in_step = self._generation in (changes.generation - 1, changes.generation)
            gone = set(changes.removed)
            try:
                index.delete(changes.removed)
                self._copy(index, [id_ for id_ in changes.added if id_ not in gone])
            except IndexUnusable:
                # Somebody deleted or damaged its files: opening it again mends it and copies what is missing.
                self._let_go()
                self.open()
                return
            except BaseException:
                self._let_go()
                raise
            self._generation = changes.generation if in_step else _BEHIND

    def close(self) -> None:
        """Close the index and, if it is up to date, leave the stamp that spares the next start its check."""
        with self._opening:
            if self._index is None:
                return
            generation = self._generation
            self._let_go()
            if generation == self._library.generation and self._folder.is_dir():
                stamp = {"generation": generation, "files": fingerprint(self._folder)}
                (self._root / _STAMP).write_text(json.dumps(stamp))

    def _let_go(self) -> None:
        """Close the index without vouching for its files."""
        if self._index is not None:
            self._index.close()
        self._index, self._generation = None, _BEHIND

    # Checking and mending

    def examine(self) -> IndexDamage:
        """How the index compares with the library, without changing either."""
        if not self._folder.is_dir():
            wanted = tuple(self._library.index_ids())
            never_built = not self._library.meta("index_folder")
            return IndexDamage(missing=wanted, broken="" if never_built or not wanted else "it is missing")
        if self._stamped():
            return IndexDamage()
        return probe(self._library_path, self._folder, self._model)

    def trouble(self) -> str:
        """What is wrong with the index, in words; empty if it agrees with the library."""
        with self._opening:
            try:
                self.check_model()
            except EncoderMismatch as error:
                return error.message
            unembedded = len(self._library.without_vector(self._model, _CHUNK))
            if unembedded:
                return f"{unembedded} or more passages have no vector"
            # Two readers of one folder disagree: the check in the child needs it closed here. No stamp is
            # left or believed: somebody wants to know.
            self._let_go()
            (self._root / _STAMP).unlink(missing_ok=True)
            finding = self.examine()
        if finding.damaged:
            return f"damaged ({finding.broken or 'it does not find what it holds'})"
        if finding.agrees:
            return ""
        return f"{len(finding.missing)} passages are missing from it, {len(finding.surplus)} are too many"

    def repair(self, encode: Encode) -> list[str]:
        """Mend whatever `examine` finds, re-embedding what has no vector of this encoder."""
        with self._opening:
            done: list[str] = []
            embedded = self._embed_missing(encode)
            if embedded:
                done.append(f"embedded {embedded} passages again")
            self._let_go()
            if embedded or self._library.meta("encoder") not in ("", self._model):
                self._library.set_meta("encoder", self._model)
                self._rebuild()
                return [*done, "rebuilt the vector index"]
            (self._root / _STAMP).unlink(missing_ok=True)
            finding = self.examine()
            self._mend(finding)
            if finding.damaged:
                done.append("rebuilt the vector index")
            elif not finding.agrees:
                done.append("brought the vector index up to date")
            return done

    @property
    def _folder(self) -> Path:
        return self._root / (self._library.meta("index_folder") or "index-1")

    def check_model(self) -> None:
        """Raises EncoderMismatch if the library's vectors come from another encoder."""
        stored = self._library.meta("encoder")
        if stored not in ("", self._model):
            raise EncoderMismatch(
                f"the library's vectors come from the encoder {stored}, not {self._model}",
                "`rag doctor --repair` embeds every passage again, or set RAG_ENCODER back",
            )

    def _stamped(self) -> bool:
        try:
            stamp = json.loads((self._root / _STAMP).read_text())
        except (OSError, ValueError):
            return False
        return bool(stamp == {"generation": self._library.generation, "files": fingerprint(self._folder)})

    def _mend(self, finding: IndexDamage) -> None:
        if finding.damaged:
            self._report(f"the vector index is damaged ({finding.broken or 'it does not find what it holds'})")
            self._rebuild()
            return
        # From here on the files change: a stamp would vouch for a state that is gone.
        (self._root / _STAMP).unlink(missing_ok=True)
        try:
            self._index = VectorIndex(self._folder)
        except IndexUnusable as error:
            self._report(error.message)
            self._rebuild()
            return
        self._library.set_meta("index_folder", self._folder.name)
        generation = self._library.generation
        self._index.delete(finding.surplus)
        self._copy(self._index, finding.missing)
        self._generation = generation

    def _rebuild(self) -> None:
        """Build a fresh index from the stored vectors, then switch to it."""
        (self._root / _STAMP).unlink(missing_ok=True)
        old = self._folder
        number = int(old.name.rpartition("-")[2]) + 1
        fresh = self._root / f"index-{number}"
        shutil.rmtree(fresh, ignore_errors=True)
        index = VectorIndex(fresh)
        generation = self._library.generation
        ids = self._library.index_ids()
        self._copy(index, ids)
        self._generation = generation
        self._library.set_meta("index_folder", fresh.name)
        self._index = index
        shutil.rmtree(old, ignore_errors=True)
        if ids:
            self._report(f"rebuilt the vector index from {len(ids)} stored vectors")

    def _copy(self, index: VectorIndex, ids: Sequence[str]) -> None:
        for at in range(0, len(ids), _CHUNK):
            rows = self._library.index_rows(self._model, ids[at : at + _CHUNK])
            if rows:
                index.upsert(rows)

    def _embed_missing(self, encode: Encode) -> int:
        count = 0
        while texts := self._library.without_vector(self._model, _CHUNK):
            with self._library.transaction() as changes:
                changes.add_vectors(self._model, {input_hash(text): text for text in texts}, encode)
            count += len(texts)
        return count
