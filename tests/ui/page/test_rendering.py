from __future__ import annotations

from dataclasses import replace

import pytest

from rag.records import Claim, Closest, Note, Quote
from tests.ui.markup import HOSTILE, TEXT, Markup, answer, quote, source
from ui.chat.exchanges import Exchange
from ui.page.rendering import (
    render_answer,
    render_conversation,
    render_exchange,
    render_notice,
    render_suggestions,
    render_welcome,
)

LEFT = Claim("The ferry left at noon.", (quote("The ferry left at noon."),))
CLOSED = Claim("The harbour is closed.", (quote("The harbour stays closed until Monday."),))
DONE = Exchange("When?", "done", answer=answer(LEFT), key="k1")


# Numbers and sources


def test_every_claim_has_its_numbers_as_buttons_that_open_the_quoted_version() -> None:
    both = Claim("It left, and all were well.", (*LEFT.quotes, quote("Nobody was hurt.", 2)))
    shown = answer(both, CLOSED, sources=(source(1, version=3), source(2)))
    cites = Markup(render_answer(shown)).cites()
    opened = [(cite["data-number"], cite["data-article"], cite["data-version"]) for cite in cites]
    assert opened == [("1", "article-1", "3"), ("2", "article-2", "1"), ("1", "article-1", "3")]


def test_a_number_holds_its_own_quotes_and_all_marks_of_its_source() -> None:
    cites = Markup(render_answer(answer(LEFT, CLOSED))).cites()
    assert [cite["data-spans"] for cite in cites] == ["0-23", "41-79"]
    assert [cite["data-marks"] for cite in cites] == ["0-23 41-79", "0-23 41-79"]
    assert cites[1]["data-said"] == "The harbour stays closed until Monday."


def test_two_quotes_of_one_source_behind_a_claim_are_one_button() -> None:
    both = (quote("Nobody was hurt."), quote("The ferry left at noon."))
    (cite,) = Markup(render_answer(answer(Claim("x", both)))).cites()
    assert cite["data-spans"] == "0-23 24-40"
    assert cite["data-said"] == "Nobody was hurt. … The ferry left at noon."


def test_a_quote_of_a_source_that_is_not_there_gets_no_number() -> None:
    claim = Claim("x", (quote("Nobody was hurt.", 7), *LEFT.quotes))
    (cite,) = Markup(render_answer(answer(claim, sources=(source(1),)))).cites()
    assert cite["data-number"] == "1"


def test_every_source_is_listed_with_where_it_comes_from() -> None:
    page = Markup(render_answer(answer(LEFT, Claim("x", (quote("Nobody was hurt.", 2),)))))
    listed = page.all("button", class_="source")
    assert [(each["data-number"], each["data-marks"]) for each in listed] == [("1", "0-23"), ("2", "24-40")]
    assert "1 Ferry on time The Gull · 2 May 2024" in page.words


def test_only_sources_that_are_gone_say_so() -> None:
    shown = answer(LEFT, Claim("x", (quote("Nobody was hurt.", 2),)))
    assert "removed from the library" not in Markup(render_answer(shown)).words
    page = Markup(render_answer(shown, removed=frozenset({2})))
    assert page.words.count("removed from the library") == 1
    assert page.words.index("removed from the library") > page.words.index("2 Ferry on time")


def test_copies_are_listed_and_only_web_addresses_of_them_are_links() -> None:
    copies = ("https://tide.example/ferry", "Ferry late again", "javascript:alert(1)")
    page = Markup(render_answer(answer(LEFT, sources=(source(copies=copies),))))
    assert [link["href"] for link in page.all("a")] == ["https://tide.example/ferry"]
    for copy in ("tide.example/ferry", "Ferry late again", "javascript:alert(1)"):
        assert copy in page.words
    assert Markup(render_answer(answer(LEFT))).all("details", class_="copies") == []


def test_two_hundred_sources_are_all_shown() -> None:
    claims = [Claim(str(number), (quote("Nobody was hurt.", number),)) for number in range(1, 201)]
    page = Markup(render_answer(answer(*claims)))
    assert [cite["data-number"] for cite in page.cites()] == [str(number) for number in range(1, 201)]
    assert len(page.all("button", class_="source")) == 200


# What an answer says of itself


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


@pytest.mark.parametrize(("confidence", "doubted"), [(0.01, True), (0.9, False), (None, False)])
def test_quotes_that_may_be_no_answer_say_so(confidence: float | None, doubted: bool) -> None:
    words = Markup(render_answer(answer(LEFT, confidence=confidence))).words
    assert ("Perhaps none of these answers the question" in words) is doubted


