from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.records import Answer, Claim, Closest, Excerpt, Note, Quote, Source
from ui.conversation import Exchange
from ui.rendering import render_answer, render_exchange, render_notice, render_source, render_welcome

TEXT = "The ferry left at noon. Nobody was hurt. The harbour stays closed until Monday."
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "![x](https://tracker.example/p.png)",
    "[here](javascript:alert(1))",
    "</button></li><iframe src=//evil.example>",
    "<b>&lt;i&gt;</b> {{value}} ${value}",
)
ALLOWED_TAGS = re.compile(
    "a|article|bdi|blockquote|button|code|details|div|h2|li|mark|ol|p|pre|section|span|strong|summary|ul"
)
ALLOWED_ATTRIBUTES = re.compile(
    "aria-(busy|haspopup)|class|data-(ask|end|number|opens|panel|spans|start)|dir|hidden|href|id|rel|role|target|type"
)


class Markup(HTMLParser):
    """Every tag and attribute of a page, those that wait in `data-panel` included, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.panels: list[Markup] = []
        self.marks: list[str] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag == "mark":
            self.marks.append("")
        if "data-panel" in attributes:
            panel = Markup(attributes["data-panel"])
            self.panels.append(panel)
            self.tags += panel.tags

    def handle_data(self, data: str) -> None:
        self.words += data
        if self.marks and self.lasttag == "mark":
            self.marks[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self.lasttag = ""

    def inert(self) -> bool:
        return all(
            ALLOWED_TAGS.fullmatch(tag)
            and all(ALLOWED_ATTRIBUTES.fullmatch(name) for name in attributes)
            and re.match(r"https?://", attributes.get("href", "https://"))
            for tag, attributes in self.tags
        )

    def cites(self) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.tags if tag == "button" and attributes.get("class") == "cite"]


def source(number: int = 1, text: str = TEXT, start: int = 0, **changes: object) -> Source:
    plain = Source(
        number,
        f"article-{number}",
        1,
        "Ferry on time",
        "The Gull",
        "2024-05-02",
        None,
        Excerpt(start, start + len(text), text),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def quote(words: str, number: int = 1, text: str = TEXT, offset: int = 0) -> Quote:
    start = text.index(words) + offset
    return Quote(number, f"article-{number}", start, start + len(words), words)


def answer(*claims: Claim, **changes: object) -> Answer:
    numbers = sorted({each.source for claim in claims for each in claim.quotes})
    plain = Answer(
        "a", "When?", "When?", "answered", "quotes", None, "…", claims, tuple(source(number) for number in numbers)
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_every_claim_has_its_numbers_as_buttons_behind_it() -> None:
    page = Markup(
        render_answer(
            answer(
                Claim("The ferry left at noon.", (quote("The ferry left at noon."), quote("Nobody was hurt.", 2))),
                Claim("The harbour stays closed.", (quote("The harbour stays closed until Monday."),)),
            ),
            "k",
        )
    )
    assert [cite["data-opens"] for cite in page.cites()] == ["panel-k-1", "panel-k-2", "panel-k-1"]
    assert {attributes["id"] for _, attributes in page.tags if "data-panel" in attributes} == {"panel-k-1", "panel-k-2"}


def test_two_quotes_of_one_source_behind_a_claim_are_one_button() -> None:
    both = (quote("The ferry left at noon."), quote("Nobody was hurt."))
    (cite,) = Markup(render_answer(answer(Claim("x", both)))).cites()
    assert cite["data-spans"] == "0-23 24-40"


def test_a_source_marks_each_quote_in_its_passage() -> None:
    offset = 1000
    quotes = [quote("Nobody was hurt.", offset=offset), quote("The ferry left at noon.", offset=offset)]
    page = Markup(render_source(source(start=offset), quotes))
    assert page.marks == ["The ferry left at noon.", "Nobody was hurt."]
    assert TEXT in page.words


def test_overlapping_and_touching_quotes_are_one_mark() -> None:
    quotes = [quote("The ferry left"), quote("ferry left at noon."), quote(" Nobody was hurt.")]
    assert Markup(render_source(source(), quotes)).marks == ["The ferry left at noon. Nobody was hurt."]


def test_a_quote_outside_the_excerpt_is_shown_on_its_own() -> None:
    far = Quote(1, "article-1", 5000, 5016, "It rained later.")
    page = Markup(render_source(source(), [quote("Nobody was hurt."), far]))
    assert page.marks == ["Nobody was hurt.", "It rained later."]
    assert "Elsewhere in the same article" in page.words


def test_quotes_of_other_sources_are_not_marked() -> None:
    assert Markup(render_source(source(1), [quote("Nobody was hurt.", 2)])).marks == []


@given(st.text(min_size=1), st.data())
def test_marking_never_changes_a_passage(text: str, data: st.DataObject) -> None:
    text = text.replace("\r", "\n").replace("\x00", "x")
    ends = st.integers(0, len(text))
    spans = data.draw(st.lists(st.tuples(ends, ends).map(sorted).filter(lambda span: span[0] < span[1]), max_size=5))
    quotes = [Quote(1, "article-1", start + 7, end + 7, text[start:end]) for start, end in spans]
    html = render_source(source(text=text, start=7, title="t", publisher=None), quotes)
    page = Markup(html)
    assert page.words == f"t2 May 2024{text}"
    assert page.inert()
    assert "".join(page.marks) == "".join(
        character for at, character in enumerate(text) if any(start <= at < end for start, end in spans)
    )


@pytest.mark.parametrize("words", HOSTILE)
def test_words_from_outside_are_inert_wherever_they_stand(words: str) -> None:
    hostile = source(text=words, title=words, publisher=words, published=words, url=words, copies=(words,))
    claim = Claim(words, (Quote(1, words, 0, len(words), words),), (words,))
    full = answer(
        claim,
        question=words,
        asked_as=f"{words}!",
        mode="written",
        model=words,
        sources=(hostile,),
        notes=(Note("conflict", words, (1,)),),
        as_of=words,
    )
    none = answer(
        verdict="no_evidence", text=words, degraded=words, closest=(Closest("a", words, 0, len(words), words),)
    )
    for html in (
        render_exchange(Exchange(words, "done", answer=full)),
        render_exchange(Exchange(words, "streaming", (hostile,), (claim,), reset=words)),
        render_exchange(Exchange(words, "failed", problem=words)),
        render_answer(none),
        render_welcome(3, (words,)),
        render_notice(words),
    ):
        page = Markup(html)
        assert page.inert(), page.tags
        assert words in page.words


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil.example", "https://a b", "http:x"]
)
def test_only_web_addresses_become_links(url: str) -> None:
    page = Markup(render_source(source(url=url), []))
    assert "a" not in [tag for tag, _ in page.tags]
    assert url in page.words


def test_a_web_address_is_a_link_that_tells_nothing_of_where_it_was_opened() -> None:
    page = Markup(render_source(source(url="https://www.gull.example/ferry?a=1&b=2"), []))
    (link,) = [attributes for tag, attributes in page.tags if tag == "a"]
    assert link == {
        "href": "https://www.gull.example/ferry?a=1&b=2",
        "target": "_blank",
        "rel": "noopener noreferrer",
    }


def test_dates_are_readable_and_an_unknown_one_says_so() -> None:
    assert "The Gull · 2 May 2024" in Markup(render_source(source(published="2024-05-02T10:00:00Z"), [])).words
    assert "date unknown" in Markup(render_source(source(published=None), [])).words


@pytest.mark.parametrize(
    ("degraded", "said"),
    [
        ("no_model", "no language model is configured, so these are the articles’ own words."),
        ("timeout", "the language model took too long, so"),
        ("something_new", "the language model failed, so"),
        (None, "these are the articles’ own words; no answer was written."),
    ],
)
def test_quotes_say_that_they_are_quotes_and_why(degraded: str | None, said: str) -> None:
    words = Markup(render_answer(answer(Claim(TEXT, (quote(TEXT),)), degraded=degraded))).words
    assert f"Quotes only: {said}" in words


def test_a_written_answer_looks_different_from_quotes() -> None:
    claim = Claim("It left.", (quote("The ferry left at noon."),))
    written, quoted = render_answer(answer(claim, mode="written", model="m-1")), render_answer(answer(claim))
    assert "Written by m-1" in Markup(written).words
    assert "blockquote" in quoted
    assert "blockquote" not in written


def test_flags_and_notes_are_visible_with_readable_labels() -> None:
    claim = Claim("It left at one.", (quote("The ferry left at noon."),), ("not found in the quotes: one",))
    notes = (Note("conflict", "The hours differ.", (1, 2)), Note("undated", "A date is missing.", ()))
    words = Markup(render_answer(answer(claim, notes=notes, as_of="2024-05-02"))).words
    assert "Not found in the quotes: one" in words
    assert "Sources disagree (sources 1 and 2). The hours differ." in words
    assert "Date unknown. A date is missing." in words
    assert "Newest source quoted: 2 May 2024" in words


def test_no_evidence_shows_what_came_closest_as_no_answer() -> None:
    near = Closest("a", "Ferry on time", 0, len(TEXT), TEXT)
    page = Markup(render_answer(answer(verdict="no_evidence", text="The articles do not say.", closest=(near,))))
    assert page.words.startswith("The articles do not say.Closest, but not an answer")
    assert TEXT in page.words
    assert page.cites() == []


def test_the_standalone_question_is_shown_when_it_differs() -> None:
    assert "Searched as: When did it leave?" in Markup(render_answer(answer(asked_as="When did it leave?"))).words
    assert "Searched as" not in Markup(render_answer(answer(asked_as=" when? "))).words


def test_while_it_streams_an_exchange_says_what_it_does() -> None:
    searching = Markup(render_exchange(Exchange("When?")))
    assert "Searching the articles…" in searching.words
    assert searching.tags[0][1]["aria-busy"] == "true"
    claim = Claim(TEXT, (quote(TEXT),))
    taken_back = Exchange("When?", "streaming", reset="unreachable")
    assert "The language model could not be reached. What was shown is taken back" in render_exchange(taken_back)
    stopped = Markup(render_exchange(Exchange("When?", "stopped", (source(),), (claim,))))
    assert "not complete" in stopped.words
    assert stopped.panels[0].marks == [TEXT]


def test_an_empty_library_says_how_to_fill_it() -> None:
    assert "rag ingest" in render_welcome(0, ("When?",))
    assert "data-ask" not in render_welcome(0, ("When?",))
    assert "the 1,200 articles" in render_welcome(1200)
