"""Questions with words for a time, asked of a real library under a clock that is set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from rag.engine import Engine, ask
from rag.records import Answer, Document, Filters, Message, Question
from rag.settings import Settings
from rag.wiring import connect
from rag.wording import UNSURE
from tests.conftest import new_home
from tests.fakes.openai_server import FakeOpenAI

DRAFTS = [
    Document(
        "Harbour minister Ines Valdor said the ferry fare would rise to four crowns. She spoke in Port Ellery. "
        "The fare had been three crowns for a decade.",
        "Ferry fare to rise",
        id="january",
        published="2024-01-17",
    ),
    Document(
        "Harbour minister Ines Valdor said the ferry fare would rise to six crowns after all. She spoke in Port "
        "Ellery again. Passengers protested at the quay.",
        "Ferry fare to rise further",
        id="march",
        published="2024-03-13",
    ),
    Document(
        "Harbour minister Ines Valdor said the ferry fare would stay at three crowns. She spoke in Port Ellery.",
        "Ferry fare to stay",
        id="older",
        published="2021-05-04",
    ),
    Document(
        "Looking back at the storm of 1973: the gale tore the lighthouse of Skerrow from its rock. "
        "Four keepers were rescued by a trawler.",
        "The night the lighthouse fell",
        id="storm",
        published="2024-02-20",
    ),
    Document(
        "A chronicle of the lighthouse of Skerrow. In 1951 the gale broke two windows of the lighthouse.",
        "Chronicle of a lighthouse",
        id="undated-1951",
    ),
    Document(
        "The lighthouse of Skerrow is painted white and red. The gale of last winter left it whole.",
        "Colours of a lighthouse",
        id="undated",
    ),
    Document(
        "The strike on 11 January hit a depot near Karsh. Governor Otto Lind called it a disgrace.",
        "Strike hits depot",
        id="strike",
        published="2024-01-12",
    ),
    Document(
        "Governor Otto Lind promised that Karsh was safe. He called for calm.",
        "Governor promises safety",
        id="before-strike",
        published="2024-01-09",
    ),
    Document(
        "The bakers of Tolmer baked a loaf nine metres long. It was eaten within an hour.",
        "Long loaf",
        id="loaf",
        published="2023-06-13",
        publisher="Tolmer Post",
    ),
    Document(
        "A swan held up the trams of Tolmer for an hour. Nobody was hurt.",
        "Swan holds up trams",
        id="swan",
        published="2023-06-16",
        publisher="Tolmer Post",
    ),
    Document(
        "The mayor of Tolmer opened a footbridge on Friday. It cost two million crowns.",
        "Footbridge opened",
        id="footbridge",
        published="2023-06-20",
        publisher="Tolmer Post",
    ),
    Document(
        "The trams of Tolmer will be blue from next year on, the mayor said.",
        "Blue trams",
        id="ahead",
        published="2025-02-01",
        publisher="Tolmer Post",
    ),
    Document("The trams of Tolmer have forty seats each.", "Seats", id="undated-post", publisher="Tolmer Post"),
    Document(
        "Thirty-eight fishermen came home on Saturday in an exchange arranged by mediators, officials said.",
        "Fishermen exchanged",
        id="exchange",
        published="2018-03-10",
    ),
    Document(
        "“We sold eleven tonnes of honey in May,” said Ivo Darr. “Nobody believed it.”",
        "A talk with a beekeeper",
        id="honey",
        published="2018-02-24",
    ),
    Document(
        "The brewery of Vessin promised 500 jobs when it opened. Today 140 people work in the brewery.",
        "A brewery and its jobs",
        id="brewery",
        published="2018-03-01",
    ),
]


class Asking:
    """The same library under different clocks; it is opened anew where the clock changes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._now = ""
        self._engine: Engine | None = None

    def __call__(self, text: str, now: str = "2024-03-20", **question: Any) -> Answer:
        if self._engine is None or now != self._now:
            self.close()
            self._engine, self._now = connect(Settings(rag_home=self.home, rag_now=now)), now
        return ask(self._engine, Question(text, **question))

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> Iterator[Asking]:
    home = new_home(tmp_path_factory.mktemp("dated") / "home", model_cache)
    engine = connect(Settings(rag_home=home))
    engine.store(DRAFTS)
    engine.close()
    asking = Asking(home)
    yield asking
    asking.close()