def test_a_written_answer_looks_different_from_quotes() -> None:
    written, quoted = (Markup(render_answer(answer(LEFT, mode=mode, model="m-1"))) for mode in ("written", "quotes"))
    assert "Written by m-1 from the articles." in written.words
    assert len(quoted.all("blockquote")) == 1
    assert written.all("blockquote") == []


def test_what_was_taken_back_is_said() -> None:
    shown = answer(LEFT, degraded="timeout")
    assert "What was shown before is taken back." in render_answer(shown, taken_back=True)
    assert "taken back" not in render_answer(shown)


def test_flags_and_notes_are_visible_with_readable_labels() -> None:
    claim = Claim("It left at one.", LEFT.quotes, ("not found in the quotes: one",))
    notes = (Note("conflict", "The hours differ.", (1, 2)), Note("undated", "A date is missing.", ()))
    words = Markup(render_answer(answer(claim, notes=notes, as_of="2024-05-02"))).words
    assert "Not found in the quotes: one" in words
    assert "Sources disagree (sources 1 and 2). The hours differ." in words
    assert "Date unknown. A date is missing." in words
    assert "Newest source quoted: 2 May 2024" in words


@pytest.mark.parametrize("verdict", ["answered", "no_evidence"])
def test_dates_left_out_can_be_included_in_the_last_answer_only(verdict: str) -> None:
    shown = answer(LEFT, verdict=verdict, notes=(Note("filtered", "Two were left out.", widens=True),))
    assert len(Markup(render_answer(shown, last=True)).all("button", data_do="widen")) == 1
    assert Markup(render_answer(shown)).all("button", data_do="widen") == []
    narrow = replace(shown, notes=(Note("filtered", "Only The Gull was searched."),))
    assert Markup(render_answer(narrow, last=True)).all("button", data_do="widen") == []


def test_no_evidence_shows_what_came_closest_as_no_answer() -> None:
    near = Closest("a", "Ferry on time", 24, 40, "Nobody was hurt.")
    page = Markup(render_answer(answer(verdict="no_evidence", text="The articles do not say.", closest=(near,))))
    assert page.words.startswith("The articles do not say.Closest, but not an answer")
    assert page.cites() == []
    (opens,) = page.all("button", data_article="a")
    assert (opens["data-marks"], opens["data-title"]) == ("24-40", "Ferry on time")


@pytest.mark.parametrize(("degraded", "told"), [("timeout", True), ("no_model", False), (None, False)])
def test_no_evidence_says_when_the_model_failed(degraded: str | None, told: bool) -> None:
    words = Markup(render_answer(answer(verdict="no_evidence", text="Nothing.", degraded=degraded))).words
    assert words.startswith("The language model took too long; the articles were searched without it.") is told


def test_the_standalone_question_is_shown_when_it_differs() -> None:
    assert "Searched as: When did it leave?" in Markup(render_answer(answer(asked_as="When did it leave?"))).words
    assert "Searched as" not in Markup(render_answer(answer(asked_as=" when? "))).words


# An exchange


def test_while_it_streams_an_exchange_says_what_it_does() -> None:
    searching = Markup(render_exchange(Exchange("When?")))
    assert "Searching the articles…" in searching.words
    assert searching.tags[0][1]["aria-busy"] == "true"
    claim = Claim(TEXT, (quote(TEXT),))
    assert "Answering…" in render_exchange(Exchange("When?", "streaming", (source(),), (claim,)))
    taken_back = Exchange("When?", "streaming", reset="unreachable")
    assert "The language model could not be reached. What was shown is taken back" in render_exchange(taken_back)


def test_what_was_shown_of_a_stopped_answer_stays_with_its_numbers() -> None:
    page = Markup(render_exchange(Exchange("When?", "stopped", (source(),), (LEFT,))))
    assert "not complete" in page.words
    assert [cite["data-spans"] for cite in page.cites()] == ["0-23"]
    assert "Stopped." in Markup(render_exchange(Exchange("When?", "stopped"))).words


def test_a_failed_exchange_shows_one_sentence_and_nothing_else() -> None:
    page = Markup(render_exchange(Exchange("When?", "failed", problem="The question is empty.")))
    assert page.words == "When?The question is empty."
    assert page.all("p", role="alert") != []


def test_an_answer_can_be_judged_and_shows_what_was_said_of_it() -> None:
    def pressed(exchange: Exchange) -> list[tuple[str, str]]:
        thumbs = Markup(render_exchange(exchange)).all("button", data_do="opinion", data_key="k1")
        return [(thumb["data-good"], thumb["aria-pressed"]) for thumb in thumbs]

    assert pressed(DONE) == [("yes", "false"), ("no", "false")]
    assert pressed(DONE.judged(True)) == [("yes", "true"), ("no", "false")]
    assert pressed(DONE.judged(False)) == [("yes", "false"), ("no", "true")]


