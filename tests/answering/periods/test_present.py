"""Whether "today" in a question fixes the day or only wishes for the newest: its own clause decides."""

from __future__ import annotations

import time
from datetime import date

import pytest

from rag.answering.periods.present import means_present
from rag.answering.periods.reading import read_period

CLOCK = date(2025, 3, 20)

OF_THE_DAY = [
    "who resigned today",
    "Who resigned today?",
    "What did the minister say today?",
    "Did Tove Halden resign today?",
    "Was the budget approved today?",
    "How many people were killed today?",
    "Which soldiers came home today?",
    "Has the minister resigned today?",
    "How many people have died today in Karsh?",
    "What happened in Tolmer today?",
    "What is happening in Tolmer today?",
    "What's the news today?",
    "What’s new in Tolmer today?",
    "any headlines today",
    "Today, who was arrested?",
    "Who, today, was named chair?",
    "Is it true that he resigned today?",
    "What did the mayor, who is ill, say today?",
    "Who are the ministers who resigned today?",
    "Who works at the yard, and who was dismissed there today?",
    "How many people live in Karsh, and what happened there today?",
    "How many soldiers came home today and where do they live?",
    "Which union called a strike today?",
    "WHO WON TODAY",
    "What did the leader who is ill sign today?",
    "Is Karsh where the mayor has resigned today?",
]
OF_THE_PRESENT = [
    "How many jobs were promised in Tolmer, and how many people work there today?",
    "How many jobs were promised in Tolmer and how many people work there today?",
    "How many jobs were promised in Tolmer, and how many people work there now?",
    "How many jobs were promised in Tolmer, and how many people work there nowadays?",
    "What were they paid, and what are they paid these days?",
    "How many people work in Tolmer today?",
    "The yard was closed; what stands there today?",
    "What did the ticket cost, and what does it cost today?",
    "Who founded the school and who runs it today?",
    "How many people live in New York today?",
    "How many foundries were there, and how many are left today?",
    "Who was the first governor and who is the governor today?",
    "Which ships that were built here still sail today?",
    "How many people who lost their homes live there today?",
    "Is the bridge that was opened by the king used today?",
    "How many people are employed in the yard today?",
    "Today, how many people work there?",
    "When was the ferry built, and what is it called today?",
    "Who said the bell was cast, and where does it hang today?",
    "How many members has the union today?",
    "The company promised 500 jobs. How many are there today?",
    "How much does salvage cost today?",
    "Which library was closed and which are open today?",
    "How many wounded soldiers guard it today?",
    "Any updates today on the strike?",
    "As of today, how many members are there?",
    "What was it worth, and what is left of it as of today?",
]


@pytest.mark.parametrize("question", OF_THE_DAY)
def test_today_fixes_the_day_where_its_clause_tells_of_an_event(question: str) -> None:
    period = read_period(question, CLOCK)
    assert period.demanded
    assert (period.since, period.until) == (CLOCK, CLOCK)


@pytest.mark.parametrize("question", OF_THE_PRESENT)
def test_today_only_wishes_for_the_newest_where_its_clause_tells_of_the_present(question: str) -> None:
    period = read_period(question, CLOCK)
    assert not period.demanded
    assert period.newest_first


def test_a_question_about_the_present_is_searched_without_the_word() -> None:
    question = "How many jobs were promised in Tolmer, and how many people work there today?"
    assert read_period(question, CLOCK).rest == question.replace(" today", "")


def test_of_two_todays_each_has_its_own_clause() -> None:
    period = read_period("What happened today, and how many people work there today?", CLOCK)
    assert period.demanded
    assert period.newest_first


@pytest.mark.parametrize("piece", ["today resigned ", "today who resigned, ", "is not now only today ", "today İ"])
def test_no_question_takes_long(piece: str) -> None:
    question = piece * (4000 // len(piece))
    started = time.process_time()
    read_period(question, CLOCK)
    assert time.process_time() - started < 0.5


def test_a_letter_whose_small_form_is_longer_shifts_nothing() -> None:
    question = "İİİİ Who resigned today?"
    assert not means_present(question, question.index("today"))
