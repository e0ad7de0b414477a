"""Which period a question asks about, over a table of questions as people type them, under several clocks."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rag.answering.periods.period import Period
from rag.answering.periods.reading import read_period
from rag.answering.periods.telling import in_words
from rag.answering.search import asks_only_when

HERE = Path(__file__).parent
PHRASES = [json.loads(line) for line in (HERE / "phrases.jsonl").read_text(encoding="utf-8").splitlines()]
NO_PERIOD = (HERE / "no_period.txt").read_text(encoding="utf-8").splitlines()
WEDNESDAY = date(2024, 3, 20)


def window(period: Period) -> tuple[str | None, str | None]:
    since, until = period.since, period.until
    return since.isoformat() if since else None, until.isoformat() if until else None


@pytest.mark.parametrize("row", PHRASES, ids=lambda row: f"{row['today']} {row['question']}")
def test_a_question_is_read_as_the_period_it_asks_about(row: dict[str, Any]) -> None:
    period = read_period(row["question"], date.fromisoformat(row["today"]))
    assert window(period) == (row.get("since"), row.get("until"))
    assert period.demanded == ("since" in row)
    assert period.newest_first == row.get("newest", False)


def test_the_table_is_large_and_has_several_clocks() -> None:
    assert len(PHRASES) >= 200
    assert len({row["today"] for row in PHRASES}) >= 7
    assert len(NO_PERIOD) >= 40


@pytest.mark.parametrize("question", NO_PERIOD)
@pytest.mark.parametrize("today", [WEDNESDAY, date(2024, 1, 1)])
def test_what_only_looks_like_a_time_is_none(question: str, today: date) -> None:
    assert not read_period(question, today)


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("What did Iran say in January?", "What did Iran say?"),
        ("Last week, who met the envoy?", "who met the envoy?"),
        ("What did Iran say before the strike on 11 January?", "What did Iran say?"),
        ("What did Iran say after the strike on 11 January?", "What did Iran say after the strike?"),
        ("What is the latest on the talks?", "What is the on the talks?"),
        ("Who won the 2020 election?", "Who won the 2020 election?"),
    ],
)
def test_the_rest_of_a_question_is_without_its_time(question: str, rest: str) -> None:
    assert read_period(question, WEDNESDAY).rest == rest


@pytest.mark.parametrize(
    ("phrase", "reported_until"),
    [
        ("yesterday", "2024-03-21"),
        ("last week", "2024-03-20"),
        ("in January", "2024-02-04"),
        ("in 2023", "2024-01-07"),
        ("before 2023", "2022-12-31"),
    ],
)
def test_what_happened_late_in_a_period_is_reported_soon_after_it(phrase: str, reported_until: str) -> None:
    period = read_period(f"What did the envoy say {phrase}?", WEDNESDAY)
    assert period.reported_until == date.fromisoformat(reported_until)


def test_a_phrase_stands_as_it_was_typed() -> None:
    assert read_period("what did iran say in  JAN 2023??", WEDNESDAY).phrase == "in JAN 2023"


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        ("2024-03-11", "2024-03-17", "11 to 17 March 2024"),
        ("2024-01-28", "2024-02-03", "28 January to 3 February 2024"),
        ("2023-12-28", "2024-01-03", "28 December 2023 to 3 January 2024"),
        ("2024-01-15", "2024-01-15", "15 January 2024"),
        ("2024-02-01", "2024-02-29", "February 2024"),
        ("2024-01-01", "2024-02-29", "January to February 2024"),
        ("2023-12-01", "2024-02-29", "December 2023 to February 2024"),
        ("2023-01-01", "2023-12-31", "2023"),
        ("1990-01-01", "1999-12-31", "1990 to 1999"),
        ("2024-03-01", None, "from 1 March 2024 on"),
        (None, "2024-01-10", "up to 10 January 2024"),
    ],
)
def test_a_period_in_words(since: str | None, until: str | None, words: str) -> None:
    assert in_words(since and date.fromisoformat(since), until and date.fromisoformat(until)) == words  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "question",
    [
        "",
        " ",
        "?",
        "İn İstanbul in January",
        "ẞ" * 50,
        "in " * 1000,
        "1/" * 1500,
        "march may " * 300,
        "99/99/2024",
        "0 May",
        "What happened before 0001-01-01?",
        "0000-00-00",
        "after 9999-12-31",
        "9999-12-31 until summer",
        "since 10000-01-01",
        "before the past 999 decades",
        "around 1800 or around 2099",
        "after the 21st century",
        "winter 2099 until spring",
        "may " * 1000,
        "in 2024 " * 500,
        "q1 " * 1300,
        "today " * 660,
        "now " * 1000,
    ],
)
@pytest.mark.parametrize("today", [date(1, 1, 1), date(1800, 1, 1), WEDNESDAY, date(2099, 12, 31), date(9999, 12, 31)])
def test_nothing_that_can_be_typed_fails_or_takes_long(question: str, today: date) -> None:
    started = time.thread_time()
    read_period(question, today)
    assert time.thread_time() - started < 0.2


@pytest.mark.parametrize("question", ["before 0001-01-01", "since 9999-12-31", "on 1799-12-31", "on 2100-01-01"])
def test_years_that_no_archive_has_are_not_read(question: str) -> None:
    assert not read_period(f"What happened {question}?", WEDNESDAY)


@pytest.mark.parametrize(
    ("rest", "only"),
    [
        ("What happened?", True),
        ("What's the news?", True),
        ("What is new?", True),
        ("Tell me the main events", True),
        ("", True),
        ("What happened in Karsh?", False),
        ("What happened to him?", False),
        ("Who was it?", False),
        ("What's new in the US?", False),
    ],
)
def test_whether_a_question_asks_for_nothing_but_a_time(rest: str, only: bool) -> None:
    assert asks_only_when(rest) == only


def test_reading_takes_less_than_a_millisecond() -> None:
    questions = [row["question"] for row in PHRASES]
    best = min(_seconds_for(questions) for _ in range(3))
    assert best / len(questions) < 0.001


def _seconds_for(questions: list[str]) -> float:
    started = time.thread_time()
    for question in questions:
        read_period(question, WEDNESDAY)
    return time.thread_time() - started