def test_more_can_be_said_of_a_judged_answer_and_of_a_bad_one_what_was_expected() -> None:
    assert Markup(render_exchange(DONE)).all("form") == []
    good, bad = (Markup(render_exchange(DONE.judged(judged))) for judged in (True, False))
    assert good.all("form", data_do="opinion", data_key="k1", data_good="yes") != []
    assert bad.all("form", data_do="opinion", data_key="k1", data_good="no") != []
    assert good.all("input", name="expected") == []
    assert len(bad.all("input", name="expected")) == len(bad.all("textarea", name="comment")) == 1


def test_only_the_last_question_can_be_asked_again_or_edited() -> None:
    def offered(exchange: Exchange, *, last: bool) -> list[str]:
        buttons = Markup(render_exchange(exchange, last=last)).all("button", class_="quiet", data_key="k1")
        return [button["data-do"] for button in buttons]

    assert offered(DONE, last=True) == ["again", "edit"]
    assert offered(DONE, last=False) == []
    assert offered(Exchange("When?", "failed", problem="No.", key="k1"), last=True) == ["again", "edit"]
    assert offered(Exchange("When?", "streaming", key="k1"), last=True) == []


def test_what_failed_cannot_be_judged() -> None:
    for without in (Exchange("When?", "failed", problem="No."), Exchange("When?", "stopped"), Exchange("When?")):
        assert Markup(render_exchange(without, last=True)).all("button", data_do="opinion") == []


def test_somebody_elses_conversation_can_only_be_read() -> None:
    page = Markup(render_conversation([DONE, replace(DONE, key="k2")], own=False))
    assert [each["id"] for each in page.all("article")] == ["exchange-k1", "exchange-k2"]
    assert [attributes for _, attributes in page.tags if "data-do" in attributes] == []
    assert len(page.cites()) == 2


# Around the answers


def test_an_empty_library_says_how_to_fill_it() -> None:
    page = Markup(render_welcome(0))
    assert "rag ingest" in page.words
    assert page.all("button", data_view="library") != []
    assert page.all("button", data_do="ask") == []


def test_an_empty_conversation_says_what_there_is() -> None:
    assert "the 1,200 articles" in Markup(render_welcome(1200)).words
    assert "the one article in" in render_welcome(1)


def test_without_suggestions_there_is_no_label() -> None:
    assert render_suggestions((), "Ask next") == ""
    page = Markup(render_suggestions(("When?", "Who?"), "Ask next", after="k"))
    assert page.words == "Ask nextWhen?Who?"
    assert [each["data-question"] for each in page.all("button", data_do="ask")] == ["When?", "Who?"]
    assert page.all("div")[0]["data-after"] == "exchange-k"


# Safe


@pytest.mark.parametrize("words", HOSTILE)
def test_words_from_outside_are_inert_wherever_they_stand(words: str) -> None:
    titled = source(article_id=words, title=words, publisher=words, published=words, url=words, copies=(words,))
    claim = Claim(words, (Quote(1, words, 0, len(words), words),), (words,))
    full = answer(
        claim,
        question=words,
        asked_as=f"{words}!",
        mode="written",
        model=words,
        sources=(titled,),
        notes=(Note("conflict", words, (1,), widens=True),),
        as_of=words,
    )
    near = Closest(words, words, 0, len(words), words)
    none = answer(verdict="no_evidence", text=words, asked_as=f"{words}!", degraded=words, closest=(near,))
    done = Exchange(words, "done", answer=full, key=words, good=False, removed=frozenset({1}))
    for html in (
        render_exchange(done, last=True),
        render_conversation([done], own=False),
        render_answer(replace(full, mode="quotes", degraded=words)),
        render_exchange(Exchange(words, "streaming", (titled,), (claim,), reset=words)),
        render_exchange(Exchange(words, "failed", problem=words)),
        render_answer(none, last=True),
        render_suggestions((words,), words),
        render_notice(words),
    ):
        page = Markup(html)
        assert page.inert(), page.tags
        assert words in page.words


@pytest.mark.parametrize("words", HOSTILE)
def test_what_a_button_hands_on_is_what_was_said(words: str) -> None:
    claim = Claim("x", (Quote(1, words, 0, 9, words),))
    (cite,) = Markup(render_answer(answer(claim, sources=(source(article_id=words, title=words),)))).cites()
    assert (cite["data-article"], cite["data-title"], cite["data-said"]) == (words, words, words)
    (example,) = Markup(render_suggestions((words,), "Try")).all("button")
    assert example["data-question"] == words
