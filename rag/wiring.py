"""Where an engine comes from: the library itself if it is free, else the server that holds it."""

from __future__ import annotations

import time

from rag.client import RemoteEngine
from rag.components import Components
from rag.engine import Engine, LocalEngine
from rag.errors import LibraryError
from rag.models.llm import LanguageModel
from rag.settings import Settings
from rag.storage.lock import LibraryLock

__all__ = ["build", "connect", "connect_server"]

# How long a command waits for another one to let go of the library.
_PATIENCE_S = 5.0


def connect(settings: Settings, *, llm: LanguageModel | None = None) -> Engine:
    """The engine: on the library itself if it is free, else on the running server that holds it.

    `llm` takes the place of the configured language model; `rag.models.llm.LlamaIndexModel` makes one
    out of any llama-index LLM. Raises LibraryHeld if another command does not let go in time.
    """
    lock = _library_lock(settings)
    give_up = time.monotonic() + _PATIENCE_S
    while not lock.take():
        owner = lock.holder()
        if owner and owner.address:
            return RemoteEngine(owner.address, settings)
        _wait(lock, give_up)
    return build(settings, lock, llm=llm)


def connect_server(settings: Settings) -> tuple[LocalEngine, LibraryLock]:
    """The engine of a server, and the lock at which it announces its address. Raises LibraryHeld."""
    lock = _library_lock(settings)
    give_up = time.monotonic() + _PATIENCE_S
    while not lock.take():
        _wait(lock, give_up)
    return build(settings, lock), lock


def build(settings: Settings, lock: LibraryLock, *, llm: LanguageModel | None = None) -> LocalEngine:
    """The engine on the library that `lock` has taken; closing it releases the lock."""
    try:
        components = Components(settings, llm=llm)
    except BaseException:
        lock.release()
        raise
    return LocalEngine(components, on_close=lock.release)


def _wait(lock: LibraryLock, give_up: float) -> None:
    if time.monotonic() > give_up:
        raise lock.held_by()
    time.sleep(0.1)


def _library_lock(settings: Settings) -> LibraryLock:
    try:
        settings.rag_home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"the library folder {settings.rag_home} cannot be made ({error.strerror})",
            "set RAG_HOME to a folder you can write",
        ) from error
    return LibraryLock(settings.rag_home)
