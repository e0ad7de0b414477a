from __future__ import annotations

from dataclasses import replace

import pytest

from rag.records import Conversation
from tests.ui.markup import HOSTILE, Markup
from ui.page.history import render_editing, render_history, render_problem, render_visiting

FERRY = Conversation("f-1", "When did the ferry leave?", "2024-05-02T10:00:00.000000+00:00")
HARBOUR = Conversation("h_2", "Is the harbour open?", "2024-05-01T10:00:00.000000+00:00", shared=True)


def test_conversations_are_links_in_the_order_given_and_the_open_one_is_current() -> None:
    page = Markup(render_history([FERRY, HARBOUR], "h_2"))
    links = page.all("a", data_do="open")
    assert [link["href"] for link in links] == ["?conversation=f-1", "?conversation=h_2"]
    assert [link.get("aria-current") for link in links] == [None, "page"]
    assert len(page.all("li", class_="current")) == 1
    assert "When did the ferry leave?2 May 2024" in page.words


def test_each_can_be_renamed_exported_and_deleted() -> None:
    page = Markup(render_history([FERRY]))
    for dialog in ("rename", "delete"):
        (button,) = page.all("button", data_dialog=dialog)
        assert (button["data-conversation"], button["data-title"]) == ("f-1", FERRY.title)
    exports = [link["href"] for link in page.all("a") if "download" in link]
    assert exports == ["page/conversations/f-1.md", "page/conversations/f-1.json"]


def test_a_shared_one_says_so_and_offers_its_link_and_to_stop() -> None:
    own, shared = Markup(render_history([FERRY])), Markup(render_history([HARBOUR]))
    assert [button["data-shared"] for button in own.all("button", data_do="sharing")] == ["yes"]
    assert [button["data-shared"] for button in shared.all("button", data_do="sharing")] == ["no"]
    assert shared.all("button", data_copy="?conversation=h_2") != []
    assert "1 May 2024 · shared" in shared.words
    assert "shared" not in own.words


def test_an_empty_list_says_what_it_is_for() -> None:
    assert Markup(render_history([])).words == "Conversations that you begin are kept here."


@pytest.mark.parametrize("words", HOSTILE)
def test_titles_and_problems_are_inert(words: str) -> None:
    page = Markup(render_history([replace(FERRY, title=words, updated=words)]))
    assert page.inert(), page.tags
    assert page.words.count(words) == 2
    assert [each["data-title"] for each in page.all("button") if "data-title" in each] == [words, words]
    assert Markup(render_problem(words)).words == words


def test_a_visitor_is_told_whose_conversation_it_is_and_an_editor_what_happens() -> None:
    assert "Somebody shared this conversation with you." in render_visiting()
    assert Markup(render_editing()).all("button", data_do="unedit") != []
