"""Times told from today: "yesterday", "last week", "past 3 days", "two weeks ago", "on Monday", "the 11th"."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

from rag.answering.periods import spans
from rag.answering.periods.fragments import (
    DAY,
    HALF,
    NUMBER,
    OF_DAY,
    ORDINALS,
    PART,
    UNIT,
    WEEKDAY,
    WEEKDAYS,
    day_if_any,
    number_of,
    part_of,
)
from rag.answering.periods.mark import FREE, PLACED, Kind, Mark, made, readings
from rag.answering.periods.spans import DateSpan

__all__ = ["RELATIVE"]

_KIND: dict[str, Kind] = {"day": "day", "night": "day", "hour": "day", "year": "year", "decade": "year"}
_WEEKS = ("week", "weekend", "fortnight")
_DAYS = {"day": 1, "night": 1, "week": 7, "fortnight": 14}


def _told(mark: Mark | None) -> Mark | None:
    return mark and replace(mark, relative=True)


def _unit_span(unit: str, today: date, back: int) -> DateSpan:
    """The calendar day, week, month, ... some units before the current one."""
    if unit in ("day", "night"):
        day = today - timedelta(days=back)
        return DateSpan(day, day)
    if unit == "week":
        return spans.week(today - timedelta(days=7 * back))
    if unit == "weekend":
        return spans.weekend(today, back)
    if unit == "year":
        return spans.year(max(1, today.year - back))
    if unit == "quarter":
        day = spans.months_back(today.replace(day=1), 3 * back)
        return spans.quarter(day.year, (day.month + 2) // 3)
    if unit == "decade":
        return spans.decade((max(10, today.year - 10 * back)) // 10 * 10)
    day = spans.months_back(today.replace(day=1), back)
    return spans.month(day.year, day.month)


def _kind(unit: str) -> Kind:
    return "week" if unit in _WEEKS else _KIND.get(unit, "month")


def _which_unit(match: re.Match[str], today: date) -> Mark | None:
    unit, which = match["unit"], match["which"] or "this"
    back = 0 if which in ("this", "the current") else 1
    if unit == "weekend" and which.endswith("past"):
        back = 0
    elif unit == "weekend":
        # The weekend that runs, or has just run, is not yet the last one.
        back = 1 if back and today.weekday() >= 5 else 0
    if unit == "decade" and back:
        return _told(made(match, DateSpan(spans.months_back(today, 120), today), "year", FREE))
    span = part_of(match, _unit_span(unit, today, back))
    if match["half"]:
        span = spans.half(span, ORDINALS[match["half"]])
    if match["sofar"] or match["yet"]:
        span = DateSpan(span.first, max(span.first, today))
    mark = _told(made(match, span, _kind(unit), FREE))
    return mark and replace(mark, ends=match["stage"] == "end")


def _the_unit(match: re.Match[str], today: date) -> Mark | None:
    """ "the start of the year", "the end of the month"."""
    span = part_of(match, _unit_span(match["unit"], today, 0))
    return Mark(*match.span(), span, _kind(match["unit"]), FREE, None, True, match["stage"] == "end")


def _past(match: re.Match[str], today: date) -> Mark | None:
    unit, count = match["unit"], number_of(match["count"] or "a")
    if unit == "hour":
        first = today - timedelta(days=-(-count // 24))
    elif unit in _DAYS:
        first = today - timedelta(days=count * _DAYS[unit])
    else:
        first = spans.months_back(today, count * {"month": 1, "quarter": 3, "year": 12, "decade": 120}[unit])
    return _told(made(match, DateSpan(first, today), _kind(unit), FREE))


def _before_last(match: re.Match[str], today: date) -> Mark | None:
    return _told(made(match, _unit_span(match["unit"], today, 2), _kind(match["unit"]), FREE))


def _ago(match: re.Match[str], today: date) -> Mark | None:
    unit, count = match["unit"], number_of(match["count"])
    if unit == "hour":
        unit, count = "day", count // 24
    elif unit == "fortnight":
        unit, count = "week", 2 * count
    return _told(made(match, _unit_span(unit, today, count), _kind(unit), FREE))


def _near_today(match: re.Match[str], today: date) -> Mark | None:
    words = " ".join(match.group().split())
    back = 2 if "before" in words else 1 if words.startswith(("yesterday", "last")) else 0
    day = today - timedelta(days=back)
    span = DateSpan(day - timedelta(days=1), day) if words == "overnight" else DateSpan(day, day)
    return _told(made(match, span, "day", FREE))


def _weekday(match: re.Match[str], today: date) -> Mark | None:
    number = WEEKDAYS.index(match["weekday"][:3])
    before = today - timedelta(days=1) if match["which"] == "last" else today
    day = spans.weekday_up_to(before, number)
    mark = made(match, DateSpan(day, day), "day", FREE if match["which"] else PLACED)
    return mark and replace(mark, ambiguous=not match["which"], relative=True)


def _nth(match: re.Match[str], today: date) -> Mark | None:
    """ "the 11th": the last one up to today."""
    number = int(match["day"])
    for back in range(3):
        day = spans.months_back(today.replace(day=1), back)
        found = day_if_any(day.year, day.month, number)
        if found and found <= today:
            mark = made(match, DateSpan(found, found), "day", PLACED)
            return mark and replace(mark, ambiguous=True)
    return None


# Where two of them fit, the first is taken.
RELATIVE = readings(
    (
        r"\bthe\s+day\s+before\s+yesterday\b|\b(?:earlier\s+)?(?:today|tonight)\b|\bovernight\b"
        rf"|\blast\s+night\b|\bthis\s+(?:morning|afternoon|evening)\b|\byesterday\b{OF_DAY}",
        _near_today,
    ),
    (
        rf"\b(?:the\s+)?(?:past|last|previous|preceding)\s+{NUMBER}\s+{UNIT}",
        _past,
    ),
    (
        r"\b(?:(?:the\s+)?past|(?:in|over|during|for|within)\s+the\s+last)\s+(?P<count>)"
        r"(?P<unit>day|week|fortnight|month|quarter|year|decade)\b(?!\s+of\b)",
        _past,
    ),
    (r"\bthe\s+(?P<unit>week|weekend|month|quarter|year)\s+before\s+last\b", _before_last),
    (rf"\b{NUMBER}\s+{UNIT}\s+(?:ago|earlier|back)\b", _ago),
    (
        rf"\b{HALF}{PART}(?P<sofar>earlier\s+|so\s+far\s+|later\s+)?(?P<which>this\s+past|this|last|previous|the\s+current)\s+"
        r"(?P<unit>week|weekend|month|quarter|year|decade)\b(?!\s+of\b)(?P<yet>\s+so\s+far|\s+to\s+date)?",
        _which_unit,
    ),
    (
        r"\b(?:over|at|on|during)\s+(?P<half>)(?P<part>)(?P<stage>)(?P<sofar>)(?P<yet>)(?P<which>)the\s+"
        r"(?P<unit>weekend)\b",
        _which_unit,
    ),
    (
        r"\b(?P<part>)(?P<stage>beginning|start|end|middle)\s+of\s+the\s+(?P<unit>week|month|quarter|year)\b",
        _the_unit,
    ),
    (rf"\b(?:(?P<which>last|this|past)\s+)?{WEEKDAY}(?!\.\w){OF_DAY}", _weekday),
    (rf"\bthe\s+{DAY}(?<=[a-z])(?!\w)(?!\s+of\s)", _nth),
)
