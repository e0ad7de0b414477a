"""The parts of a library that this process holds, each built at its first use."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from functools import cached_property
from typing import Any, TypeVar

from rag.answering.concurrency import FairSemaphore
from rag.answering.pipeline import AnswerPipeline
from rag.answering.reading import SentenceReader, Thresholds
from rag.doctor import Doctor
from rag.models.cross_encoder import CrossEncoder
from rag.models.encoder import CachedEncoder, Encoder
from rag.models.llm import LanguageModel, connect_llm
from rag.models.local_encoder import LocalEncoder, default_weights
from rag.models.reader import LocalReader
from rag.models.remote_encoder import RemoteEncoder
from rag.models.runtime import cores
from rag.retrieval.retriever import Retriever
from rag.settings import Settings
from rag.storage.index_sync import IndexSync
from rag.storage.library import Library
from rag.suggesting.suggester import Suggester

__all__ = ["Components"]

T = TypeVar("T")

logger = logging.getLogger(__name__)

# Answers that are worked out at once: while one waits for the library's file or for a lock, another goes on.
_ANSWERS_PER_CORE = 2


class _built_once(cached_property[T]):
    """A cached property that one thread builds while the others wait."""

    def __get__(self, instance: Any, owner: type[Any] | None = None) -> T:  # type: ignore[override]
        with instance.building:
            value: T = super().__get__(instance, owner)
            return value


class Components:
    """Builds the encoder, the index, the retriever and the pipeline from the settings.

    A command that needs no encoder or index does not wait for them. Safe to use from several threads.
    """

    def __init__(self, settings: Settings, *, llm: LanguageModel | None = None) -> None:
        self.building = threading.RLock()
        self.settings = settings
        self.library = Library(settings.rag_home / "library.sqlite3")
        self._configured_llm = connect_llm(settings)
        self.llm = llm or self._configured_llm
        self._resources = ExitStack()  # what is to be closed, in the order in which it was built
        self._resources.callback(self.library.close)

    @_built_once
    def encoder(self) -> Encoder:
        settings = self.settings
        if settings.rag_encoder == "openai":
            key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
            remote = RemoteEncoder(settings.openai_embedding_model, api_key=key, base_url=settings.openai_base_url)
            return CachedEncoder(remote)
        local = LocalEncoder(settings.rag_encoder_dir or default_weights(), settings.rag_home / "models")
        self._resources.callback(local.close)
        return CachedEncoder(local)

    @_built_once
    def index(self) -> IndexSync:
        home = self.settings.rag_home
        index = IndexSync(self.library, home / "library.sqlite3", home / "chroma", self.encoder.name, logger.warning)
        self._resources.callback(index.close)
        return index

    @_built_once
    def retriever(self) -> Retriever:
        reranker = None
        if self.settings.rag_reranker_dir is not None:
            reranker = CrossEncoder(self.settings.rag_reranker_dir)
            self._resources.callback(reranker.close)
        return Retriever(self.library, self.index, self.encoder.encode, reranker=reranker)

    @_built_once
    def pipeline(self) -> AnswerPipeline:
        model = LocalReader()
        self._resources.callback(model.close)
        return AnswerPipeline(
            self.retriever,
            SentenceReader(
                model,
                self.library.document_frequency,
                lambda: self.library.counts()[1],
                Thresholds(best=self.settings.rag_min_confidence),
            ),
            self.encoder.encode,
            self.llm,
            self.settings.today,
            self.settings.rag_deadline_s,
            FairSemaphore(_ANSWERS_PER_CORE * cores()),
        )

    @_built_once
    def suggester(self) -> Suggester:
        return Suggester(self.pipeline)

    @_built_once
    def doctor(self) -> Doctor:
        return Doctor(self.settings, self.library, lambda: self.encoder, lambda: self.index, self._configured_llm)

    def close(self) -> None:
        """Close what was built, the library last."""
        self._resources.close()
