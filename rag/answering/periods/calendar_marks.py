"""Times of the calendar: "15 January", "jan 2023", "early May", "Q2", "the 1990s", "last summer"."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

from rag.answering.periods import spans
from rag.answering.periods.fragments import (
    DAY,
    HALF,
    LAST,
    MONTH,
    ORDINALS,
    PART,
    WEEKDAYS,
    YEAR,
    day_if_any,
    month_of,
    part_of,
)
from rag.answering.periods.mark import EDGE, FREE, PLACED, YEAR_LIKE, Mark, made, readings, yearly
from rag.answering.periods.spans import DateSpan, InYear

__all__ = ["CALENDAR"]

_RANGE = r"(?:(?P<from>\d{1,2})(?:st|nd|rd|th)?\s*(?:-|–|—|to|and|until|till|through)\s*(?:the\s+)?)?"
_ON = rf"(?:\b(?:{'|'.join(WEEKDAYS)})[a-z]*,?\s+)?"


def _iso(match: re.Match[str], _: date) -> Mark | None:
    year, number, day = (int(group) for group in match.groups())
    if not spans.EARLIEST <= year <= spans.LATEST:
        return None
    return made(match, _days(year, number, day, day), "day", FREE)


def _numeric(match: re.Match[str], today: date) -> Mark | None:
    """Read as the numbers allow; where they allow both, slashes month first and full stops day first."""
    first, mid, year = int(match["first"]), int(match["second"]), int(match["year"])
    if year < 100:
        year += 2000 if year <= today.year % 100 else 1900
    pairs = [(first, mid), (mid, first)] if match["sign"] == "/" else [(mid, first), (first, mid)]
    span = _days(year, pairs[0][0], pairs[0][1], pairs[0][1]) or _days(year, pairs[1][0], pairs[1][1], pairs[1][1])
    return made(match, span, "day", FREE)


def _days(year: int, month: int, first: int, last: int) -> DateSpan | None:
    low, high = day_if_any(year, month, first), day_if_any(year, month, last)
    return DateSpan(low, high) if low and high and low <= high else None


def _day_of_month(match: re.Match[str], today: date) -> Mark | None:
    number, last = month_of(match), int(match["day"])
    first = int(match["from"]) if match["from"] else last
    return yearly(match, today, lambda year: _days(year, number, first, last), "day", EDGE)


def _week_of(match: re.Match[str], today: date) -> Mark | None:
    number, day = month_of(match), int(match["day"])

    def in_year(year: int) -> DateSpan | None:
        monday = day_if_any(year, number, day)
        return spans.week(monday) if monday else None

    return yearly(match, today, in_year, "week", FREE)


def _week_in_month(match: re.Match[str], today: date) -> Mark | None:
    number, which = month_of(match), match["which"]

    def in_year(year: int) -> DateSpan:
        whole = spans.month(year, number)
        first = whole.last - timedelta(days=6) if which == "last" else date(year, number, 7 * ORDINALS[which] - 6)
        return DateSpan(first, first + timedelta(days=6))

    return yearly(match, today, in_year, "week", FREE)


def _month_of_year(match: re.Match[str], today: date) -> Mark | None:
    number = month_of(match)

    def in_year(year: int) -> DateSpan:
        span = part_of(match, spans.month(year, number))
        return spans.half(span, ORDINALS[match["half"]]) if match["half"] else span

    telling = bool(match["part"] or match["stage"] or match["half"] or match["year"])
    place = FREE if telling else PLACED
    mark = yearly(match, today, in_year, "month", place, lambda year: spans.month(year, number))
    alone = not telling and match["month"] in ("may", "march", "mar", "dec", "sep", "jun", "april", "june", "august")
    return mark and replace(mark, ambiguous=alone)


def _which(match: re.Match[str], today: date, in_year: InYear) -> DateSpan | None:
    """Of "last May" the last that is over, of "this May" the nearest."""
    if match["which"] == "this":
        return spans.nearest(in_year, today)
    return spans.latest_ended(in_year, today)


def _which_month(match: re.Match[str], today: date) -> Mark | None:
    number = month_of(match)
    return made(match, _which(match, today, lambda year: spans.month(year, number)), "month", FREE)


def _which_season(match: re.Match[str], today: date) -> Mark | None:
    span = _which(match, today, lambda year: spans.season(year, match["season"]))
    mark = made(match, span, "month", FREE)
    return mark and replace(mark, relative=True)


def _season(match: re.Match[str], today: date) -> Mark | None:
    def in_year(year: int) -> DateSpan:
        return part_of(match, spans.season(year, match["season"]))

    if match["season"] == "fall" and not match["the"] and not match["year"]:
        return None
    mark = yearly(match, today, in_year, "month", PLACED, lambda year: spans.season(year, match["season"]))
    return mark and replace(mark, ambiguous=not match["year"])


def _decade(match: re.Match[str], _: date) -> Mark | None:
    first = int(match["century"] or 19) * 100 + int(match["tens"])
    if not match["century"] and int(match["tens"]) <= 20:
        first += 100  # "the 20s" are ours
    return made(match, part_of(match, spans.decade(first)), "year", PLACED)


def _century(match: re.Match[str], _: date) -> Mark | None:
    number = int(match["number"])
    if not 19 <= number <= 21:
        return None  # years before 1800 are not read either
    return made(match, spans.century(number), "year", PLACED)


def _year(match: re.Match[str], _: date) -> Mark | None:
    span = part_of(match, spans.year(int(match["year"])))
    if match["half"]:
        span = spans.half(span, ORDINALS[match["half"]])
    telling = match["half"] or match["part"] or match["stage"]
    mark = made(match, span, "year", FREE if telling else YEAR_LIKE)
    return mark and replace(mark, ends=match["stage"] == "end")


def _years(match: re.Match[str], _: date) -> Mark | None:
    """ "2010-2014", "2023-24"."""
    first, last = int(match["from"]), int(match["to"])
    last += first // 100 * 100 if last < 100 else 0
    return made(match, DateSpan(date(first, 1, 1), date(last, 12, 31)), "year", YEAR_LIKE) if first <= last else None


def _quarter(match: re.Match[str], today: date) -> Mark | None:
    number = ORDINALS[match["word"]] if match["word"] else int(match["number"])
    place = PLACED if match["word"] else EDGE
    return yearly(match, today, lambda year: spans.quarter(year, number), "month", place)


# Where two of them fit, the first is taken.
CALENDAR = readings(
    (r"(?<![\w/-])(\d{4})[/-](\d\d)[/-](\d\d)(?![\w/-])", _iso),
    (
        r"(?<![\w/.-])(?P<first>\d{1,2})(?P<sign>[/.-])(?P<second>\d{1,2})(?P=sign)(?P<year>(?:1[89]|20)\d\d|(?<=/)\d\d)"
        r"(?![\w/-])",
        _numeric,
    ),
    (rf"\b(?:the\s+)?week\s+of\s+(?:the\s+)?{DAY}(?:\s+of)?\s+{MONTH}(?:,?\s+{YEAR})?", _week_of),
    (rf"\b(?:the\s+)?week\s+of\s+{MONTH}\s+{DAY}\b(?:,?\s+{YEAR})?", _week_of),
    (
        rf"\b(?:the\s+)?(?P<which>first|second|third|fourth|last)\s+week\s+(?:of|in)\s+{MONTH}"
        rf"(?:,?\s+(?:of\s+)?{YEAR})?",
        _week_in_month,
    ),
    (
        rf"{_ON}(?<![\w.$€£])(?:the\s+)?{_RANGE}{DAY}(?:\s+of|-)?\s*{MONTH}(?:(?:,?\s+(?:of\s+)?|-){YEAR})?",
        _day_of_month,
    ),
    (rf"{_ON}\b{MONTH}\s+(?:the\s+)?{_RANGE}{DAY}\b(?![.,:]\d|\s?%)(?:,?\s+{YEAR})?", _day_of_month),
    (rf"\b{LAST}\s+{MONTH}(?!\s+{YEAR})", _which_month),
    (
        rf"\b(?:the\s+month\s+of\s+)?{HALF}{PART}{MONTH}(?:,?\s+(?:of\s+)?{YEAR})?",
        _month_of_year,
    ),
    (rf"(?<![\w-]){PART}(?P<century>1[89]|20)?['’]?(?P<tens>\d0)['’]?s\b", _decade),
    (r"\b(?P<number>\d\d?)(?:st|nd|rd|th)\s+century\b", _century),
    (
        r"\b(?:(?:the\s+)?(?P<word>first|second|third|fourth|1st|2nd|3rd|4th|last(?=\s+quarter\s+of\s+\d))\s+quarter"
        r"|q(?P<number>[1-4]))\b"
        rf"(?!\s+(?:of|in)\s+(?:the\s+)?(?:match|game|final|play))(?:,?\s+(?:(?:of|in)\s+)?{YEAR})?",
        _quarter,
    ),
    (rf"\b{LAST}\s+(?P<season>spring|summer|autumn|fall|winter)\b", _which_season),
    (
        rf"\b{PART}(?P<the>the\s+)?(?P<season>spring|summer|autumn|fall|winter)\b"
        rf"(?!\s+of\s+(?!{YEAR.replace('?P<year>', '')}))(?:,?\s+(?:of\s+)?{YEAR})?",
        _season,
    ),
    (
        r"(?<![\w$€£¥₹.,#/-])(?P<from>(?:1[89]|20)\d\d)\s?[-–—]\s?(?P<to>(?:1[89]|20)?\d\d)(?![\w/]|[.,]\d|-\d)",
        _years,
    ),
    (rf"(?<![\w$€£¥₹.,#/-]){HALF}{PART}(?:(?:the\s+)?years?\s+)?{YEAR}", _year),
)
