"""A period in words: "11 to 17 March 2024"."""

from __future__ import annotations

from datetime import date

from rag.answering.periods import spans
from rag.answering.periods.spans import DateSpan
from rag.english.months import MONTHS

__all__ = ["day_in_words", "in_words"]


def day_in_words(day: date) -> str:
    """ "11 March 2024"."""
    return f"{day.day} {_month_in_words(day)}"


def in_words(since: date | None, until: date | None) -> str:
    """The days from one to another, both inclusive, as short as they can be told."""
    if since is None:
        return f"up to {day_in_words(until)}" if until else "any time"
    if until is None:
        return f"from {day_in_words(since)} on"
    if since == until:
        return day_in_words(since)
    if DateSpan(since, until) == DateSpan(spans.year(since.year).first, spans.year(until.year).last):
        return str(since.year) if since.year == until.year else f"{since.year} to {until.year}"
    if DateSpan(since, until) == DateSpan(since.replace(day=1), spans.month(until.year, until.month).last):
        last = _month_in_words(until)
        return last if (since.year, since.month) == (until.year, until.month) else f"{_month(since, until)} to {last}"
    if (since.year, since.month) == (until.year, until.month):
        return f"{since.day} to {day_in_words(until)}"
    return f"{since.day} {_month(since, until)} to {day_in_words(until)}"


def _month(day: date, until: date) -> str:
    """The month of a day, with the year unless a later day of the same year tells it."""
    return MONTHS[day.month - 1] if day.year == until.year else _month_in_words(day)


def _month_in_words(day: date) -> str:
    return f"{MONTHS[day.month - 1]} {day.year}"
