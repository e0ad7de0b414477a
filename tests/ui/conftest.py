"""Chromium for the page's tests, and the page on an engine that does what the question says."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright

from rag.errors import InvalidRequest, UnknownArticle
from rag.ingestion.loading import IngestLimits
from rag.records import (
    Answer,
    Article,
    ArticleSummary,
    Claim,
    ClaimShown,
    Document,
    Done,
    Event,
    Excerpt,
    Filters,
    Message,
    Note,
    Question,
    Quote,
    Reset,
    Source,
    SourcesShown,
    StoreResult,
)
from rag.storage.conversations import Conversations
from rag.storage.database import Database
from rag.storage.feedback import FeedbackStore
from ui.page.app import mount_page

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-features=PreloadTopChromeWebUI",  # pages of the browser itself, drawn for nobody
)
OpenPage = Callable[..., Page]


class ScriptedSuggester:
    def examples(self, count: int = 4) -> list[str]:
        return ["When did the ferry leave?"]

    def follow_ups(
        self, answer: Answer, history: Sequence[Message] = (), count: int = 3, *, filters: Filters = Filters()
    ) -> list[str]:
        return ["Who was hurt?"]


class ScriptedEngine:
    """Answers with two sentences of a made-up article; words in the question make it slow, fail or start over.

    What readers leave behind is kept in a real database.
    """

    text = "The ferry left at noon. Nobody was hurt. The harbour stays closed until Monday."

    def __init__(self, folder: Path) -> None:
        self.asked: list[Question] = []
        self.removed = False
        self.suggester = ScriptedSuggester()
        database = Database(folder / "library.sqlite3")
        self.conversations = Conversations(database)
        self.opinions = FeedbackStore(database)

    def count(self) -> int:
        return 1

    def publishers(self, limit: int = 100) -> list[str]:
        return ["The Gull", "Harbour <b>News</b>"]

    def article(self, article_id: str, version: int | None = None) -> Article:
        if self.removed or article_id != "ferry":
            raise UnknownArticle(article_id)
        return Article("ferry", 1, "Ferry leaves on time", self.text, "The Gull", published="2024-05-02")

    def listed(self, words: str, limit: int, offset: int) -> tuple[list[ArticleSummary], int]:
        return [ArticleSummary("ferry", "Ferry leaves on time", "The Gull", "2024-05-02", None, 1)], 1

    def knows(self, fingerprint: str) -> bool:
        return False

    def store(self, drafts: Sequence[Document]) -> list[StoreResult]:
        raise AssertionError("nothing is added to a scripted library")

    def remove(self, article_id: str) -> None:
        self.removed = True

    def answer(self, question: Question) -> Iterator[Event]:
        self.asked.append(question)
        if "too long" in question.text:
            raise InvalidRequest("the question is too long", "ask in fewer words")
        if "crash" in question.text:
            raise RuntimeError("secret of the server")
        claims = self._claim("The ferry left at noon."), self._claim("The harbour stays closed until Monday.")
        if "start over" in question.text:
            yield SourcesShown(self._sources())
            yield ClaimShown(claims[1])
            time.sleep(0.5)
            yield Reset("timeout")
        for claim in claims:
            yield SourcesShown(self._sources())
            yield ClaimShown(claim)
            time.sleep(1.5 if "slow" in question.text else 0)
        said = " ".join(claim.text for claim in claims)
        notes = (Note("filtered", "Two matches from other dates were left out.", widens=True),)
        yield Done(
            Answer(
                secrets.token_hex(4),
                question.text,
                question.text,
                "answered",
                "quotes",
                "timeout",
                said,
                claims,
                self._sources(),
                () if question.all_dates else notes,
            )
        )

    def _claim(self, sentence: str) -> Claim:
        start = self.text.index(sentence)
        return Claim(sentence, (Quote(1, "ferry", start, start + len(sentence), sentence),))

    def _sources(self) -> tuple[Source, ...]:
        excerpt = Excerpt(0, len(self.text), self.text)
        return (Source(1, "ferry", 1, "Ferry leaves on time", "The Gull", "2024-05-02", None, excerpt),)


class ScriptedPage:
    def __init__(self, url: str, engine: ScriptedEngine) -> None:
        self.url = url
        self.engine = engine


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        message = f"{CHROMIUM} is missing: install the Debian package `chromium`"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens an address in a window of its own and waits until it can be asked."""
    contexts = []

    def open_at(url: str, *, width: int = 1440, height: int = 900, beside: Page | None = None) -> Page:
        """A window of a reader of its own, or of the reader who has another window open `beside` it."""
        if beside is None:
            contexts.append(browser.new_context(viewport={"width": width, "height": height}))
        page = (beside.context if beside else contexts[-1]).new_page()
        page.goto(url)
        page.locator(".welcome, #live .exchange").first.wait_for()
        return page

    yield open_at
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def scripted_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedPage]:
    engine = ScriptedEngine(tmp_path_factory.mktemp("scripted"))
    app = mount_page(FastAPI(), engine, IngestLimits(max_bytes=1_000_000))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield ScriptedPage(f"http://127.0.0.1:{listener.getsockname()[1]}/", engine)
        server.should_exit = True
        thread.join()


@pytest.fixture
def scripted(scripted_server: ScriptedPage) -> ScriptedPage:
    scripted_server.engine.asked.clear()
    scripted_server.engine.removed = False
    return scripted_server
