"""Chromium for the page's tests, and the page on an engine that does what the question says."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright

from rag.errors import InvalidRequest
from rag.records import (
    Answer,
    Claim,
    ClaimShown,
    Done,
    Event,
    Excerpt,
    Question,
    Quote,
    Reset,
    Source,
    SourcesShown,
)
from ui.chat import mount_page

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
OpenPage = Callable[..., Page]


class ScriptedEngine:
    """Answers with two sentences of a made-up article; words in the question make it slow, fail or start over."""

    text = "The ferry left at noon. Nobody was hurt. The harbour stays closed until Monday."

    def __init__(self) -> None:
        self.asked: list[Question] = []

    def count(self) -> int:
        return 1

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
        yield Done(
            Answer("a", question.text, question.text, "answered", "quotes", "timeout", said, claims, self._sources())
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

    def open_at(url: str, *, width: int = 1440, height: int = 900) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.goto(url)
        page.locator(".welcome").wait_for()
        return page

    yield open_at
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def scripted_server() -> Iterator[ScriptedPage]:
    engine = ScriptedEngine()
    app = mount_page(FastAPI(), engine, examples=("When did the ferry leave?",))
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
    return scripted_server
