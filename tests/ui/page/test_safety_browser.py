"""Nothing that comes from outside reaches the page as markup, wherever it stands; no file of the server is served."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.ui.asking import answered, cite

pytestmark = pytest.mark.browser

ATTACKS = (
    "<script>window.pwned=1</script>",
    '<img src="/beacon" onerror="window.pwned=1">',
    "<svg onload=window.pwned=1>",
    '"><a href="javascript:window.pwned=1" onfocus="window.pwned=1" autofocus>go</a>',
    "' onmouseover='window.pwned=1",
    '<a href="data:text/html,<script>window.pwned=1</script>">d</a>',
    "![x](/beacon) [here](javascript:window.pwned=1) [ref][1] ![ref][2]",
    "[1]: javascript:window.pwned=1",
    "[2]: /beacon",
    "<details open ontoggle=window.pwned=1><iframe src=/beacon></iframe><object data=/beacon>",
    "<style>@import '/beacon'; body { background: url(/beacon) }</style>",
    "<form action=/beacon><input autofocus onfocus=window.pwned=1>",
    "{{constructor.constructor('window.pwned=1')()}} ${window.pwned=1}",
)
HOSTILE = " ".join(ATTACKS)


class Watch:
    """What a page asked for, and whether anything on it is alive that should not be."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.paths: list[str] = []
        self.dialogs: list[str] = []
        page.on("request", lambda request: self.paths.append(urlsplit(request.url).path))
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))

    def nothing_came_alive(self) -> None:
        assert self.page.evaluate("window.pwned") is None
        assert self.dialogs == []
        assert "/beacon" not in self.paths
        alive = "img, svg, script, iframe, object, style, embed, base, meta, link, [onerror], [onload], [onfocus]"
        assert self.page.locator(f"#page :is({alive}, [onmouseover], [ontoggle])").count() == 0
        links = self.page.locator("#page a").evaluate_all("links => links.map(link => link.href)")
        assert [link for link in links if not re.match("https?:", link)] == []


def test_an_article_a_question_and_a_title_stay_words(seed_server: Any, open_page: Any) -> None:
    article = {
        "id": "hostile",
        "title": f"Zanderfjord ferry {HOSTILE}",
        "publisher": f"The Gull {HOSTILE}",
        "url": "javascript:window.pwned=1",
        "published": "2024-05-02",
        "text": f"The harbour master of Zanderfjord closed the ferry port on Tuesday {HOSTILE}. "
        f"He said that the ferry port would open again on Friday. {HOSTILE}",
    }
    stored = httpx.post(f"{seed_server.url}/v1/articles", json=article)
    assert stored.status_code in (200, 201)
    try:
        page = open_page(seed_server.url)
        watch = Watch(page)
        question = f"When did the harbour master of Zanderfjord close the ferry port? {ATTACKS[1]} {ATTACKS[3]}"
        answered(page, question)
        cite(page, 1).hover()
        cite(page, 1).click()
        expect(page.locator("#evidence .source-title")).to_contain_text("Zanderfjord ferry")
        watch.nothing_came_alive()

        # The question is now a conversation's title, the publisher a choice to narrow to.
        expect(page.locator("#history .history-title")).to_contain_text("When did the harbour master")
        page.get_by_text("Narrow", exact=True).click()
        page.locator(".narrow").get_by_label("The Gull").check()
        page.get_by_role("button", name="Apply").click()
        expect(page.locator(".chip")).to_contain_text("The Gull")
        page.get_by_role("button", name="Good answer").click()
        page.get_by_text("Say more").click()
        page.get_by_label("Comment").fill(HOSTILE)
        page.get_by_role("button", name="Keep").click()
        page.reload()
        expect(page.locator(".chip")).to_contain_text("The Gull")
        page.get_by_role("button", name="Library").click()
        expect(page.locator("#shelf")).to_contain_text("Zanderfjord ferry")
        watch.nothing_came_alive()
    finally:
        httpx.delete(f"{seed_server.url}/v1/articles/{stored.json()['id']}")


def test_a_removed_source_and_an_unknown_address_stay_words(seed_server: Any, open_page: Any) -> None:
    page = open_page(seed_server.url)
    watch = Watch(page)
    page.evaluate(
        """(words) => { const button = document.createElement("button"); button.id = "probe";
             button.dataset.article = words; button.dataset.title = words; button.dataset.marks = words;
             document.querySelector("#live").append(button); button.click(); }""",
        HOSTILE,
    )
    expect(page.locator("#evidence-body")).to_contain_text("has been removed from the library")
    watch.nothing_came_alive()
    page.goto(f"{seed_server.url}/?conversation=%3Cimg%20src%3D/beacon%20onerror%3Dwindow.pwned%3D1%3E")
    expect(page.get_by_text("There is no such conversation")).to_be_visible()
    watch.nothing_came_alive()


def test_no_file_of_the_server_can_be_fetched(seed_server: Any) -> None:
    for path in ("/gradio_api/file=/etc/passwd", "/file=/etc/passwd", "/gradio_api/proxy=http://127.0.0.1/", "/docs"):
        assert httpx.get(f"{seed_server.url}{path}").status_code in (403, 404), path
    assert httpx.post(f"{seed_server.url}/gradio_api/upload", files={"files": b"x"}).status_code in (403, 404)
