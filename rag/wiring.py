"""The one place where objects are built and wired."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack

from rag.answering.concurrency import FairSemaphore
from rag.answering.extraction import Extractor, Thresholds
from rag.answering.pipeline import Answerer
from rag.client import RemoteEngine
from rag.doctor import Doctor
from rag.engine import Engine, LocalEngine, Once
from rag.errors import LibraryError
from rag.models.cached import CachedEncoder
from rag.models.cross_encoder import CrossEncoder
from rag.models.encoder import Encoder
from rag.models.llm import LanguageModel, connect_llm
from rag.models.local_encoder import LocalEncoder, packaged_weights
from rag.models.onnx_session import cores
from rag.models.reader import LocalReader
from rag.models.remote_encoder import RemoteEncoder
from rag.retrieval.retriever import Retriever
from rag.settings import Settings
from rag.storage.index_sync import IndexSync
from rag.storage.library import Library
from rag.storage.lock import LibraryLock

logger = logging.getLogger(__name__)

# How long a command waits for another one to let go of the library.
_PATIENCE_S = 5.0
# Answers that are worked out at once: while one waits for the library's file or for a lock, another goes on.
_ANSWERS_PER_CORE = 2


def connect(settings: Settings, *, writer: LanguageModel | None = None) -> Engine:
    """The engine: on the library itself if it is free, else on the running server that holds it.

    `writer` takes the place of the configured language model; `rag.models.llm.LlamaIndexModel` makes one
    out of any llama-index LLM. Raises LibraryHeld if another command does not let go in time.
    """
    hold = _hold(settings)
    give_up = time.monotonic() + _PATIENCE_S
    while not hold.take():
        holder = hold.holder()
        if holder and holder.address:
            return RemoteEngine(holder.address, settings)
        if time.monotonic() > give_up:
            raise hold.held_by()
        time.sleep(0.1)
    return build(settings, hold, writer=writer)


def connect_server(settings: Settings) -> tuple[LocalEngine, LibraryLock]:
    """The engine of a server, and the hold at which it announces its address. Raises LibraryHeld."""
    hold = _hold(settings)
    give_up = time.monotonic() + _PATIENCE_S
    while not hold.take():
        if time.monotonic() > give_up:
            raise hold.held_by()
        time.sleep(0.1)
    return build(settings, hold), hold


def build(settings: Settings, hold: LibraryLock, *, writer: LanguageModel | None = None) -> LocalEngine:
    """The engine on the library that `hold` has taken; closing it lets go."""
    home = settings.rag_home
    try:
        library = Library(home / "library.sqlite3")
    except BaseException:
        hold.release()
        raise
    configured = connect_llm(settings)
    models = ExitStack()  # what is to be closed of those that were built
    encoder = Once(lambda: _encoder(settings, models))
    projection = Once(lambda: IndexSync(library, home / "library.sqlite3", home / "chroma", encoder().name, _say))
    retriever = Once(lambda: _retriever(settings, library, projection(), encoder(), models))
    answerer = Once(lambda: _answerer(settings, library, retriever(), encoder(), writer or configured, models))
    doctor = Doctor(settings, library, encoder, projection, configured)

    def close() -> None:
        if projection.built:
            projection().close()
        library.close()
        models.close()
        hold.release()

    return LocalEngine(
        library,
        encoder=encoder,
        projection=projection,
        retriever=retriever,
        answerer=answerer,
        diagnosis=doctor.examine,
        on_close=close,
    )


def _hold(settings: Settings) -> LibraryLock:
    try:
        settings.rag_home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"the library folder {settings.rag_home} cannot be made ({error.strerror})",
            "set RAG_HOME to a folder you can write",
        ) from error
    return LibraryLock(settings.rag_home)


def _encoder(settings: Settings, models: ExitStack) -> Encoder:
    if settings.rag_encoder == "openai":
        key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
        model, base = settings.openai_embedding_model, settings.openai_base_url
        return CachedEncoder(RemoteEncoder(model, api_key=key, base_url=base))
    folder = settings.rag_encoder_dir or packaged_weights()
    encoder = LocalEncoder(folder, settings.rag_home / "models")
    models.callback(encoder.close)
    return CachedEncoder(encoder)


def _retriever(
    settings: Settings, library: Library, projection: IndexSync, encoder: Encoder, models: ExitStack
) -> Retriever:
    if settings.rag_reranker_dir is None:
        return Retriever(library, projection, encoder.encode)
    reranker = CrossEncoder(settings.rag_reranker_dir)
    models.callback(reranker.close)
    return Retriever(library, projection, encoder.encode, reranker=reranker)


def _answerer(
    settings: Settings,
    library: Library,
    retriever: Retriever,
    encoder: Encoder,
    writer: LanguageModel | None,
    models: ExitStack,
) -> Answerer:
    reader = LocalReader()
    models.callback(reader.close)
    quoter = Extractor(
        reader,
        library.document_frequency,
        lambda: library.counts()[1],
        Thresholds(best=settings.rag_min_confidence),
    )
    turns = FairSemaphore(_ANSWERS_PER_CORE * cores())
    return Answerer(retriever, quoter, encoder.encode, writer, settings.today, settings.rag_deadline_s, turns)


def _say(message: str) -> None:
    logger.warning(message)
