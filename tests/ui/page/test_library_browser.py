"""The library tab in real Chromium, on a real library that several readers add to."""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, FilePayload, Page, expect
from starlette.applications import Starlette
from starlette.testclient import TestClient

from rag.engine import LocalEngine
from rag.ingestion.loading import IngestLimits
from rag.records import Document
from rag.settings import Settings
from rag.wiring import connect
from tests.conftest import new_home
from ui.page import library_routes as shelf_routes
from ui.page.library_tab import ShelfTab

pytestmark = pytest.mark.browser

UI = Path(shelf_routes.__file__).parent
LIMIT = 50_000
BEACON = '<img src="/beacon" onerror="window.pwned=1"><script>window.pwned=1</script>'
PORT = "The harbour of Ålesund opened again on Tuesday after a week of storms, the port authority said."


@dataclass(frozen=True)
class Shelf:
    url: str
    engine: LocalEngine

    def fill(self, *drafts: Document) -> None:
        self.engine.store(drafts)


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def shelf_server(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> Iterator[Shelf]:
    engine = connect(Settings(rag_home=new_home(tmp_path_factory.mktemp("shelf") / "home", model_cache)))
    assert isinstance(engine, LocalEngine)
    tab = ShelfTab(engine, IngestLimits(LIMIT, allow_private=True))
    with gr.Blocks(analytics_enabled=False) as blocks, gr.Column(elem_id="page"), gr.Tabs():
        with gr.Tab("Ask"):
            gr.HTML("<p>Nothing to ask.</p>")
        with gr.Tab("Library"):
            tab.build()
    app = FastAPI()
    app.router.routes.extend(tab.routes())
    styles = "".join((UI / name).read_text(encoding="utf-8") for name in ("page.css", "shelf.css"))
    gr.mount_gradio_app(app, blocks, path="/", head=f"<style>{styles}</style>", footer_links=[], ssr_mode=False)
    with served(app) as url:
        yield Shelf(url, engine)
    engine.close()


@pytest.fixture
def shelf(shelf_server: Shelf) -> Shelf:
    """The tab on an empty library."""
    for article in shelf_server.engine.articles():
        shelf_server.engine.remove(article.id)
    return shelf_server


@pytest.fixture
def open_shelf(browser: Browser, shelf: Shelf) -> Iterator[Any]:
    contexts = []

    def open_tab(width: int = 1200) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.goto(shelf.url)
        page.get_by_role("tab", name="Library").click()
        page.locator(".shelf-rows > li").first.wait_for()
        return page

    yield open_tab
    for context in contexts:
        context.close()


@pytest.fixture
def site() -> Iterator[str]:
    """A web server on this machine with one article, and nothing anywhere else."""
    page = f"<html><head><title>Port open</title></head><body><article><h1>Port open</h1><p>{PORT}</p></article>"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/port"
            self.send_response(200 if found else 404)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode() if found else b"nothing")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def draft(title: str, text: str = "", **rest: Any) -> Document:
    return Document(text or f"{PORT} This is about {title}.", title, **rest)


def titles(page: Page) -> list[str]:
    return page.locator(".open-article").all_text_contents()


def upload(page: Page, **files: bytes) -> None:
    """Choose files; `a__txt` stands for the name `a.txt`."""
    payload: list[FilePayload] = [
        {"name": name.replace("__", "."), "mimeType": "application/octet-stream", "buffer": data}
        for name, data in files.items()
    ]
    page.locator(".shelf-pick input").set_input_files(payload)


def results(page: Page) -> list[str]:
    expect(page.locator(".shelf-done")).to_have_text(re.compile("."), timeout=20_000)
    return [" ".join(row.split()) for row in page.locator(".shelf-result").all_inner_texts()]


def test_an_empty_library_says_what_can_be_added(open_shelf: Any) -> None:
    page = open_shelf()
    expect(page.locator(".shelf-nothing")).to_contain_text("Add what you want to ask about")
    assert "up to 0.05 MB each" in page.locator(".shelf-drop").inner_text()


