"""Checks settings, models, library and vector index against each other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rag.errors import EncoderError, LibraryDamaged, RagError
from rag.models.cross_encoder import CrossEncoder
from rag.models.deadline import Deadline
from rag.models.encoder import Encoder
from rag.models.llm import OpenAIModel
from rag.models.reader import GRAPH, PACKAGED, TOKENIZER, LocalReader
from rag.records import Check, Diagnosis
from rag.settings import Settings, look_over
from rag.slack_check import check_slack
from rag.storage.index_sync import IndexSync
from rag.storage.library import Library

# SHA-256 of the files in rag/models/weights: who trains the reader anew puts those of `sha256sum` here.
READER_PINS = {
    GRAPH: "2a08a07e648d0868aec3d270a5880f6141247fa983107613db504f044d5510c9",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}

_PATIENCE_S = 10.0
_PROBE = ("what is it?", [("A title", "It is a first sentence.")])


@dataclass(frozen=True, slots=True)
class Doctor:
    settings: Settings
    library: Library
    encoder: Callable[[], Encoder]
    projection: Callable[[], IndexSync]
    writer: OpenAIModel | None
    weights: Path = PACKAGED

    def examine(self, repair: bool) -> Diagnosis:
        """Check everything, mending what can be mended first if `repair` is set."""
        checks = [self._settings(), self._library(repair)]
        encoder = self._encoder()
        checks += [encoder, self._reader(), self._reranker()]
        if encoder.ok:
            checks.append(self._index(repair))
        checks += [self._writer(), *check_slack(self.settings)]
        return Diagnosis(tuple(checks))

    def _settings(self) -> Check:
        found = look_over()
        facts = [f"{'; '.join(found.wrong)}: mend .env"] if found.wrong else []
        facts.append(f"RAG_HOME is {self.settings.rag_home.resolve()}")
        if found.foreign:
            facts.append(f"no settings of Dateline: {', '.join(found.foreign)}")
        return Check("settings", not found.wrong, "; ".join(facts))

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

    def _reader(self) -> Check:
        try:
            trouble = _differing(self.weights, READER_PINS)
            if trouble:
                return Check("reader", False, f"{trouble} is not the file of this version: install Dateline again")
            LocalReader(self.weights).read(*_PROBE)
        except RagError as error:
            return Check("reader", False, str(error))
        return Check("reader", True, f"{self.weights / GRAPH} is as released")

    def _reranker(self) -> Check:
        folder = self.settings.rag_reranker_dir
        if folder is None:
            return Check("reranker", True, "none is configured")
        try:
            CrossEncoder(folder).score(*_PROBE)
        except RagError as error:
            return Check("reranker", False, f"{error}; unset RAG_RERANKER_DIR to do without")
        return Check("reranker", True, f"the one in {folder}")

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


def _differing(folder: Path, pins: Mapping[str, str]) -> Path | None:
    """The first file that is not the pinned one. Raises EncoderError."""
    for name, pin in pins.items():
        path = folder / name
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise EncoderError(f"{path} cannot be read ({error.strerror})", "install Dateline again") from error
        if found != pin:
            return path
    return None
