"""Reading on the page: articles beside answers, small windows, keyboard, dark, right to left, and what axe finds."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.ui.asking import answered, cite

pytestmark = pytest.mark.browser

FERRY = "When did the ferry leave?"


def serious(page: Page) -> list[str]:
    found = Axe().run(page, context="#page").response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in ("serious", "critical")]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_the_whole_article_opens_at_the_quote_and_its_quotes_are_stepped_through(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    answered(page, FERRY)
    page.locator("#live .cite").last.click()
    current = page.locator("mark.current")
    expect(current).to_have_text("The harbour stays closed until Monday.")
    assert scripted.engine.text in page.locator("#evidence .passage").inner_text()
    expect(page.locator("#evidence-step")).to_have_text("2 of 2")
    page.get_by_role("button", name="Next quote").click()
    expect(current).to_have_text("The ferry left at noon.")
    page.get_by_role("button", name="Quote before").click()
    expect(page.locator("#evidence-step")).to_have_text("2 of 2")


def test_a_long_article_is_scrolled_to_the_quote(seed_server: Any, open_page: Any) -> None:
    filler = "The council of Ostrel spoke of other things for a long while, and nothing was decided. "
    text = f"{filler * 80}\n\nThe mayor of Ostrel, Odile Marrant, opened the tidal weir on 4 May 2024.\n\n{filler * 80}"
    article = {"id": "weir", "title": "An evening in Ostrel", "text": text, "published": "2024-05-05"}
    assert httpx.post(f"{seed_server.url}/v1/articles", json=article).status_code in (200, 201)
    try:
        page = open_page(seed_server.url)
        answered(page, "When did Odile Marrant open the tidal weir of Ostrel?")
        cite(page, 1).click()
        mark, body = page.locator("mark.current"), page.locator("#evidence-body")
        expect(mark).to_contain_text("opened the tidal weir on 4 May 2024")
        expect(mark).to_be_in_viewport()
        assert body.evaluate("body => body.scrollTop") > 500
        expect(page.locator("#evidence .source-title")).to_be_in_viewport()
    finally:
        httpx.delete(f"{seed_server.url}/v1/articles/weir")


def test_hover_and_focus_show_the_quote(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    answered(page, FERRY)
    tip = page.get_by_role("tooltip")
    cite(page, 1).hover()
    expect(tip).to_have_text("The ferry left at noon.")
    page.mouse.move(0, 0)
    expect(tip).to_be_hidden()
    page.locator("#live .cite").last.focus()
    expect(tip).to_have_text("The harbour stays closed until Monday.")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(scripted: Any, open_page: Any, scheme: str) -> None:
    page = open_page(scripted.url + ("?__theme=dark" if scheme == "dark" else ""))
    expect(page.get_by_role("button", name=FERRY)).to_be_visible()
    assert serious(page) == []
    answered(page, FERRY)
    page.get_by_role("button", name="Bad answer").click()
    page.get_by_text("Say more").click()
    cite(page, 1).click()
    expect(page.locator("mark.current")).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("Escape")
    page.get_by_text("Narrow", exact=True).click()
    page.locator("#history .current summary").click()
    assert serious(page) == []


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1180), (1440, 900)])
def test_nothing_is_wider_than_the_window(scripted: Any, open_page: Any, width: int, height: int) -> None:
    page = open_page(scripted.url, width=width, height=height)
    assert fits(page)
    answered(page, f"{FERRY} {'Donaudampfschifffahrtsgesellschaft' * 8} متى غادرت العبارة؟")
    assert fits(page)
    page.locator("summary", has_text="Narrow").click()
    assert fits(page)
    cite(page, 1).click()
    expect(page.locator("mark.current")).to_be_visible()
    assert fits(page)


def test_on_a_phone_the_conversations_are_a_sheet(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url, width=390, height=844)
    answered(page, FERRY)
    listed = page.locator("#history")
    expect(listed).to_be_hidden()
    page.get_by_role("button", name="Conversations").click()
    expect(listed.get_by_text(FERRY)).to_be_visible()
    page.keyboard.press("Escape")
    expect(listed).to_be_hidden()


def test_nothing_jumps_while_an_answer_streams(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    page.evaluate(
        """() => { window.shift = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries())
             if (!entry.hadRecentInput) window.shift += entry.value; }).observe({type: "layout-shift"}); }"""
    )
    answered(page, "A slow question")
    assert page.evaluate("window.shift") < 0.1
