"""Which passages are from a period or tell of it.

The day of publication is evidence of when something happened, not the same thing: yesterday's events are
reported today, and an article of this year can tell of 1973.
"""

from __future__ import annotations

import re
from datetime import date

from rag.answering.checking.days import Day, days, days_meant
from rag.answering.periods import spans
from rag.answering.periods.period import Period
from rag.answering.periods.sides import sides
from rag.answering.periods.spans import DateSpan
from rag.records import Filters, Hit

__all__ = ["named_in_words", "published_filters", "published_within", "tells_of"]

# Code points beside a passage in which a year that it is about may stand.
_BESIDE = 1_000
_DECADE = re.compile(r"\b(?P<century>1[89]|20)(?P<tens>\d0)['’]?s\b")
_CENTURY = re.compile(r"\b(?P<number>19|20|21)(?:st|th)[ -]century\b", re.IGNORECASE)


def published_filters(period: Period, filters: Filters) -> Filters | None:
    """The filters narrowed to articles published in the period; None if they leave no day of it."""
    since = max((day for day in (filters.since, period.since) if day), default=None)
    until = min((day for day in (filters.until, period.reported_until) if day), default=None)
    return None if since and until and since > until else Filters(since, until, filters.publishers)


def published_within(period: Period, hit: Hit) -> bool:
    """Whether the article was published in the period, or while it was still reported."""
    day = _day(hit.article.day)
    since, until = period.since, period.reported_until
    return day is not None and (not since or day >= since) and (not until or day <= until)


def tells_of(period: Period, hit: Hit) -> bool:
    """Whether the passage (or, for a year, the text around it) names a time within the period.

    Of an undated article it is enough that what it names does not contradict the period.
    """
    text, published = _around(period, hit), _day(hit.article.day)
    if published is None:
        return any(_agrees(period, day) for day in days(text)) or any(_overlaps(period, s) for s in _ages(text))
    named = [span for day in days_meant(text, published, sides(text)) if (span := _span(day))]
    return any(_within(period, span) for span in (*named, *_ages(text)))


def named_in_words(period: Period, hit: Hit) -> bool:
    """Whether the passage names the period in words of the calendar that a question can share with it."""
    if period.relative:
        return False
    text = _around(period, hit)
    shared = any(_agrees(period, day) for day in days(text)) or any(_overlaps(period, span) for span in _ages(text))
    return shared and _within_years(period, text)


def _around(period: Period, hit: Hit) -> str:
    """The text in which the period may be named; a day or a month must stand in the passage itself."""
    article, passage = hit.article, hit.passage
    beside = _BESIDE if _is_year(period) else 0
    return f"{article.title}\n{article.text[max(0, passage.start - beside) : passage.end + beside]}"


def _is_year(period: Period) -> bool:
    return period.since is None or period.until is None or (period.until - period.since).days >= 364


def _day(published: str | None) -> date | None:
    return date.fromisoformat(published) if published else None


def _within_years(period: Period, text: str) -> bool:
    """Whether one of the years that the question names stands in a text."""
    named = re.findall(r"\b(?:1[89]|20)\d\d\b", period.phrase)
    return not named or any(year in text for year in named)


def _ages(text: str) -> list[DateSpan]:
    """The decades and centuries that a text names."""
    decades = [spans.decade(int(match["century"] + match["tens"])) for match in _DECADE.finditer(text)]
    return [*decades, *(spans.century(int(match["number"])) for match in _CENTURY.finditer(text))]


def _span(day: Day) -> DateSpan | None:
    """The days that a date with a year covers; None for one without, or that is no date."""
    if day.year is None or not 1 <= day.year <= 9999:
        return None
    if day.month is None:
        return spans.year(day.year)
    whole = spans.month(day.year, day.month)
    if day.day is None:
        return whole
    return (
        None
        if day.day > whole.last.day
        else DateSpan(whole.first.replace(day=day.day), whole.first.replace(day=day.day))
    )


def _within(period: Period, span: DateSpan) -> bool:
    since, until = period.told_since, period.told_until
    return (not since or span.first >= since) and (not until or span.last <= until)


def _agrees(period: Period, day: Day) -> bool:
    """Whether a date as far as it is named can lie in the period; the year counts if the question has one."""
    if day.month is None and (day.year is None or period.yearless):
        return False
    if day.year is None and _is_year(period):
        return False  # every year has an 11 January
    years = [day.year] if day.year is not None and not period.yearless else _years(period)
    return any(_overlaps(period, span) for year in years if (span := _span(Day(year, day.month, day.day))))


def _years(period: Period) -> list[int]:
    ends = [end.year for end in (period.since, period.until) if end]
    return list(range(min(ends), max(ends) + 1))[:3] if ends else []


def _overlaps(period: Period, span: DateSpan) -> bool:
    since, until = period.told_since, period.told_until
    return (not since or span.last >= since) and (not until or span.first <= until)
