from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.records import Article, Span
from tests.ui.markup import HOSTILE, TEXT, Markup
from ui.page.evidence import address, day, merged, render_article, render_removed


def article(text: str = TEXT, **known: Any) -> Article:
    return Article("a", 1, "Ferry on time", text, **known)


def span_of(words: str) -> Span:
    start = TEXT.index(words)
    return Span(start, start + len(words))


def test_an_article_is_shown_whole_with_each_quote_marked_at_its_place() -> None:
    page = Markup(render_article(article(), [span_of("Nobody was hurt."), span_of("The ferry left at noon.")]))
    assert page.marks == ["The ferry left at noon.", "Nobody was hurt."]
    assert [(mark["data-start"], mark["data-end"]) for mark in page.all("mark")] == [("0", "23"), ("24", "40")]
    assert page.words.endswith(TEXT)


def test_overlapping_and_touching_quotes_are_one_mark() -> None:
    spans = [span_of("The ferry left"), span_of("ferry left at noon."), span_of(" Nobody was hurt.")]
    assert Markup(render_article(article(), spans)).marks == ["The ferry left at noon. Nobody was hurt."]


def test_a_quote_within_another_does_not_cut_it_short() -> None:
    assert merged([Span(0, 30), Span(4, 9), Span(40, 41)], 100) == [Span(0, 30), Span(40, 41)]


def test_marks_outside_the_text_are_cut_or_left_out() -> None:
    spans = [Span(-5, 3), Span(len(TEXT) - 7, 10**9), Span(9, 9), Span(20, 12), Span(10**6, 10**7)]
    assert Markup(render_article(article(), spans)).marks == ["The", "Monday."]
    assert Markup(render_article(article(""), [Span(0, 5)])).marks == []


@given(st.text(min_size=1), st.data())
def test_marking_never_changes_a_text(text: str, data: st.DataObject) -> None:
    text = text.replace("\r", "\n").replace("\x00", "x")
    ends = st.integers(0, len(text))
    spans = data.draw(st.lists(st.tuples(ends, ends).map(sorted).filter(lambda span: span[0] < span[1]), max_size=5))
    page = Markup(render_article(article(text), [Span(start, end) for start, end in spans]))
    assert page.words == f"Ferry on timedate unknown{text}"
    assert page.inert()
    assert "".join(page.marks) == "".join(
        character for at, character in enumerate(text) if any(start <= at < end for start, end in spans)
    )


def test_of_a_very_long_article_the_surroundings_of_every_quote_are_shown() -> None:
    words = "".join(f"{number:07} " for number in range(125_000))
    far = [Span(at * 8, at * 8 + 7) for at in (0, 60_000, 124_999)]
    page = Markup(render_article(article(words), far))
    assert page.marks == ["0000000", "0060000", "0124999"]
    assert "too long to show whole" in page.words
    assert page.words.count("[…]") == 2
    for shown in ("0000001 ", "0059999 0060000 0060001", "0124998 0124999"):
        assert shown in page.words
    assert len(page.words) < 310_000


def test_of_a_very_long_article_without_a_quote_the_beginning_is_shown() -> None:
    page = Markup(render_article(article("First words. " + "x" * 400_000)))
    assert "First words." in page.words
    assert "too long to show whole" in page.words
    assert "too long" not in Markup(render_article(article("x" * 300_000))).words


def test_a_newer_version_is_told_of() -> None:
    assert "has been updated since" in render_article(article(), newer=True)
    assert "has been updated since" not in render_article(article())


@pytest.mark.parametrize("words", HOSTILE)
def test_words_from_outside_are_inert_wherever_they_stand(words: str) -> None:
    hostile = Article("a", 1, words, words, words, published=words, url=words)
    for html in (render_article(hostile, [Span(1, 5)], newer=True), render_removed(words), address(words)):
        page = Markup(html)
        assert page.inert(), page.tags
        assert words in page.words


def test_a_removed_article_says_so_under_its_title() -> None:
    assert Markup(render_removed("Ferry")).words == "FerryThis article has been removed from the library."


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript://x.example/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//evil.example",
        "https://a b",
        'https://a"onclick=alert(1)',
        "https://",
        "http:x",
        " https://a.example",
    ],
)
def test_only_web_addresses_become_links(url: str) -> None:
    page = Markup(render_article(article(url=url)))
    assert page.all("a") == []
    assert url.removeprefix("https://") in page.words


def test_a_web_address_is_a_link_that_tells_nothing_of_where_it_was_opened() -> None:
    page = Markup(render_article(article(url="https://www.gull.example/ferry?a=1&b=2")))
    assert page.all("a") == [
        {"href": "https://www.gull.example/ferry?a=1&b=2", "target": "_blank", "rel": "noopener noreferrer"}
    ]
    assert "gull.example/ferry?a=1&b=2" in page.words


@pytest.mark.parametrize(
    ("published", "read"),
    [
        ("2024-05-02", "2 May 2024"),
        ("2024-05-02T10:00:00Z", "2 May 2024"),
        ("last spring", "last spring"),
        ("2024-02-30", "2024-02-30"),
        ("", "date unknown"),
        (None, "date unknown"),
    ],
)
def test_dates_are_readable_and_an_unknown_one_says_so(published: str | None, read: str) -> None:
    assert day(published) == read


def test_publisher_and_date_stand_under_the_title() -> None:
    known = article(publisher="The Gull", published="2024-05-02T10:00:00Z")
    assert "Ferry on timeThe Gull · 2 May 2024" in Markup(render_article(known)).words
    assert "Ferry on timedate unknown" in Markup(render_article(article())).words
