"""Conversations on the page: kept, reopened, shared, narrowed, judged. A real database under a scripted engine."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from rag.records import Filters
from tests.ui.asking import answered, ask, cite, whole

pytestmark = pytest.mark.browser

FERRY = "When did the ferry leave?"


def menu(page: Page, entry: str) -> None:
    page.locator("#history .current summary").click()
    page.locator("#history .current").get_by_text(entry, exact=True).click()


def conversation(page: Page) -> str:
    expect(page).to_have_url(re.compile("conversation="))
    return page.url.partition("conversation=")[2]


def test_a_reload_comes_back_to_the_conversation_and_its_citations(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    answered(page, FERRY)
    answered(page, "And the harbour?")
    conversation(page)
    page.reload()
    expect(page.locator(".asked")).to_have_text([FERRY, "And the harbour?"])
    page.locator("#past .cite").first.click()
    expect(page.locator("mark.current")).to_have_text("The ferry left at noon.")


def test_a_citation_of_a_removed_article_says_so(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    answered(page, FERRY)
    conversation(page)
    scripted.engine.removed = True
    page.reload()
    expect(page.locator("#live .source")).to_contain_text("removed from the library")
    cite(page, 1).click()
    expect(page.locator("#evidence-body")).to_contain_text("has been removed from the library")
    expect(page.locator("#evidence-body .source-title")).to_have_text("Ferry leaves on time")


def test_conversations_are_listed_renamed_and_deleted(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    answered(page, "First question of the day?")
    page.get_by_role("button", name="New conversation").click()
    answered(page, "Second question of the day?")
    titles = page.locator("#history .history-title")
    expect(titles).to_have_text(["Second question of the day?", "First question of the day?"])

    menu(page, "Rename")
    page.get_by_role("dialog").get_by_label("Title").fill("Harbour <i>watch</i>")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(titles.first).to_have_text("Harbour <i>watch</i>")

    titles.last.click()
    expect(page.locator(".asked")).to_have_text("First question of the day?")
    # As from another window, in which the conversation has been deleted since.
    page.evaluate("window.dateline.send('rename', {conversation: 'gone', title: 'x'})")
    expect(page.get_by_role("alert")).to_contain_text("There is no such conversation")
    menu(page, "Delete")
    expect(page.get_by_role("dialog")).to_contain_text("First question of the day?")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(titles).to_have_text(["Harbour <i>watch</i>"])
    expect(page.locator(".welcome")).to_be_visible()
    expect(page).not_to_have_url(re.compile("conversation="))


def test_nobody_else_opens_a_conversation_before_it_is_shared(scripted: Any, open_page: Any) -> None:
    owner = open_page(scripted.url)
    answered(owner, "What did the harbour master tell us?")
    link = scripted.url + "?conversation=" + conversation(owner)
    stranger = open_page(link)
    expect(stranger.get_by_text("There is no such conversation")).to_be_visible()
    assert "harbour master" not in stranger.content()
    export = scripted.url + f"page/conversations/{conversation(owner)}.json"
    assert httpx.get(export).status_code == 404

    menu(owner, "Share by link")
    expect(owner.locator("#history .current")).to_contain_text("shared")
    visitor = open_page(link)
    expect(visitor.locator(".asked")).to_have_text("What did the harbour master tell us?")
    expect(visitor.locator("#history .history-title")).to_have_count(0)
    expect(visitor.locator("#live .actions")).to_have_count(0)
    assert httpx.get(export).status_code == 200

    # To go on in it is to go on in a copy.
    answered(visitor, "And on Monday?")
    expect(visitor.locator(".asked")).to_have_text(["What did the harbour master tell us?", "And on Monday?"])
    expect(visitor.locator("#history .history-title")).to_have_count(1)
    owner.reload()
    expect(owner.locator(".asked")).to_have_text(["What did the harbour master tell us?"])

    menu(owner, "Stop sharing")
    expect(owner.locator("#history .current")).not_to_contain_text("shared")
    expect(open_page(link).get_by_text("There is no such conversation")).to_be_visible()


def test_the_routes_of_the_page_change_nothing_of_somebody_else(scripted: Any, open_page: Any) -> None:
    owner = open_page(scripted.url)
    answered(owner, FERRY)
    theirs = conversation(owner)
    stranger = open_page(scripted.url)
    for name, data in (
        ("open", {}),
        ("rename", {"title": "mine now"}),
        ("sharing", {"shared": "yes"}),
        ("discard", {}),
    ):
        with stranger.expect_response(re.compile("gradio_api/(run|queue)")):
            stranger.evaluate(
                "([name, data]) => window.dateline.send(name, data)", [name, {"conversation": theirs, **data}]
            )
        stranger.wait_for_timeout(150)
    assert FERRY not in stranger.locator("#talk .asked").all_text_contents()
    owner.reload()
    expect(owner.locator("#history .history-title")).to_have_text(FERRY)
    assert "shared" not in owner.locator("#history").inner_text()


def test_an_export_holds_the_answers(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    answered(page, FERRY)
    for kind, entry in (("json", "Export as JSON"), ("md", "Export as Markdown")):
        with page.expect_download() as started:
            menu(page, entry)
        assert started.value.suggested_filename == f"when-did-the-ferry-leave.{kind}"
        text = started.value.path().read_text(encoding="utf-8")
        if kind == "json":
            (exchange,) = json.loads(text)["exchanges"]
            assert exchange["answer"]["claims"][0]["quotes"][0]["text"] == "The ferry left at noon."
        else:
            assert "> The ferry left at noon. [1]" in text


def test_retry_and_edit_take_the_place_of_the_last_question(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    answered(page, FERRY)
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("#past .exchange")).to_have_count(0)
    whole(page)
    page.get_by_role("button", name="Edit").click()
    box = page.get_by_label("Question")
    expect(box).to_have_value(FERRY)
    page.get_by_role("button", name="Cancel").click()
    expect(box).to_have_value("")
    page.get_by_role("button", name="Edit").click()
    expect(box).to_have_value(FERRY)
    answered(page, "When did the ferry really leave?")
    assert [question.text for question in scripted.engine.asked] == [FERRY, FERRY, "When did the ferry really leave?"]
    assert scripted.engine.asked[-1].history == ()
    page.reload()
    expect(page.locator(".asked")).to_have_text(["When did the ferry really leave?"])


def test_a_conversation_remembers_what_it_is_narrowed_to(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    page.get_by_text("Narrow", exact=True).click()
    page.get_by_label("From").fill("2024-05-03")
    page.get_by_label("To").fill("2024-05-01")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".narrow .problem")).to_have_text("The period ends before it begins (swap From and To).")
    page.get_by_label("From").fill("2024-05-01")
    page.get_by_label("Harbour <b>News</b>").check()
    page.get_by_role("button", name="Apply").click()
    chips = page.locator(".chip")
    expect(chips).to_have_text(["From 1 May 2024×", "Harbour <b>News</b>×"])
    answered(page, FERRY)
    assert scripted.engine.asked[-1].filters == Filters(date(2024, 5, 1), None, ("Harbour <b>News</b>",))
    page.reload()
    expect(chips).to_have_count(2)

    page.get_by_role("button", name="Remove From 1 May 2024").click()
    expect(chips).to_have_count(1)
    page.get_by_role("button", name="New conversation").click()
    expect(chips).to_have_count(0)
    page.locator("#history .history-title").click()
    expect(chips).to_have_text(["Harbour <b>News</b>×"])


def test_what_a_date_left_out_is_one_press_away(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    answered(page, FERRY)
    page.get_by_role("button", name="Search all dates").click()
    expect(page.locator(".note")).to_have_count(0)
    whole(page)
    assert [question.all_dates for question in scripted.engine.asked] == [False, True]
    expect(page.locator(".exchange")).to_have_count(1)


def test_an_opinion_is_kept_with_its_question_and_shown_again(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    answered(page, FERRY)
    page.get_by_role("button", name="Bad answer").click()
    expect(page.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
    page.get_by_text("Say more").click()
    page.get_by_label("Comment").fill("It was <b>late</b>.")
    page.get_by_label("Words the right answer holds").fill("at one o'clock")
    with page.expect_response(re.compile("run/predict")):
        page.get_by_role("button", name="Keep").click()
    expect(page.get_by_label("Comment")).to_be_hidden()
    given = [each for each in scripted.engine.opinions.all() if each.comment == "It was <b>late</b>."]
    assert [(each.good, each.expected, each.answer.question) for each in given] == [(False, "at one o'clock", FERRY)]
    page.reload()
    expect(page.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")


def test_a_question_that_failed_or_was_stopped_is_still_there_after_a_reload(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    ask(page, "Please crash")
    expect(page.locator("#live .problem")).to_be_visible()
    whole(page)
    ask(page, "A slow question")
    expect(page.locator("#live .claim")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#live .status")).to_contain_text("Stopped.")
    conversation(page)
    page.reload()
    expect(page.locator(".asked")).to_have_text(["Please crash", "A slow question"])
    expect(page.locator("#past .problem")).to_contain_text("Something went wrong")
    expect(page.locator("#live .status")).to_have_text("Stopped.")


def test_what_is_suggested_is_asked_by_a_press(scripted: Any, open_page: Any) -> None:
    page = open_page(scripted.url)
    page.get_by_role("button", name=FERRY).click()
    whole(page)
    page.get_by_role("button", name="Who was hurt?").click()
    expect(page.locator("#live .asked")).to_have_text("Who was hurt?")
    whole(page)
    expect(page.locator(".asked")).to_have_text([FERRY, "Who was hurt?"])
