from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.ui.asking import answered, ask, cite

pytestmark = pytest.mark.browser

MUSCAT = "What did Iran demand in Muscat?"


# The real application over the seeds


def test_an_answer_streams_and_a_number_opens_its_quote_in_the_stored_article(seed_server: Any, open_page: Any) -> None:
    page = open_page(seed_server.url)
    page.evaluate(
        """() => { window.states = []; new MutationObserver(() => {
             const live = document.querySelector("#live .exchange");
             if (live) window.states.push(live.getAttribute("aria-busy"));
           }).observe(document.querySelector("#live"), {subtree: true, childList: true, attributes: true}); }"""
    )
    answered(page, MUSCAT)
    states = page.evaluate("window.states")
    assert states[0] == "true"
    assert states[-1] == "false"
    expect(page.locator("#live .status")).to_contain_text("Quotes only: no language model is configured")

    cite(page, 1).click()
    marks = page.locator("mark")
    expect(marks.first).to_be_visible()
    stored = [
        httpx.get(f"{seed_server.url}/v1/articles/{article['id']}").json()["text"]
        for article in httpx.get(f"{seed_server.url}/v1/articles").json()["articles"]
    ]
    quote = page.locator("#live .claim").first.evaluate("claim => claim.firstChild.textContent").strip()
    assert any(quote in text for text in stored)
    assert any(quote in mark for mark in marks.all_text_contents())
    assert "cease-fire in Gaza" in page.locator("#live .claims").inner_text()


def test_what_the_articles_do_not_say_is_declined_with_the_closest_passages(seed_server: Any, open_page: Any) -> None:
    page = open_page(seed_server.url)
    answered(page, "Who is the chief executive of Apple?")
    expect(page.locator("#live .nothing")).to_be_visible()
    expect(page.locator("#live .cite")).to_have_count(0)
    expect(page.get_by_text("Closest, but not an answer")).to_be_visible()


def test_the_page_asks_nothing_of_any_other_host(seed_server: Any, open_page: Any, browser: Any) -> None:
    page = browser.new_page()
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    page.goto(seed_server.url)
    page.locator(".welcome").wait_for()
    answered(page, MUSCAT)
    cite(page, 1).click()
    page.close()
    foreign = [url for url in asked_for if not url.startswith((seed_server.url, "data:", "blob:"))]
    assert foreign == []


# The page on an engine that does what the question says


def test_the_drawer_works_by_keyboard_and_gives_the_focus_back(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    answered(page, "When did the ferry leave?")
    cite(page, 1).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Source")).to_be_focused()
    expect(page.locator("mark.current")).to_have_text("The ferry left at noon.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Source")).to_be_hidden()
    expect(cite(page, 1)).to_be_focused()


def test_a_source_opens_beside_the_answer_or_below_it(scripted: Any, open_page: Any) -> None:
    for width, height in ((1440, 900), (390, 844)):
        page = open_page(scripted.url, width=width, height=height)
        answered(page, "When did the ferry leave?")
        cite(page, 1).click()
        claim, drawer = page.locator(".claim").first.bounding_box(), page.locator("#evidence").bounding_box()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        if width == 390:
            assert claim["y"] + claim["height"] <= drawer["y"]
        else:
            assert claim["x"] + claim["width"] <= drawer["x"]


def test_shift_enter_breaks_a_line_and_an_empty_question_asks_nothing(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    box = page.get_by_label("Question")
    box.press("Enter")
    page.locator("#ask").click()
    box.fill("When did")
    box.press("Shift+Enter")
    box.press_sequentially("the ferry leave?")
    box.press("Enter")
    expect(page.locator(".exchange")).to_have_count(1)
    assert [question.text for question in scripted.engine.asked] == ["When did\nthe ferry leave?"]


def test_a_first_attempt_is_taken_back_with_its_reason(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    ask(page, "Please start over, slow")
    expect(page.locator("#live .status")).to_have_text(
        "The language model took too long. What was shown is taken back; the articles’ own words follow."
    )
    expect(page.locator("#live .claim").first).to_contain_text("The ferry left at noon.")


def test_stop_keeps_what_was_shown_and_says_that_it_is_not_complete(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    ask(page, "A slow question")
    expect(page.locator("#live .claim")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#live .status")).to_contain_text("Stopped.")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    page.wait_for_timeout(2000)
    expect(page.locator("#live .claim")).to_have_count(1)


def test_the_next_question_carries_the_conversation_and_a_new_one_does_not(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    answered(page, "When did the ferry leave?")
    answered(page, "And the harbour?")
    first, second = scripted.engine.asked
    assert first.history == ()
    assert [turn.content for turn in second.history] == [
        "When did the ferry leave?",
        "The ferry left at noon. The harbour stays closed until Monday.",
    ]
    expect(page.locator(".exchange")).to_have_count(2)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".exchange")).to_have_count(0)
    page.get_by_role("button", name="When did the ferry leave?").click()
    expect(page.locator("#live .exchange")).to_have_attribute("aria-busy", "false")
    assert scripted.engine.asked[-1].history == ()


def test_failures_are_one_sentence_without_internals(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    ask(page, "This is too long")
    expect(page.locator("#live .problem")).to_have_text("The question is too long (ask in fewer words).")
    ask(page, "Please crash")
    expect(page.locator("#live .problem")).to_have_text(re.compile("Something went wrong"))
    assert "secret" not in page.content()


def test_two_readers_do_not_see_each_other(scripted: Any, open_page: Any) -> None:
    first, second = open_page(scripted.url), open_page(scripted.url)
    ask(first, "A slow question of the first reader")
    answered(second, "A question of the second reader")
    assert "first reader" not in second.locator("#page").inner_text()
    expect(first.locator("#live .exchange")).to_have_attribute("aria-busy", "false")
    assert "second reader" not in json.dumps(first.locator("#page").inner_text())
