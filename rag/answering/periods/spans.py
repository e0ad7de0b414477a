"""Calendar arithmetic: weeks, months, quarters, seasons and parts of them as spans of days."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

__all__ = [
    "EARLIEST",
    "LATEST",
    "DateSpan",
    "InYear",
    "century",
    "decade",
    "half",
    "in_calendar",
    "latest_begun",
    "latest_ended",
    "month",
    "months_back",
    "nearest",
    "part",
    "quarter",
    "season",
    "week",
    "weekday_up_to",
    "weekend",
    "year",
]

# Years that are read. Far from the ends of the calendar of `datetime`, so that a day or a year can be added.
EARLIEST, LATEST = 1800, 2099

_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}


@dataclass(frozen=True, slots=True)
class DateSpan:
    """Days from the first to the last, inclusive."""

    first: date
    last: date

    @property
    def middle(self) -> date:
        return self.first + (self.last - self.first) / 2


# A span that comes every year, such as May or 29 February; None in a year that does not have it.
InYear = Callable[[int], DateSpan | None]


def in_calendar(span: DateSpan) -> bool:
    """Whether the years of a span are read; the last century and the last winter end a year later."""
    return span.first.year >= EARLIEST and span.last.year <= LATEST + 1


def month(year: int, number: int) -> DateSpan:
    return DateSpan(date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1]))


def year(number: int) -> DateSpan:
    return DateSpan(date(number, 1, 1), date(number, 12, 31))


def decade(first: int) -> DateSpan:
    return DateSpan(date(first, 1, 1), date(first + 9, 12, 31))


def century(number: int) -> DateSpan:
    return DateSpan(date(100 * number - 99, 1, 1), date(100 * number, 12, 31))


def quarter(year: int, number: int) -> DateSpan:
    return DateSpan(date(year, 3 * number - 2, 1), month(year, 3 * number).last)


def half(span: DateSpan, number: int) -> DateSpan:
    """The first or second half of a month or a year."""
    if span.first.month != span.last.month:
        return (
            DateSpan(span.first, month(span.first.year, 6).last)
            if number == 1
            else DateSpan(span.first.replace(month=7), span.last)
        )
    return (
        DateSpan(span.first, span.first.replace(day=15))
        if number == 1
        else DateSpan(span.first.replace(day=16), span.last)
    )


def season(year: int, name: str) -> DateSpan:
    """Of the northern half of the world, in whole months; a winter belongs to the year it begins in."""
    first = _SEASONS[name]
    return DateSpan(date(year, first, 1), month(year + (first == 12), (first + 1) % 12 + 1).last)


def week(day: date) -> DateSpan:
    """From Monday to Sunday."""
    monday = day - timedelta(days=day.weekday())
    return DateSpan(monday, monday + timedelta(days=6))


def weekend(today: date, weeks_back: int = 0) -> DateSpan:
    """The last weekend that has begun."""
    saturday = today - timedelta(days=(today.weekday() - 5) % 7 + 7 * weeks_back)
    return DateSpan(saturday, saturday + timedelta(days=1))


def weekday_up_to(day: date, weekday: int) -> date:
    """The last such weekday (Monday is 0) up to a day."""
    return day - timedelta(days=(day.weekday() - weekday) % 7)


def months_back(day: date, count: int) -> date:
    """The same day some months earlier, or the last one of that month."""
    months = 12 * day.year + day.month - 1 - count
    if months < 12:
        return date(1, 1, 1)
    last = month(months // 12, months % 12 + 1).last
    return last.replace(day=min(day.day, last.day))


def part(span: DateSpan, name: str) -> DateSpan:
    """The early, mid or late part: of a month thirds of ten days, of a year four months, of a decade three
    to four years."""
    first, last = span.first, span.last
    if last.year - first.year >= 9:
        years = {"early": (0, 3), "mid": (4, 6), "late": (7, 9)}[name]
        return DateSpan(date(first.year + years[0], 1, 1), date(first.year + years[1], 12, 31))
    if last.month - first.month == 11:
        months = {"early": (1, 4), "mid": (5, 8), "late": (9, 12)}[name]
        return DateSpan(date(first.year, months[0], 1), month(first.year, months[1]).last)
    if last.day - first.day >= 27 and first.month == last.month:
        low, high = {"early": (1, 10), "mid": (11, 20), "late": (21, last.day)}[name]
        return DateSpan(first.replace(day=low), first.replace(day=high))
    third = (last - first) // 3
    cuts = {"early": (first, first + third), "mid": (first + third, last - third), "late": (last - third, last)}
    return DateSpan(*cuts[name])


def latest_begun(in_year: InYear, today: date, whole: InYear | None = None) -> DateSpan | None:
    """The last occurrence that has begun, or whose `whole` has: March, of the end of March."""
    begun = whole or in_year
    found = ((in_year(number), begun(number)) for number in _years_back(today))
    return next((span for span, begins in found if span and begins and begins.first <= today), None)


def latest_ended(in_year: InYear, today: date) -> DateSpan | None:
    """The last occurrence that is over: "last summer"."""
    found = (in_year(number) for number in _years_back(today))
    return next((span for span in found if span and span.last < today), None)


def nearest(in_year: InYear, today: date) -> DateSpan | None:
    """The occurrence nearest to today: "this summer"."""
    spans = [span for number in (-1, 0, 1) if (span := in_year(today.year + number))]
    return min(spans, key=lambda span: abs(span.middle - today), default=None)


def _years_back(today: date) -> range:
    # Nine years back hold a 29 February whatever the century.
    return range(today.year, today.year - 9, -1)