def quoted(answer: Answer) -> list[str]:
    return [source.article_id for source in answer.sources]


def notes(answer: Answer, kind: str) -> list[str]:
    return [note.text for note in answer.notes if note.kind == kind]


FARE = "What did Ines Valdor say about the ferry fare"


@pytest.mark.parametrize(
    ("when", "article"),
    [
        ("in January", "january"),
        ("in jan 2024", "january"),
        ("last week", "march"),
        ("since March", "march"),
        ("in 2021", "older"),
        ("before 2022", "older"),
        ("between January and February 2024", "january"),
    ],
)
def test_the_time_of_a_question_chooses_the_articles(asking: Asking, when: str, article: str) -> None:
    answer = asking(f"{FARE} {when}?")
    assert quoted(answer) == [article]
    assert notes(answer, "filtered")


def test_the_note_says_how_the_words_were_read_and_what_was_left_out(asking: Asking) -> None:
    (note,) = notes(asking(f"{FARE} last week?"), "filtered")
    assert note.startswith("Read “last week” as 11 to 17 March 2024; ")
    assert "left out" in note
    assert "over all dates" in note


def test_nothing_is_said_to_be_left_out_where_nothing_was(asking: Asking) -> None:
    assert notes(asking(f"{FARE} since 2020?"), "filtered") == ["Read “since 2020” as from 1 January 2020 on."]


def test_over_all_dates_no_words_filter(asking: Asking) -> None:
    answer = asking(f"{FARE} last week?", all_dates=True)
    assert set(quoted(answer)) >= {"january", "march"}
    assert not notes(answer, "filtered")


def test_an_article_of_another_year_that_tells_of_the_one_asked_for_counts(asking: Asking) -> None:
    answer = asking("What happened to the lighthouse of Skerrow in 1973?")
    assert quoted(answer)[0] == "storm"


def test_an_undated_article_that_names_the_year_counts(asking: Asking) -> None:
    answer = asking("What did the gale break at the lighthouse of Skerrow in 1951?")
    assert quoted(answer) == ["undated-1951"]
    assert any(text.startswith("2 articles without a date were left out") for text in notes(answer, "undated"))


def test_other_undated_articles_are_counted_not_silently_dropped(asking: Asking) -> None:
    answer = asking("How is the lighthouse of Skerrow painted in March 2024?")
    assert answer.verdict == "no_evidence"
    assert any(text.startswith("3 articles without a date were left out") for text in notes(answer, "undated"))
    assert quoted(asking("How is the lighthouse of Skerrow painted?")) == ["undated"]


def test_where_nothing_dated_answers_for_last_week_undated_articles_do_and_it_is_said(asking: Asking) -> None:
    answer = asking("How was the lighthouse of Skerrow painted last week?")
    assert quoted(answer)[0] == "undated"
    assert "those quoted have no date" in notes(answer, "filtered")[0]


def test_before_an_event_on_a_day(asking: Asking) -> None:
    answer = asking("What did Otto Lind promise before the strike on 11 January?")
    assert quoted(answer) == ["before-strike"]
    assert "up to 10 January 2024" in notes(answer, "filtered")[0]


def test_a_window_that_holds_no_answer_is_declined_with_what_is_nearest(asking: Asking) -> None:
    answer = asking(f"{FARE} in 2022?")
    assert answer.verdict == "no_evidence"
    assert notes(answer, "filtered")[0].startswith("Read “in 2022” as 2022")
    assert {passage.article_id for passage in answer.closest} & {"january", "march", "older"}