def test_the_list_shows_a_page_at_a_time_and_is_searched(shelf: Shelf, open_shelf: Any) -> None:
    shelf.fill(*(draft(f"Number {n}") for n in range(60)))
    shelf.fill(draft("Straßenbahn in Ålesund", publisher="Le Café", published="2024-03-15"))
    shelf.fill(draft("Old", source="file:///a"))
    shelf.fill(draft("New", source="file:///a", text=f"{PORT} And more."))
    page = open_shelf()
    expect(page.locator(".shelf-count")).to_have_text("62 articles, last added first")
    expect(page.locator(".shelf-article")).to_have_count(50)
    assert titles(page)[:3] == ["New", "Straßenbahn in Ålesund", "Number 59"]
    facts = page.locator(".shelf-facts")
    expect(facts.nth(0)).to_have_text("date unknown · 1 passage · version 2")
    expect(facts.nth(1)).to_have_text("Le Café · 15 March 2024 · 1 passage")
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".shelf-article")).to_have_count(62)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    page.get_by_label("Search titles").fill("cafe STRASSEN")
    expect(page.locator(".shelf-article")).to_have_count(1)
    assert titles(page) == ["Straßenbahn in Ålesund"]
    page.get_by_label("Search titles").fill("no such thing")
    expect(page.locator(".shelf-nothing")).to_contain_text("No title and no publisher")
    opener = page.locator(".open-article")
    page.get_by_label("Search titles").fill("New")
    expect(opener).to_have_count(1)
    (article,) = [each for each in shelf.engine.articles() if each.title == "New"]
    assert (opener.get_attribute("data-article"), opener.get_attribute("data-version")) == (article.id, "2")


def test_every_file_has_a_line_of_its_own(shelf: Shelf, open_shelf: Any) -> None:
    shelf.fill(draft("Known", text=f"{PORT} Known text.", source="file:///elsewhere"))
    page = open_shelf()
    lines = [{"text": f"{PORT} Line {n}."} for n in range(12)]
    dump = "\n".join([*map(json.dumps, lines[:6]), "no json", *map(json.dumps, lines[6:])]).encode()
    upload(
        page,
        new__txt=f"{PORT} New text.".encode(),
        known__txt=f"{PORT} Known text.".encode(),
        dated__md=f"---\ndate: someday\n---\n# Dated\n\n{PORT} Undated.".encode(),
        empty__txt=b" ",
        big__txt=b"x" * (LIMIT + 1),
        photo__pdf=b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        dump__jsonl__gz=gzip.compress(dump),
    )
    told = results(page)
    assert told[0] == "new.txt added 1 passage"
    assert told[1] == "known.txt duplicate the same text is in the library already"
    assert told[2].startswith("dated.md added 1 passage the date 'someday' can't be read")
    assert told[3] == "empty.txt failed it is empty: give an article with some text in it"
    assert told[4] == "big.txt failed it is larger than 0.05 MB, the limit of this server"
    assert told[5].startswith("photo.pdf failed")
    assert told[6] == "dump.jsonl.gz partly 12 added, 1 failed line 7 is no JSON: write one JSON object a line"
    expect(page.locator(".shelf-count")).to_have_text("15 articles, last added first")
    upload(page, new__txt=f"{PORT} New text.".encode())
    expect(page.locator(".shelf-result")).to_have_count(1)
    assert results(page) == ["new.txt unchanged it is in the library as it is"]
    assert [article.url for article in shelf.engine.articles()] == [None] * 15
    assert not {a for each in shelf.engine.articles() for a in shelf.engine.article(each.id).addresses if "tmp" in a}


def test_addresses_are_fetched_and_nothing_of_the_disk_is(shelf: Shelf, open_shelf: Any, site: str) -> None:
    page = open_shelf()
    page.get_by_text("From web addresses").click()
    page.get_by_label("Addresses of articles").fill(
        f"{site}/port\n{site.removeprefix('http://')}/gone\nfile:///etc/passwd\n\n/etc/passwd\nhttp://nowhere.invalid/\n"
    )
    page.get_by_role("button", name="Fetch").click()
    added, gone, file, path, unknown = results(page)
    assert added == f"{site}/port added 1 passage"
    assert "failed" in gone
    assert "'file:///etc/passwd' is not fetched: give an http or https address" in file
    assert path.startswith("https:///etc/passwd failed")
    assert "nowhere.invalid can't be found: check the address" in unknown
    assert titles(page) == ["Port open"]


def test_a_private_address_is_refused_unless_it_is_allowed(shelf: Shelf, site: str) -> None:
    app = TestClient(Starlette(routes=list(shelf_routes.shelf_routes(shelf.engine, IngestLimits(LIMIT)))))
    told = app.post("/page/shelf/fetch", json={"address": f"{site}/port"}).text
    assert "points into a private network and is refused" in told
    assert shelf.engine.count() == 0


def test_a_text_is_pasted_with_or_without_a_title(shelf: Shelf, open_shelf: Any) -> None:
    page = open_shelf()
    page.get_by_text("Paste a text", exact=True).click()
    page.get_by_label("Text", exact=True).fill(f"{PORT} It was pasted.")
    page.get_by_label("Title (optional)").fill("The port of Ålesund")
    page.get_by_role("button", name="Add", exact=True).click()
    assert results(page) == ["The port of Ålesund added 1 passage"]
    page.get_by_label("Text", exact=True).fill(f"{PORT} It was pasted again.")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".shelf-count")).to_have_text("2 articles, last added first")
    assert titles(page)[1] == "The port of Ålesund"
    assert titles(page)[0].startswith("The harbour of Ålesund")


