"""Which day or month an article means: the last one where its clause is past, the next where it looks ahead."""

from __future__ import annotations

import time
from datetime import date

import pytest

from rag.answering.checking.days import Day, days, days_meant
from rag.answering.periods.sides import sides

PAST = [
    "Thirty-eight soldiers came home on Saturday in an exchange arranged by mediators, officials said.",
    "We sold eleven tonnes in May.",
    "We sold eleven tonnes in April and May.",
    "We sold eleven tonnes in May and June.",
    "The trial of last Monday.",
    "She apologised to his family on Saturday.",
    "The authority said on Friday.",
    "The authority said late on Friday.",
    "On Monday the council voted against the plan.",
    "On Monday, the council voted against the plan.",
    "On Monday the minister said that the yard will close.",
    "He wrote to Mr Lind on Tuesday.",
    "The owner was arrested at the airport on Friday morning.",
    "The storm killed nine people on Sunday, police said.",
    "They consulted us in August, when nobody was here.",
    "He has been in custody since Monday.",
    "The gale has died down since May.",
    "A ship, which in November was sold, sank.",
    "The minister told reporters late on Thursday that talks will go on.",
    "The ferry sank on Friday and will be raised.",
    "Last Monday it rained.",
    "He was shot, in Karsh, on Monday.",
    "It has risen for weeks, and in January it reached 90.",
]
AHEAD = [
    "Talks resume on Thursday at 10 a.m. and the county has not improved its offer.",
    "The council votes on Monday.",
    "The talks will resume on Monday.",
    "The minister said the talks would resume on Monday.",
    "A hearing is to be held on Monday.",
    "The two are due to meet in June.",
    "The results are due on Friday.",
    "He plans to leave in May.",
    "The strike is scheduled for Monday.",
    "The trial opens next Monday.",
    "The trial of next Monday.",
    "Three libraries will close in June.",
    "On Monday, the court will decide.",
    "The inquiry expects to report by the end of May.",
    "The minister said on Sunday that the yard will close on Friday.",
    "He resigned, and elections will be held in October.",
    "The ministers are meeting on Tuesday.",
    "A vote expected on Monday could change that.",
]
UNTOLD = [
    "If wage growth falls, we would be surprised if they did not cut at the July meeting.",
    "The Saturday market.",
    "He announced elections in June.",
    "They agreed to meet on Monday.",
    "The trial was scheduled to open on Monday.",
    "The talks were postponed until May.",
    "The library stays open, but no longer on Mondays.",
    "Minister resigns on Monday",
    "He might come on Monday.",
    "Nine dead in blaze on Monday, police said.",
    "He said talks on Friday would not help.",
    "The man arrested on Friday will appear in court.",
    "The court is held every Monday.",
    "The market is held on Monday.",
    "The library was shut from Monday.",
]


def last_named(text: str) -> Day:
    return days(text)[-1]


@pytest.mark.parametrize("text", PAST)
def test_a_past_clause_tells_of_the_last_one(text: str) -> None:
    assert sides(text)(last_named(text)) == "before"


@pytest.mark.parametrize("text", AHEAD)
def test_a_clause_that_looks_ahead_tells_of_the_next_one(text: str) -> None:
    assert sides(text)(last_named(text)) == "after"


@pytest.mark.parametrize("text", UNTOLD)
def test_where_the_clause_does_not_tell_both_are_kept(text: str) -> None:
    assert sides(text)(last_named(text)) == "either"


def test_each_time_of_a_sentence_goes_with_its_own_verb() -> None:
    text = "He resigned on Monday. The minister said on Sunday that the yard will close on Friday."
    side = sides(text)
    assert [side(day) for day in days(text)] == ["before", "before", "after"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("They came home on Saturday.", ["2025-03-08"]),
        ("They will come home on Saturday.", ["2025-03-08", "2025-03-15"]),  # it may be the day of publication
        ("They came home on Friday.", ["2025-03-07"]),
        ("They will come home on Friday.", ["2025-03-14"]),
        ("The Friday market.", ["2025-03-07", "2025-03-14"]),
    ],
)
def test_a_weekday_is_the_one_that_its_clause_tells(text: str, meant: list[str]) -> None:
    found = days_meant(text, date(2025, 3, 8), sides(text))
    assert [f"{day.year}-{day.month:02}-{day.day:02}" for day in found if day.year and day.month and day.day] == meant


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("We sold eleven tonnes in May.", {2024}),
        ("We shall sell eleven tonnes in May.", {2025}),
        ("The congress of May.", {2024, 2025}),
        ("We sold eleven tonnes in January.", {2025}),
        ("We shall sell eleven tonnes in January.", {2026}),
        ("The congress in January.", {2025}),
        ("We sold eleven tonnes in February.", {2025}),
        ("We shall sell eleven tonnes in February.", {2025}),
    ],
)
def test_a_month_is_the_one_that_its_clause_tells(text: str, years: set[int]) -> None:
    assert {day.year for day in days_meant(text, date(2025, 2, 24), sides(text)) if day.year} == years


def test_a_claim_may_still_name_either() -> None:
    meant = days_meant("They came home on Saturday and ate in May.", date(2025, 3, 8))
    assert Day(2025, 3, 8, 5) in meant
    assert Day(2025, 3, 15, 5) in meant
    assert Day(2025, 5) in meant


def test_text_whose_small_letters_are_longer_is_left_open() -> None:
    text = "İ came home on Saturday."
    assert sides(text)(last_named(text)) == "either"


@pytest.mark.parametrize("piece", ["on Monday resigned ", "is not on Monday ", "Monday in May, ", "a-", "to be held "])
def test_no_text_takes_long(piece: str) -> None:
    text = piece * (4000 // len(piece)) + " on Monday"
    started = time.process_time()
    days_meant(text, date(2025, 3, 8), sides(text))
    assert time.process_time() - started < 0.5