def test_the_same_words_move_with_the_clock(asking: Asking) -> None:
    assert quoted(asking(f"{FARE} last week?", now="2024-01-24")) == ["january"]
    assert quoted(asking(f"{FARE} yesterday?", now="2024-01-18")) == ["january"]


def test_what_happened_yesterday_may_be_reported_today(asking: Asking) -> None:
    assert quoted(asking("What did Otto Lind call the strike yesterday?", now="2024-01-12")) == ["strike"]


def test_explicit_dates_narrow_the_words_further(asking: Asking) -> None:
    answer = asking(f"{FARE} in 2024?", filters=Filters(until=date(2024, 2, 1)))
    assert quoted(answer) == ["january"]


def test_explicit_dates_win_where_the_words_contradict_them(asking: Asking) -> None:
    answer = asking(f"{FARE} last week?", filters=Filters(until=date(2024, 2, 1)))
    assert set(quoted(answer)) <= {"january", "older"}
    assert answer.verdict == "answered"
    assert any("those were kept" in text for text in notes(answer, "filtered"))


@pytest.mark.parametrize("ask_for", ["What is the latest on the ferry fare of Ines Valdor?", f"{FARE} recently?"])
def test_the_latest_puts_the_newest_first_and_leaves_nothing_out(asking: Asking, ask_for: str) -> None:
    answer = asking(ask_for)
    assert quoted(answer)[0] == "march"
    assert not notes(answer, "filtered")
    assert not notes(answer, "stale")


def test_the_latest_that_is_old_is_said_to_be(asking: Asking) -> None:
    answer = asking(f"{FARE} recently?", now="2024-09-01")
    assert notes(answer, "stale") == ["The newest article that answers is from 13 March 2024."]


def test_a_day_on_which_something_was_is_not_also_that_of_the_next_week(asking: Asking) -> None:
    question = "How many fishermen came home last week?"
    assert quoted(asking(question, now="2018-03-14")) == ["exchange"]
    answer = asking(question, now="2018-03-22")
    assert answer.verdict == "no_evidence"
    assert notes(answer, "filtered")[0].startswith("Read “last week” as 12 to 18 March 2018")


def test_a_month_in_which_something_was_is_the_last_one(asking: Asking) -> None:
    question = "How much honey was sold in May {}?"
    assert quoted(asking(question.format(2017), now="2018-06-20")) == ["honey"]
    assert asking(question.format(2018), now="2018-06-20").verdict == "no_evidence"


def test_how_it_is_today_asks_for_no_article_of_today(asking: Asking) -> None:
    question = "How many jobs were promised in Vessin, and how many people work in the brewery today?"
    answer = asking(question, now="2018-03-14")
    assert quoted(answer) == ["brewery"]
    assert "140" in answer.text
    assert not notes(answer, "filtered")


def test_a_question_without_a_time_has_no_such_notes(asking: Asking) -> None:
    answer = asking(f"{FARE}?")
    assert {"january", "march", "older"} & set(quoted(answer))
    assert not answer.notes


@pytest.mark.parametrize("question", ["What happened last week?", "What was the news last week?", "Last week?"])
def test_a_question_for_nothing_but_a_time_gets_the_newest_of_it_first(asking: Asking, question: str) -> None:
    answer = asking(question, now="2023-06-21")
    assert quoted(answer) == ["swan", "loaf"]
    assert answer.claims[0].text == "A swan held up the trams of Tolmer for an hour."
    assert answer.confidence is None  # nothing was asked that one sentence could answer better than another
    assert UNSURE not in answer.text


def test_what_happened_on_a_day_is_what_names_the_day(asking: Asking) -> None:
    assert quoted(asking("What happened on 11 January?"))[0] == "strike"


@pytest.mark.parametrize("question", ["What happened today?", "What's the news this month?"])
def test_where_the_time_holds_nothing_no_undated_article_stands_in(asking: Asking, question: str) -> None:
    answer = asking(question, now="2022-09-14")
    assert answer.verdict == "no_evidence"
    assert notes(answer, "filtered")[0].startswith("Read “")
    assert not answer.closest