def test_removing_asks_first_and_says_what_was_removed(shelf: Shelf, open_shelf: Any) -> None:
    shelf.fill(draft("First"), draft("Second"), draft("Third"))
    page = open_shelf()
    page.get_by_role("button", name="Remove “Second”").click()
    expect(page.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Remove “Second”")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator(".shelf-said")).to_have_text("Removed “Second”.")
    expect(page.locator(".shelf-said")).to_be_focused()
    assert titles(page) == ["Third", "First"]
    assert shelf.engine.count() == 2
    (first,) = [article for article in shelf.engine.articles() if article.title == "First"]
    shelf.engine.remove(first.id)
    page.get_by_role("button", name="Remove “First”").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.locator(".shelf-said")).to_have_text("“First” had been removed before.")
    assert titles(page) == ["Third"]


def test_markup_in_names_titles_publishers_and_addresses_stays_inert(shelf: Shelf, open_shelf: Any) -> None:
    shelf.fill(draft(f"Ferry {BEACON}", publisher='"><svg onload=window.pwned=1>', id='"><i>x', source="id:x"))
    shelf.fill(draft("ميناء صلالة"))
    page = open_shelf()
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    page.get_by_label("Search titles").fill("ferry")
    expect(page.locator(".shelf-article")).to_have_count(1)
    upload(page, **{f"{BEACON.replace('/', ' ')}__txt": b" ", "big<b>__md": b"x" * (LIMIT + 1)})
    assert "<img src=" in results(page)[0]
    page.get_by_text("From web addresses").click()
    page.get_by_label("Addresses of articles").fill(f"javascript:window.pwned=1\nhttp://{BEACON}/")
    page.get_by_role("button", name="Fetch").click()
    expect(page.locator(".shelf-result").nth(1)).to_contain_text("failed")
    assert page.evaluate("window.pwned") is None
    assert page.locator("#shelf :is(img, svg, script, iframe, b, i, a)").count() == 0
    assert not [url for url in asked_for if url.endswith("beacon")]
    page.get_by_label("Search titles").fill(BEACON)
    expect(page.locator(".shelf-count q")).to_have_text(BEACON)
    assert page.evaluate("window.pwned") is None
    page.get_by_label("Search titles").fill("")
    expect(page.locator(".shelf-article")).to_have_count(2)
    assert page.locator(".open-article").first.evaluate("each => getComputedStyle(each).direction") == "rtl"


def test_two_readers_add_at_once_even_the_same_file(shelf: Shelf, open_shelf: Any) -> None:
    first, second = open_shelf(), open_shelf()
    same = f"{PORT} Both have it.".encode()
    for name, page in (("a", first), ("b", second)):
        own = {f"{name}{n}__txt": f"{PORT} {name} number {n}.".encode() for n in range(6)}
        upload(page, same__txt=same, **own)
    told = [results(first), results(second)]
    assert [len(rows) for rows in told] == [7, 7]
    assert not [row for rows in told for row in rows if "failed" in row]
    assert sorted(rows[0].split()[1] for rows in told) == ["added", "unchanged"]
    assert shelf.engine.count() == 13
    assert shelf.engine.diagnose().sound


def test_what_is_at_work_outlives_a_change_of_tabs_and_can_be_stopped(shelf: Shelf, open_shelf: Any) -> None:
    page = open_shelf(width=390)
    upload(page, **{f"n{n}__txt": f"{PORT} Number {n}.".encode() for n in range(150)})
    page.get_by_role("tab", name="Ask").click()
    page.get_by_role("tab", name="Library").click()
    expect(page.locator(".shelf-step")).to_contain_text("of 150")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".shelf-done")).to_have_text("Stopped.")
    expect(page.locator(".shelf-result")).to_have_count(150)
    added = page.locator(".shelf-result.added").count()
    assert added < 150
    assert shelf.engine.count() in (added, added + 1)
    assert shelf.engine.diagnose().sound


def test_leaving_the_page_in_the_middle_leaves_a_sound_library(shelf: Shelf, open_shelf: Any) -> None:
    page = open_shelf()
    dump = "\n".join(json.dumps({"text": f"{PORT} Number {n}."}) for n in range(300))
    upload(page, dump__jsonl=dump.encode())
    expect(page.locator(".shelf-step")).to_contain_text("dump.jsonl")
    page.close()
    again = open_shelf()
    upload(again, one__txt=f"{PORT} One more.".encode())
    assert results(again) == ["one.txt added 1 passage"]
    assert shelf.engine.diagnose().sound
    assert (shelf.engine.count() - 1) % 48 in (0, 300 % 48)
