"""A time that a question names, as a record."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from rag.answering.periods import spans
from rag.answering.periods.spans import DateSpan, InYear

__all__ = ["EDGE", "FREE", "PLACED", "YEAR_LIKE", "Kind", "Mark", "Reading", "made", "readings", "yearly"]

Place = Literal["free", "edge", "placed", "year"]
# Where a mark may stand to count: anywhere; behind a preposition or at the edge of a clause ("talks 11
# January"); behind a preposition only ("in May", not "Theresa May"); as an edge, but not before a noun.
FREE: Place = "free"
EDGE: Place = "edge"
PLACED: Place = "placed"
YEAR_LIKE: Place = "year"

Kind = Literal["day", "week", "month", "year"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A time named at `start:end` of a question; `in_year` tells it in other years where none was named."""

    start: int
    end: int
    span: DateSpan
    kind: Kind
    place: Place
    in_year: InYear | None = None
    relative: bool = False
    ends: bool = False  # "the end of March": until it means until the last day
    ambiguous: bool = False  # a word that is also a name or a verb: May, March, a weekday


# A pattern, and what a match of it means on a day; None if it is no time after all.
Reading = tuple[re.Pattern[str], Callable[[re.Match[str], date], Mark | None]]


def readings(*pairs: tuple[str, Callable[[re.Match[str], date], Mark | None]]) -> Sequence[Reading]:
    return [(re.compile(pattern), resolve) for pattern, resolve in pairs]


def made(match: re.Match[str], span: DateSpan | None, kind: Kind, place: Place) -> Mark | None:
    return Mark(match.start(), match.end(), span, kind, place) if span else None


def yearly(
    match: re.Match[str], today: date, in_year: InYear, kind: Kind, place: Place, whole: InYear | None = None
) -> Mark | None:
    """Of the year that is named, else the last one that has begun; of the end of a month (`whole`), the last
    in which the month has."""
    stage, part = match.groupdict().get("stage"), match.groupdict().get("part")
    ends = stage == "end"
    start, end = match.span()
    if match["year"]:
        span = in_year(int(match["year"]))
        return Mark(start, end, span, kind, EDGE if kind != "year" else place, ends=ends) if span else None
    span = spans.latest_begun(in_year, today, whole if ends or part == "late" else None)
    return Mark(start, end, span, kind, place, in_year, ends=ends) if span else None