def test_the_day_after_counts_only_where_the_day_has_nothing_and_the_future_never(asking: Asking) -> None:
    assert quoted(asking("What happened on 15 June 2023?", now="2023-06-21")) == ["swan"]
    assert quoted(asking("What happened yesterday?", now="2023-06-14")) == ["loaf"]
    assert asking("What happened yesterday?", now="2023-06-15").verdict == "no_evidence"


def test_what_names_the_time_is_offered_where_nothing_answers(asking: Asking) -> None:
    assert [passage.article_id for passage in asking("News of 1973?").closest] == ["storm"]


BRIDGE = "What did the mayor of Tolmer open"


def test_it_is_said_where_what_was_published_after_the_period_counts(asking: Asking) -> None:
    answer = asking(f"{BRIDGE} last week?", now="2023-06-21")
    assert quoted(answer)[0] == "footbridge"
    read = "Read “last week” as 12 to 18 June 2023 (articles up to 3 days later count)"
    assert notes(answer, "filtered")[0].startswith(read)
    (inside,) = notes(asking(f"{BRIDGE} this week?", now="2023-06-21"), "filtered")
    assert "later count" not in inside


def test_only_undated_articles_of_the_publishers_asked_for_are_counted(asking: Asking) -> None:
    filters = Filters(publishers=("tolmer post ",))
    for answer in (
        asking(f"{BRIDGE} in June 2023?", filters=filters),
        asking(f"{BRIDGE}?", filters=replace(filters, since=date(2023, 1, 1))),
    ):
        assert [text.split(" left")[0] for text in notes(answer, "undated")] == ["1 article without a date was"]


def test_undated_articles_are_not_also_counted_as_of_another_date(asking: Asking) -> None:
    answer = asking("How is the lighthouse of Skerrow painted in March 2022?")
    left = [text for text in notes(answer, "filtered") if "left out" in text]
    assert not left or left[0].startswith("Read “in March 2022” as March 2022; 1 ")
    assert notes(answer, "undated")


def test_the_advice_is_given_once(asking: Asking) -> None:
    for question, filters in [
        (f"{FARE} last week?", Filters()),
        (f"{FARE} last week?", Filters(since=date(2020, 1, 1))),
        (f"{FARE} since 2020?", Filters()),
    ]:
        answer = asking(question, filters=filters)
        assert sum(note.widens for note in answer.notes) == 1


def test_an_article_from_the_future_does_not_make_the_others_new(asking: Asking) -> None:
    answer = asking("What is the latest on the trams of Tolmer?", now="2024-03-20")
    assert {"ahead", "swan"} <= set(quoted(answer))
    assert notes(answer, "stale") == ["The newest article that answers is from 16 June 2023."]


def test_a_follow_up_keeps_its_time(asking: Asking) -> None:
    history = (
        Message("user", "What did Ines Valdor say about the ferry fare?"),
        Message("assistant", "The fare would rise to six crowns."),
    )
    answer = asking("And what did she say about the ferry fare in January?", history=history)
    assert quoted(answer) == ["january"]


def test_a_written_answer_is_written_from_the_same_articles_and_has_the_same_notes(asking: Asking) -> None:
    asking.close()
    with FakeOpenAI() as server:
        server.quotes_sentences_with("fare")
        settings = Settings(
            rag_home=asking.home,
            rag_now="2024-03-20",
            rag_deadline_s=120,
            openai_base_url=server.base_url,
            openai_api_key=SecretStr("x"),
        )
        engine = connect(settings)
        answer = ask(engine, Question(f"{FARE} in January?"))
        engine.close()
    assert answer.mode == "written"
    assert quoted(answer) == ["january"]
    assert notes(answer, "filtered")[0].startswith("Read “in January” as January 2024")
