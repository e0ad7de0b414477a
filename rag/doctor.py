"""Checks settings, models, library and vector index against each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rag.errors import LibraryDamaged, RagError
from rag.models.deadline import Deadline
from rag.models.encoder import Encoder
from rag.models.writer import OpenAIWriter
from rag.records import Check, Diagnosis
from rag.settings import Settings
from rag.storage.library import Library
from rag.storage.projection import Projection

_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Doctor:
    settings: Settings
    library: Library
    encoder: Callable[[], Encoder]
    projection: Callable[[], Projection]
    writer: OpenAIWriter | None

    def examine(self, repair: bool) -> Diagnosis:
        """Check everything, mending what can be mended first if `repair` is set."""
        checks = [self._settings(), self._library(repair)]
        encoder = self._encoder()
        checks.append(encoder)
        if encoder.ok:
            checks.append(self._index(repair))
        checks.append(self._writer())
        return Diagnosis(tuple(checks))

    def _settings(self) -> Check:
        home = self.settings.rag_home.resolve()
        return Check("settings", True, f"RAG_HOME is {home}")

    def _library(self, repair: bool) -> Check:
        said = self.library.integrity()
        if said == "ok":
            articles, passages = self.library.counts()
            return Check("library", True, f"{articles:,} articles, {passages:,} passages")
        if repair:
            try:
                self.library.rebuild_lexical()
            except LibraryDamaged:
                return Check("library", False, f"{said}: it is beyond repair, restore it from a backup")
            said = self.library.integrity()
        if said == "ok":
            return Check("library", True, "rebuilt the lexical index")
        return Check("library", False, f"{said}: `rag doctor --repair` rebuilds the lexical index")

    def _encoder(self) -> Check:
        try:
            encoder = self.encoder()
            encoder.encode(["a first sentence"])
        except RagError as error:
            return Check("encoder", False, str(error))
        return Check("encoder", True, f"{encoder.name}, {encoder.dimension} dimensions")

    def _index(self, repair: bool) -> Check:
        projection = self.projection()
        done: list[str] = []
        if repair:
            done = projection.repair(self.encoder().encode)
        trouble = projection.trouble()
        if trouble:
            return Check("vector index", False, f"{trouble}: `rag doctor --repair` mends it")
        return Check("vector index", True, "; ".join(done) or "agrees with the library")

    def _writer(self) -> Check:
        if self.writer is None:
            return Check("language model", True, "none is configured: answers are made of quotes")
        try:
            return Check("language model", True, self.writer.reach(Deadline.after(_PATIENCE_S)))
        except RagError as error:
            return Check(
                "language model",
                False,
                f"{error}: check OPENAI_BASE_URL and OPENAI_API_KEY; until then answers are made of quotes",
            )
