"""The chat page as its readers meet it: a real server, real Chromium, and its own routes.

    .venv/bin/python -m benchmarks.page LIBRARY QUESTIONS.jsonl [PART...]

Copies a library folder (the original is not touched), serves the copy and asks the questions of a file
(`{"question": ...}` a line, each used once) in quotes mode. Parts, all of them if none is named:

- `load`: from navigation to a page that can be typed in
- `claim`: from Enter to the first claim on the screen, in a new conversation and in one of forty exchanges
- `together`: twenty readers at once, whose answers must be those that each would get alone
- `memory`: resident memory of the server over a thousand questions

Needs the test extras and, for the first two, Debian's chromium.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html import escape
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.page_reader import Reader, words
from tests.conftest import Server, start_server, stop_server
from tests.ui.conftest import ARGUMENTS, CHROMIUM

LOADS = 7
CLAIMS = 15
LONG = 40
READERS = 20
EACH = 5
ASKED_TO_GROW = 1000
A_SITTING = 10
SHOWN_AT = (0, 200, 400, 600, 800, 1000)

# Milliseconds from the key to the frame in which the first claim (or the sentence that declines) of a new exchange is.
_STOPWATCH = """() => {
  const seen = () => document.querySelector("#live .exchange")?.id;
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const start = performance.now(), before = seen();
    window.taken = null;
    const watch = new MutationObserver(() => {
      const said = document.querySelector("#live :is(.claim, .nothing)");
      if (!said || seen() === before) return;
      watch.disconnect();
      requestAnimationFrame(() => { window.taken = [performance.now() - start, said.matches(".claim")]; });
    });
    watch.observe(document.body, {subtree: true, childList: true});
  }, true);
}"""


@contextmanager
def browsing() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def load(server: Server, questions: Iterator[str]) -> None:
    """Each time in a window of a new reader; after the first the server has its files at hand."""
    taken = []
    with browsing() as browser:
        for _ in range(LOADS + 1):
            context = browser.new_context()
            page = context.new_page()
            started = time.perf_counter()
            page.goto(server.url, wait_until="commit")
            page.locator(".welcome").wait_for()
            page.get_by_label("Question").fill("typed")
            taken.append(1000 * (time.perf_counter() - started))
            context.close()
    print(f"{told('page that can be typed in', taken[1:])}; the very first {taken[0]:.0f} ms")


def claim(server: Server, questions: Iterator[str]) -> None:
    with browsing() as browser:
        page = browser.new_context().new_page()
        page.goto(server.url)
        _first_claims("first claim, each question in a new conversation", page, questions, anew=True)

        reader = Reader(server.url)
        for _ in range(LONG):
            reader.ask(next(questions))
        context = browser.new_context()
        context.add_cookies(
            [{"name": name, "value": value, "url": server.url} for name, value in reader.cookies.items()]
        )
        page = context.new_page()
        page.goto(f"{server.url}/?conversation={reader.conversation}")
        page.locator("#live .exchange").wait_for()
        shown = page.locator(".exchange").count()
        _first_claims(f"first claim in a conversation of {shown} and more", page, questions, anew=False)
        reader.close()


def _first_claims(name: str, page: Page, questions: Iterator[str], *, anew: bool) -> None:
    page.locator(".welcome, #live .exchange").first.wait_for()
    page.evaluate(_STOPWATCH)
    taken: list[float] = []
    declined = 0
    while len(taken) < CLAIMS:
        box = page.get_by_label("Question")
        box.fill(next(questions))
        box.press("Enter")
        milliseconds, answered = page.wait_for_function("window.taken", timeout=30_000).json_value()
        page.locator("#live .exchange[aria-busy=false]").wait_for()
        if answered:
            taken.append(milliseconds)
        declined += not answered
        page.wait_for_timeout(1000)  # a reader reads; what to ask next is found meanwhile
        if anew:
            page.get_by_role("button", name="New conversation").click()
            page.locator(".welcome").wait_for()
            page.wait_for_timeout(500)
    print(f"{told(name, taken)}; {declined} declined")


def together(server: Server, questions: Iterator[str]) -> None:
    """Every reader has a conversation of its own; the first question of each is compared with the HTTP API's answer."""
    asked = [[next(questions) for _ in range(EACH)] for _ in range(READERS)]

    def chat(own: list[str]) -> tuple[str, str, float]:
        reader = Reader(server.url)
        started = time.perf_counter()
        first = reader.ask(own[0])
        for question in own[1:]:
            reader.ask(question)
        seconds = time.perf_counter() - started
        whole = reader.drawn["past"] + reader.drawn["live"]
        reader.close()
        return first, whole, seconds

    with ThreadPoolExecutor(READERS) as readers:
        chats = list(readers.map(chat, asked))
    mixed = 0
    for own, (first, whole, _) in zip(asked, chats, strict=True):
        headings = [f">{escape(question, quote=True)}</h2>" for question in own]
        foreign = [
            q for others in asked if others is not own for q in others if f">{escape(q, quote=True)}</h2>" in whole
        ]
        mixed += (
            bool(foreign) or [whole.count(each) for each in headings] != [1] * EACH or not _same(server, own[0], first)
        )
    slowest = max(seconds for *_, seconds in chats)
    count = READERS * EACH
    print(f"{READERS} readers, {count} questions at once: {mixed} mixed up, {count / slowest:.1f} answers a second")


def _same(server: Server, question: str, shown: str) -> bool:
    body = {"question": question, "mode": "quotes"}
    answer = httpx.post(f"{server.url}/v1/answer", json=body, timeout=60, trust_env=False).json()
    said = words(shown)
    return all(" ".join(escape(claim["text"], quote=True).split()) in said for claim in answer["claims"])


def memory(server: Server, questions: Iterator[str]) -> None:
    """Ten questions a window, one window after the other."""
    sizes = {}
    for count in range(ASKED_TO_GROW + 1):
        if count in SHOWN_AT:
            sizes[count] = resident_mb(server)
            print(f"after {count} questions {sizes[count]:.0f} MB", flush=True)
        if count == ASKED_TO_GROW:
            break
        if count % A_SITTING == 0:
            reader = Reader(server.url)
        reader.ask(next(questions))
        if count % A_SITTING == A_SITTING - 1:
            reader.close()


def resident_mb(server: Server) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def told(name: str, taken: Sequence[float]) -> str:
    return f"{name}: median {statistics.median(taken):.0f} ms, slowest {max(taken):.0f} ms of {len(taken)}"


PARTS: dict[str, Callable[[Server, Iterator[str]], None]] = {
    "load": load,
    "claim": claim,
    "together": together,
    "memory": memory,
}


def main(arguments: Sequence[str]) -> None:
    if len(arguments) < 2 or not set(arguments[2:]) <= PARTS.keys():
        sys.exit(f"usage: python -m benchmarks.page LIBRARY QUESTIONS.jsonl [{' | '.join(PARTS)}]...")
    library, file = Path(arguments[0]), Path(arguments[1])
    questions = (json.loads(line)["question"] for line in file.read_text(encoding="utf-8").splitlines())
    with tempfile.TemporaryDirectory(prefix="page-") as folder:
        home = Path(shutil.copytree(library, Path(folder) / "home", symlinks=True))
        server = start_server(home)
        try:
            for part in arguments[2:] or PARTS:
                PARTS[part](server, questions)
                print(f"load of the machine: {os.getloadavg()[0]:.1f}", flush=True)
        finally:
            stop_server(server)


if __name__ == "__main__":
    main(sys.argv[1:])
