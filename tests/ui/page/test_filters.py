from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rag.errors import InvalidRequest
from rag.records import Filters
from tests.ui.markup import HOSTILE, Markup
from ui.page.filters import narrowed, render_narrowing, without

ALL = Filters(date(2024, 1, 1), date(2024, 3, 15), ("The Gull", "The Tide"))


def test_a_form_becomes_filters() -> None:
    form = {"since": "2024-01-01", "until": "2024-03-15", "publishers": ["The Gull", "The Tide"]}
    assert narrowed(form) == ALL
    assert narrowed({**form, "since": "2024-03-15"}).since == date(2024, 3, 15)


@pytest.mark.parametrize(
    "form", [{}, {"since": "", "until": "", "publishers": []}, {"since": None, "publishers": None}]
)
def test_an_empty_form_narrows_nothing(form: dict[str, Any]) -> None:
    assert narrowed(form) == Filters()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"since": "soon"}, "From is not a date"),
        ({"until": "2024-02-30"}, "To is not a date"),
        ({"until": ["2024-02-01"]}, "To is not a date"),
        ({"since": "2024-05-01", "until": "2024-04-30"}, "the period ends before it begins"),
    ],
)
def test_what_cannot_be_meant_is_told(form: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        narrowed(form)


@pytest.mark.parametrize("publishers", ["The Gull", 7, {"The Gull": 1}])
def test_publishers_that_are_no_list_are_none(publishers: object) -> None:
    assert narrowed({"publishers": publishers}).publishers == ()


def test_no_more_publishers_are_taken_than_can_be_shown() -> None:
    assert len(narrowed({"publishers": [str(number) for number in range(5000)]}).publishers) == 100


def test_a_chip_takes_away_what_it_names() -> None:
    assert without(ALL, "since") == Filters(None, ALL.until, ALL.publishers)
    assert without(ALL, "until") == Filters(ALL.since, None, ALL.publishers)
    assert without(ALL, "publisher:The Gull").publishers == ("The Tide",)
    assert without(ALL, "publisher:Nobody") == ALL


@pytest.mark.parametrize("name", ["since", "until", "publisher:x", *HOSTILE])
def test_every_chip_that_is_drawn_can_be_taken_away(name: str) -> None:
    narrow = Filters(date(2024, 1, 1), date(2024, 3, 15), (name, "The Gull"))
    for button in Markup(render_narrowing(narrow, ())).all("button", data_do="unchip"):
        assert without(narrow, button["data-chip"]) != narrow
        narrow = without(narrow, button["data-chip"])
    assert narrow == Filters()


def test_the_form_shows_what_is_chosen_first() -> None:
    page = Markup(render_narrowing(ALL, ["The Wave", "The Tide", "The Gull"]))
    boxes = page.all("input", name="publishers")
    assert [(box["value"], "checked" in box) for box in boxes] == [
        ("The Gull", True),
        ("The Tide", True),
        ("The Wave", False),
    ]
    assert [page.all("input", name=name)[0]["value"] for name in ("since", "until")] == ["2024-01-01", "2024-03-15"]
    assert "From 1 January 2024" in page.words
    assert "To 15 March 2024" in page.words


def test_a_publisher_that_the_library_lost_can_still_be_unticked() -> None:
    (box,) = Markup(render_narrowing(Filters(publishers=("The Gull",)), [])).all("input", name="publishers")
    assert (box["value"], "checked" in box) == ("The Gull", True)


def test_without_filters_there_are_no_chips_and_without_publishers_no_choice() -> None:
    page = Markup(render_narrowing(Filters(), []))
    assert page.all("ul") == page.all("fieldset") == []
    assert "open" not in page.all("details")[0]


def test_a_problem_is_shown_in_the_open_form() -> None:
    page = Markup(render_narrowing(Filters(), [], "From is not a date."))
    assert "open" in page.all("details")[0]
    assert "From is not a date." in page.words
    assert page.all("p", role="alert") != []


def test_thousands_of_publishers_do_not_fill_the_page() -> None:
    page = Markup(render_narrowing(Filters(publishers=("The Gull",)), [str(number) for number in range(5000)]))
    assert len(page.all("input", name="publishers")) == 100
    assert page.all("input", name="publishers")[0]["value"] == "The Gull"


@pytest.mark.parametrize("words", HOSTILE)
def test_names_and_problems_are_inert(words: str) -> None:
    page = Markup(render_narrowing(Filters(publishers=(words,)), [words, f"{words}!"], words))
    assert page.inert(), page.tags
    assert [box["value"] for box in page.all("input", name="publishers")] == [words, f"{words}!"]
    assert page.words.count(words) == 4
