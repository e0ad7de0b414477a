"""Pictures of the page's main states, for people to look at.

    make screens                                            # all of them, into benchmarks/screens/
    .venv/bin/python -m benchmarks.screens answer phone     # some, by their names

Starts real servers over seeds/ and a few made-up articles, with a language model that is played on a socket where one
is needed, in throw-away folders, and drives Debian's chromium. Needs the test extras.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright

from benchmarks.screens_library import ARTICLES, crowded, disagreeing, older
from rag.engine import LocalEngine
from rag.records import Answer, StoredExchange
from rag.settings import Settings
from rag.wiring import connect
from tests.conftest import SEEDS, Server, run_rag, start_server, stop_server
from tests.fakes.openai_server import FakeOpenAI
from tests.ui.asking import answered, cite
from tests.ui.conftest import ARGUMENTS, CHROMIUM

FOLDER = Path(__file__).with_name("screens")
LARGEST_BYTES = 200_000
TODAY = "2026-02-12"
MUSCAT = "What did Iran demand in Muscat?"


@dataclass
class Studio:
    """Where pictures are taken: a browser, and servers by name that are started when they are first needed."""

    browser: Browser
    folder: Path
    stack: ExitStack
    owner: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    links: dict[tuple[Path, str], str] = field(default_factory=dict)
    _servers: dict[str, Server] = field(default_factory=dict)

    def server(self, name: str) -> Server:
        if name not in self._servers:
            home = self.folder / name
            home.mkdir()
            settings = {"RAG_NOW": TODAY}
            if name != "empty":
                self._fill(home)
            if name == "written":
                model = self.stack.enter_context(FakeOpenAI(models=("example-model",)))
                model.quotes_sentences_with("cease-fire in Gaza", "rein in its proxies", "without an agreement")
                settings |= {"OPENAI_BASE_URL": model.base_url}
            self._servers[name] = self.stack.enter_context(running(home, settings))
        return self._servers[name]

    def _fill(self, home: Path) -> None:
        dump = self.folder / "made-up.jsonl"
        dump.write_text("".join(json.dumps(article) + "\n" for article in ARTICLES), encoding="utf-8")
        done = run_rag(home, "ingest", str(SEEDS), str(dump))
        assert done.returncode == 0, done.stderr
        engine = connect(Settings(rag_home=home))
        assert isinstance(engine, LocalEngine)
        for question in older():
            engine.conversations.begin(self.owner, question)
        for name, answer in (("crowded", crowded(engine)), ("disagreeing", disagreeing(engine))):
            self.links[home, name] = self._keep(engine, answer)
        engine.close()

    def _keep(self, engine: LocalEngine, answer: Answer) -> str:
        conversation = engine.conversations.begin(self.owner, answer.question)
        engine.conversations.keep(conversation.id, self.owner, StoredExchange(answer.id, answer.question, answer))
        return conversation.id

    def open(
        self, name: str = "quotes", *, width: int = 1440, height: int = 900, link: str = "", dark: bool = False
    ) -> Page:
        """The page of a server in a window of its own: of a new reader, or of one at a conversation of theirs."""
        url = self.server(name).url
        context = self.browser.new_context(viewport={"width": width, "height": height}, has_touch=width < 700)
        self.stack.callback(context.close)
        if link:
            context.add_cookies([{"name": "dateline_owner", "value": self.owner, "url": url}])
        page = context.new_page()
        query = [
            *(["__theme=dark"] if dark else []),
            *([f"conversation={self.links[self.server(name).home, link]}"] if link else []),
        ]
        page.goto(f"{url}/?{'&'.join(query)}")
        page.locator(".welcome, #live .exchange").first.wait_for()
        if not link and name != "empty":
            page.locator("#examples .example").first.wait_for(timeout=10_000)
        return page


@contextmanager
def running(home: Path, settings: dict[str, str]) -> Iterator[Server]:
    server = start_server(home, **settings)
    try:
        yield server
    finally:
        stop_server(server)


def settled(page: Page) -> Page:
    """The page once what follows an answer is there: what to ask next."""
    page.locator("#suggestions .example").first.wait_for(timeout=5_000)
    return page


# The states


def first_visit(studio: Studio) -> Page:
    return studio.open()


def answer(studio: Studio) -> Page:
    page = studio.open()
    answered(page, MUSCAT)
    return settled(page)


def source(studio: Studio) -> Page:
    return _read(answer(studio))


def written(studio: Studio) -> Page:
    page = studio.open("written")
    answered(page, MUSCAT)
    return page


def conflict(studio: Studio) -> Page:
    return studio.open(link="disagreeing")


def declined(studio: Studio) -> Page:
    page = studio.open()
    answered(page, "Who is the chief executive of Apple?")
    page.locator(".closest summary").first.click()
    return page


def narrowed(studio: Studio) -> Page:
    page = studio.open()
    _narrow(page)
    answered(page, "How many attacks on ships were counted?")
    page.locator(".narrow > summary").click()
    return page


def library(studio: Studio) -> Page:
    page = studio.open()
    page.get_by_role("button", name="Library", exact=True).click()
    page.locator(".shelf-article").first.wait_for()
    return page


def adding(studio: Studio) -> Page:
    page = studio.open("empty")
    page.get_by_role("button", name="Library", exact=True).click()
    lines = [
        json.dumps({"text": f"The harbour of Ostrel counted {n} ships on day {n}.", "title": f"Day {n}"})
        for n in range(1, 13)
    ]
    dump = "\n".join([*lines[:6], "this line is no JSON", *lines[6:]]).encode()
    same = b"# The weir of Ostrel\n\nThe mayor opened the tidal weir of Ostrel on 4 May 2024."
    files: list[FilePayload] = [
        {"name": "weir.md", "mimeType": "text/markdown", "buffer": same},
        {"name": "weir-copy.md", "mimeType": "text/markdown", "buffer": same + b"\n"},
        {"name": "empty.txt", "mimeType": "text/plain", "buffer": b" "},
        {"name": "report-of-the-harbour.pdf", "mimeType": "application/pdf", "buffer": b"\x89PNG" + bytes(range(256))},
        {"name": "days.jsonl", "mimeType": "application/json", "buffer": dump},
    ]
    page.locator("#shelf input[type=file]").set_input_files(files)
    expect(page.locator(".shelf-done")).to_have_text("Done.", timeout=30_000)
    page.get_by_text("From web addresses").click()
    return page


def phone(studio: Studio) -> Page:
    page = studio.open(width=390, height=844)
    answered(page, MUSCAT)
    return settled(page)


def phone_source(studio: Studio) -> Page:
    return _read(phone(studio))


def dark(studio: Studio) -> Page:
    page = studio.open(dark=True)
    answered(page, MUSCAT)
    return _read(settled(page))


def conversations(studio: Studio) -> Page:
    page = conflict(studio)
    if page.locator("#history-toggle").is_visible():
        page.locator("#history-toggle").click()
    page.locator("#history .current summary").click()
    return page


def right_to_left(studio: Studio) -> Page:
    page = studio.open()
    answered(page, "متى افتتح الجسر الجديد فوق نهر الزهراء؟")
    return page


def long_titles(studio: Studio) -> Page:
    page = studio.open(width=820, height=1180)
    answered(page, "How many bicycles did the ferry of Brannöy carry in the summer of 2025?")
    return _read(page, 2)


def empty(studio: Studio) -> Page:
    return studio.open("empty")


def many_sources(studio: Studio) -> Page:
    return studio.open(link="crowded")


STATES: dict[str, Callable[[Studio], Page]] = {
    "first-visit": first_visit,
    "answer": answer,
    "source": source,
    "written": written,
    "conflict": conflict,
    "declined": declined,
    "narrowed": narrowed,
    "library": library,
    "empty": empty,
    "adding": adding,
    "phone": phone,
    "phone-source": phone_source,
    "dark": dark,
    "conversations": conversations,
    "right-to-left": right_to_left,
    "long-titles": long_titles,
    "many-sources": many_sources,
}


def _read(page: Page, number: int = 1) -> Page:
    cite(page, number).click()
    expect(page.locator("mark.current")).to_be_in_viewport()
    return page


def _narrow(page: Page) -> None:
    page.locator(".narrow > summary").click()
    page.get_by_label("From").fill("2024-03-01")
    page.get_by_label("To").fill("2024-03-31")
    page.get_by_label("Dateline seeds").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".chip")).to_have_count(3)


def few_coloured(png: bytes) -> Image.Image:
    """The picture in the 256 colours that it uses most, which are nearly all and a third of the bytes."""
    taken = Image.open(BytesIO(png)).convert("RGB")
    used: list[Any] = sorted(taken.getcolors(taken.width * taken.height) or [], reverse=True)[:256]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in used for part in colour])
    return taken.quantize(palette=palette, dither=Image.Dither.NONE)


def shoot(studio: Studio, name: str, to: Path) -> None:
    page = STATES[name](studio)
    page.mouse.move(0, 0)
    page.wait_for_timeout(300)
    taken = few_coloured(page.screenshot(animations="disabled"))
    file = to / f"{name}.png"
    taken.save(file, optimize=True)
    size = file.stat().st_size
    print(f"{file.name}  {size / 1000:.0f} kB{'  too large' if size > LARGEST_BYTES else ''}")
    page.context.close()


def main(arguments: Sequence[str]) -> None:
    if unknown := [name for name in arguments if name not in STATES]:
        sys.exit(f"there is no picture {unknown[0]!r}: choose of {', '.join(STATES)}")
    if not CHROMIUM.exists():
        sys.exit(f"{CHROMIUM} is missing: install the Debian package chromium")
    FOLDER.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="screens-"))
    try:
        with sync_playwright() as playwright, ExitStack() as stack:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            stack.callback(browser.close)
            studio = Studio(browser, folder, stack)
            for name in arguments or STATES:
                shoot(studio, name, FOLDER)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
