"""The engine: everything the program can do, for a face to call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np

from rag.answering.pipeline import AnswerPipeline
from rag.components import Components
from rag.errors import LibraryError
from rag.ingestion.passages import passages
from rag.models.encoder import Vectors
from rag.models.llm import OpenAIModel
from rag.records import (
    Answer,
    Article,
    ArticleSummary,
    Diagnosis,
    Document,
    Done,
    Event,
    Feedback,
    Filters,
    Question,
    SearchResult,
    StoreResult,
)
from rag.retrieval.retriever import Retriever, searchable
from rag.storage.channels import Channels
from rag.storage.conversations import Conversations
from rag.storage.deliveries import Deliveries
from rag.storage.feedback import FeedbackStore
from rag.storage.transaction import Transaction
from rag.suggesting.suggester import Suggester


class Engine(Protocol):
    """What every face calls: the library of this process, or a server that holds it."""

    def answer(self, question: Question) -> Iterator[Event]:
        """The events of one answer; the last is Done. Raises InvalidRequest."""

    def search(self, query: str, filters: Filters, top_k: int) -> list[SearchResult]: ...

    def knows(self, fingerprint: str) -> bool:
        """Whether bytes of this fingerprint were taken in and need not be read again."""

    def store(self, drafts: Sequence[Document]) -> list[StoreResult]:
        """Take drafts in, all or none; what is returned is safe on disk."""

    def articles(self, limit: int = -1, after: str | None = None) -> list[ArticleSummary]:
        """Articles ordered by id, those behind `after`; a negative limit means all."""

    def article(self, article_id: str, version: int | None = None) -> Article:
        """The current version unless one is named. Raises UnknownArticle."""

    def remove(self, article_id: str) -> None:
        """Raises UnknownArticle."""

    def count(self) -> int:
        """Number of articles."""

    def feedback(self) -> list[Feedback]:
        """What readers thought of answers, oldest first."""

    def diagnose(self, *, repair: bool = False) -> Diagnosis: ...

    def close(self) -> None: ...


def ask(engine: Engine, question: Question) -> Answer:
    """The answer as a whole: the last of its events."""
    *_, last = engine.answer(question)
    assert isinstance(last, Done)  # the contract of Engine.answer
    return last.answer


class LocalEngine:
    """The engine on a library that this process holds. Safe to use from several threads.

    `conversations`, `opinions`, `deliveries` and `channels` are for the faces that run in this process.
    """

    def __init__(self, components: Components, *, on_close: Callable[[], None]) -> None:
        self._components = components
        self._library = components.library
        self.conversations = Conversations(self._library.database)
        self.opinions = FeedbackStore(self._library.database)
        self.deliveries = Deliveries(self._library.database)
        self.channels = Channels(self._library.database)
        self._on_close = on_close
        # The index follows the transactions of the library in their order.
        self._writing = threading.Lock()
        self._closed = False

    @property
    def retriever(self) -> Retriever:
        """What finds passages; for measuring, which asks one index alone."""
        return self._components.retriever

    @property
    def pipeline(self) -> AnswerPipeline:
        """What makes answers out of them."""
        return self._components.pipeline

    @property
    def suggester(self) -> Suggester:
        """What proposes questions that the library answers."""
        return self._components.suggester

    def warm_up(self) -> None:
        """Load what the first question needs, and hold the vector index against the library."""
        self._components.index.open()
        self.search("warm up", Filters(), 1)
        self.pipeline.reader.model.read("warm up", [("", "warm up")])

    def prepare_writer(self) -> None:
        """Import what the writer needs, so that the first reader does not wait for it."""
        llm = self._components.llm
        if isinstance(llm, OpenAIModel):
            llm.prepare()

    def answer(self, question: Question) -> Iterator[Event]:
        self._check_open()
        return self.pipeline.answer(question)

    def search(self, query: str, filters: Filters, top_k: int) -> list[SearchResult]:
        self._check_open()
        retriever = self.retriever
        return [
            SearchResult(
                hit.article.id,
                hit.passage.start,
                hit.passage.end,
                hit.passage.text,
                round(hit.score, 6),
                hit.article.title,
                hit.article.day,
            )
            for hit in retriever.retrieve(retriever.correct_spelling(searchable(query)), filters, top_k)
        ]

    def knows(self, fingerprint: str) -> bool:
        return self._library.knows(fingerprint)

    def store(self, drafts: Sequence[Document]) -> list[StoreResult]:
        with self._changing():
            try:
                return self._take_in(drafts, _wait_for_vectors)
            except _VectorsWanted as wanted:
                # They take most of the time: meanwhile the file is free, and readers' conversations are kept.
                vectors = dict(zip(wanted.texts, self._components.encoder.encode(wanted.texts), strict=True))
                return self._take_in(drafts, lambda texts: np.stack([vectors[text] for text in texts]))

    def remove(self, article_id: str) -> None:
        with self._changing():
            with self._library.transaction() as changes:
                changes.remove(article_id)
            self._components.index.apply(changes)

    def articles(self, limit: int = -1, after: str | None = None) -> list[ArticleSummary]:
        return self._library.articles(limit, after)

    def listed(self, words: str, limit: int, offset: int) -> tuple[list[ArticleSummary], int]:
        """See Library.listed."""
        return self._library.listed(words, limit, offset)

    def article(self, article_id: str, version: int | None = None) -> Article:
        return self._library.article(article_id, version)

    def count(self) -> int:
        return self._library.counts()[0]

    def publishers(self, limit: int = 100) -> list[str]:
        """Publishers in the library, the one with most articles first."""
        return self._library.publishers(limit)

    def feedback(self) -> list[Feedback]:
        return self.opinions.all()

    def diagnose(self, *, repair: bool = False) -> Diagnosis:
        with self._changing():
            return self._components.doctor.examine(repair)

    def close(self) -> None:
        # Only once the last change has reached the index: another process may take the library then.
        with self._writing:
            self._closed = True
            try:
                self._components.close()
            finally:
                self._on_close()

    def _take_in(self, drafts: Sequence[Document], encode: Callable[[list[str]], Vectors]) -> list[StoreResult]:
        with self._library.transaction() as changes:
            stored = [_put(changes, draft) for draft in drafts]
            if changes.added:
                self._components.index.check_model()
                changes.embed_added(self._components.encoder.name, encode)
        if changes.changed:  # else the index need not even be opened
            self._components.index.apply(changes)
        return stored

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._writing:
            self._check_open()
            yield

    def _check_open(self) -> None:
        if self._closed:
            raise LibraryError("the library is being closed", "try again when the server is back")


class _VectorsWanted(Exception):
    """Ends a transaction that would have to wait for the vectors of these texts."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__()
        self.texts = texts


def _wait_for_vectors(texts: list[str]) -> Vectors:
    raise _VectorsWanted(texts)


def _put(changes: Transaction, draft: Document) -> StoreResult:
    placement = changes.place(draft)
    spans = passages(draft.text) if placement.writes else []
    if placement.writes:
        changes.write(draft, placement, spans)
    changes.remember(draft, placement)
    return StoreResult(placement.article_id, placement.status, len(spans))
