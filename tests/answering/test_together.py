"""Several answers at once, and what is left when an engine is closed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag.answering.concurrency import FairSemaphore
from rag.engine import LocalEngine, ask
from rag.errors import TooBusy
from rag.http.app import create_app
from rag.models.deadline import Cancellable, Cancelled, Deadline
from rag.records import Answer, Document, Done, Question
from rag.settings import Settings
from rag.wiring import connect
from tests.fakes.openai_server import FakeOpenAI, Reply

MUSCAT = "what did Iran demand in Muscat?"


def opened(home: Path, **settings: Any) -> LocalEngine:
    engine = connect(Settings(rag_home=home, **settings))
    assert isinstance(engine, LocalEngine)
    return engine


@pytest.fixture(scope="module")
def seeds(seeded: Path) -> Iterator[LocalEngine]:
    engine = opened(seeded)
    yield engine
    engine.close()


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as server:
        yield server


class Reader:
    """Reads an answer on a thread of its own."""

    def __init__(self, engine: LocalEngine) -> None:
        events = engine.answer(Question(MUSCAT))
        assert isinstance(events, Cancellable)
        self.cancelled = False
        self._events = events
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for _ in self._events:
                pass
        except Cancelled:
            self.cancelled = True

    def leave(self) -> None:
        self._events.close()
        self._thread.join(10)


@contextmanager
def all_slots_taken(engine: LocalEngine) -> Iterator[None]:
    with ExitStack() as taken:
        for _ in range(engine.pipeline.semaphore.most):
            taken.enter_context(engine.pipeline.semaphore.slot(Deadline.after(10)))
        yield


def test_an_answer_waits_for_its_turn(seeds: LocalEngine) -> None:
    found: list[Answer] = []
    asking = threading.Thread(target=lambda: found.append(ask(seeds, Question(MUSCAT))), daemon=True)
    with all_slots_taken(seeds):
        asking.start()
        asking.join(0.3)
        assert not found
    asking.join(10)
    assert [answer.verdict for answer in found] == ["answered"]


def test_answers_that_wait_keep_nothing_else_waiting(seeds: LocalEngine) -> None:
    async def asked() -> tuple[list[int], float]:
        app = create_app(seeds, Settings(rag_home=Path("unused")))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", timeout=60) as client:
            with all_slots_taken(seeds):
                answers = [asyncio.create_task(client.post("/v1/answer", json={"question": MUSCAT})) for _ in range(60)]
                await asyncio.sleep(0.5)
                begun = time.monotonic()
                others = [await client.get(path) for path in ("/healthz", "/readyz", "/v1/articles")]
                took = time.monotonic() - begun
                assert not any(answer.done() for answer in answers)
            answered = [await answer for answer in answers]
        return [response.status_code for response in (*others, *answered)], took

    # On a thread of its own: where browsers were driven, this one has a loop already.
    with ThreadPoolExecutor(1) as elsewhere:
        statuses, took = elsewhere.submit(lambda: asyncio.run(asked())).result()
    assert set(statuses) == {200}
    assert took < 2


def test_a_reader_who_leaves_while_waiting_is_not_answered(seeds: LocalEngine) -> None:
    with all_slots_taken(seeds):
        reader = Reader(seeds)
        time.sleep(0.1)
        reader.leave()
        assert reader.cancelled


def test_who_waits_too_long_is_told_to_ask_again(seeds: LocalEngine) -> None:
    semaphore = FairSemaphore(1, patience_s=0.05)
    pipeline = replace(seeds.pipeline, semaphore=semaphore)
    with semaphore.slot(Deadline.after(10)), pytest.raises(TooBusy, match="ask again in a minute"):
        list(pipeline.answer(Question(MUSCAT)))
    *_, last = pipeline.answer(Question(MUSCAT))
    assert isinstance(last, Done)


def test_models_that_write_do_not_wait_for_one_another(server: FakeOpenAI, seeded_copy: Path) -> None:
    engine = opened(seeded_copy, openai_base_url=server.base_url, openai_api_key="sk-x", openai_model="m")
    many = engine.pipeline.semaphore.most + 2
    server.replies(*(Reply(ending="hang") for _ in range(many)))
    readers = [Reader(engine) for _ in range(many)]
    give_up = time.monotonic() + 15
    while len(server.chats) < many and time.monotonic() < give_up:
        time.sleep(0.05)
    assert len(server.chats) == many
    for reader in readers:
        reader.leave()
    engine.close()


def test_closing_leaves_no_thread_of_a_model_behind(home: Path) -> None:
    before = set(threading.enumerate())
    engine = opened(home)
    engine.store([Document(f"The ferry number {n} left Oslo on Monday.", f"Ferry {n}") for n in range(3)])
    assert ask(engine, Question("When did ferry number 2 leave Oslo?")).verdict == "answered"
    assert {thread.name.partition("_")[0] for thread in set(threading.enumerate()) - before} >= {"encoder", "reader"}
    engine.close()
    left = [thread.name for thread in set(threading.enumerate()) - before]
    assert not [name for name in left if name.startswith(("encoder", "reader", "reranker"))]
