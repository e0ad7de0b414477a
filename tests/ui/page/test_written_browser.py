"""Written answers on the real page of a real server, with a model on a socket that works, breaks off, or is dead."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.conftest import Server, start_server, stop_server
from tests.fakes.openai_server import DONE, FakeOpenAI, Reply
from tests.ui.asking import answered, ask, cite
from tests.ui.page.test_chat_browser import MUSCAT
from tests.ui.page.test_safety_browser import ATTACKS, Watch

pytestmark = pytest.mark.browser

CLAIM = {
    "claim": "Iran demanded a cease-fire in Gaza by <b>17 January</b>.",
    "quotes": [{"at": "1.1", "text": "Iran demanded that the Biden administration bring about a cease-fire in Gaza"}],
}


@pytest.fixture(scope="module")
def model() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as model:
        yield model


@pytest.fixture(scope="module")
def server(model: FakeOpenAI, seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = Path(shutil.copytree(seeded, tmp_path_factory.mktemp("written") / "home", symlinks=True))
    server = start_server(home, OPENAI_BASE_URL=model.base_url, OPENAI_MODEL="m", RAG_DEADLINE_S="5")
    yield server
    stop_server(server)


def test_a_written_claim_shows_its_quote_and_its_flag(server: Server, model: FakeOpenAI, open_page: Any) -> None:
    model.answers(json.dumps(CLAIM), DONE)
    page = open_page(server.url)
    answered(page, MUSCAT)
    live = page.locator("#live")
    expect(live.locator(".status").first).to_contain_text("Written")
    expect(live.locator(".claims")).to_contain_text("Iran demanded a cease-fire in Gaza by 17 January.")
    expect(live).to_contain_text("Not found in the quotes: 17 January")
    assert live.locator("b").count() == 0
    cite(page, 1).click()
    expect(page.locator("mark").first).to_contain_text("bring about a cease-fire in Gaza")


def test_what_a_model_writes_stays_words(server: Server, model: FakeOpenAI, open_page: Any) -> None:
    model.answers(json.dumps({**CLAIM, "claim": f"Iran demanded a cease-fire in Gaza. {' '.join(ATTACKS[:7])}"}), DONE)
    page = open_page(server.url)
    watch = Watch(page)
    answered(page, MUSCAT)
    expect(page.locator("#live .claims")).to_contain_text("Iran demanded a cease-fire in Gaza.")
    cite(page, 1).click()
    expect(page.locator("mark").first).to_be_visible()
    watch.nothing_came_alive()


def test_a_model_that_breaks_off_ends_in_labelled_quotes(server: Server, model: FakeOpenAI, open_page: Any) -> None:
    model.replies(Reply(json.dumps(CLAIM) + "\n", ending="hang"))
    page = open_page(server.url)
    ask(page, MUSCAT)
    live = page.locator("#live")
    expect(live).to_contain_text("by 17 January", timeout=5_000)
    expect(live.locator(".exchange")).to_have_attribute("aria-busy", "false", timeout=10_000)
    expect(live.locator(".status").first).to_contain_text("Quotes only: the language model took too long")
    assert "17 January" not in live.locator(".claims").inner_text()


def test_a_dead_model_ends_in_labelled_quotes(server: Server, model: FakeOpenAI, open_page: Any) -> None:
    model.replies(Reply(status=401))
    page = open_page(server.url)
    answered(page, MUSCAT)
    expect(page.locator("#live .status").first).to_contain_text("refused the key")
