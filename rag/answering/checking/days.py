"""Dates that a text names, and which days they are, understood from the day it was published."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from rag.english.months import month_number

__all__ = ["Day", "Side", "days", "days_meant", "rests_on"]

_WEEKDAYS = ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")
_MONTH = (
    r"(?P<month>Jan(?:uary|\b\.?)|Feb(?:ruary|\b\.?)|Mar(?:ch|\b\.?)|Apr(?:il|\b\.?)|May|June?|July?"
    r"|Aug(?:ust|\b\.?)|Sept?(?:ember|\b\.?)|Oct(?:ober|\b\.?)|Nov(?:ember|\b\.?)|Dec(?:ember|\b\.?))(?![a-z])"
)
_YEAR = r"(?P<year>(?:1[89]|20)\d\d)"
_DAY = r"(?:(?P<first>\d{1,2})(?:st|nd|rd|th)?(?: ?[-–] ?| and | to ))?(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_FORMS = (
    r"\b(?P<year>\d{4})-(?P<number>\d\d)-(?P<day>\d\d)\b",
    rf"\b{_DAY}(?: of)? {_MONTH}(?:,? {_YEAR}\b)?",
    rf"\b{_MONTH} {_DAY}\b(?!\d)(?:,? {_YEAR}\b)?",
    rf"\b{_MONTH},? {_YEAR}\b",
)
# One pattern of all the forms, in which a group must not have the name of another.
_WRITTEN = re.compile("|".join(re.sub(r"\?P<(\w+)>", rf"?P<\g<1>{n}>", form) for n, form in enumerate(_FORMS)))
_MONTH_ALONE = re.compile(
    r"\b(?:January|February|April|June|July|August|September|October|November|December)\b"
    r"|(?:(?<=in )|(?<=by )|(?<=of )|(?<=last )|(?<=next )|(?<=late )|(?<=early )|(?<=since )|(?<=until ))"
    r"(?:May|March)\b"
)
_YEAR_ALONE = re.compile(
    r"(?<![\d$€£¥₹.,-])(?P<year>(?:1[89]|20)\d\d)(?P<decade>s)?\b(?![,.]\d|[ -]?(?:%|per ?cent|km|dollars|people))"
)
_WEEKDAY = re.compile(r"\b(?P<weekday>Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?\b")
_RELATIVE = re.compile(
    r"\b(?:(?P<near>today|tonight|yesterday|tomorrow|this morning|this afternoon|this evening|last night)"
    r"|(?P<which>last|this|next) (?P<unit>year|month))\b",
    re.IGNORECASE,
)
_SHIFT = {"yesterday": -1, "last night": -1, "tomorrow": 1}

# On which side of the publication of its text a weekday or a month lies that has no year.
Side = Literal["before", "after", "either"]


@dataclass(frozen=True, slots=True)
class Day:
    """A date as far as it is named; `weekday` counts from Monday, 0. `text` and `start` are where it stands."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    text: str = ""
    start: int = 0


def days(text: str) -> list[Day]:
    """The dates that a text names, in order; words such as "yesterday" are none."""
    found: list[Day] = []
    rest = text
    for match in _WRITTEN.finditer(text):
        found.extend(_written(match))
        rest = rest[: match.start()] + " " * len(match.group()) + rest[match.end() :]
    for match in _MONTH_ALONE.finditer(rest):
        found.append(Day(month=month_number(match.group()), text=match.group(), start=match.start()))
    for match in _YEAR_ALONE.finditer(rest):
        if not match["decade"]:
            found.append(Day(year=int(match["year"]), text=match.group(), start=match.start()))
    for match in _WEEKDAY.finditer(rest):
        weekday = _WEEKDAYS.index(match["weekday"].lower())
        found.append(Day(weekday=weekday, text=match.group(), start=match.start()))
    return sorted(found, key=lambda day: day.start)


def days_meant(text: str, published: date | None, side: Callable[[Day], Side] | None = None) -> list[Day]:
    """The dates that a text names or means, completed from the day on which it was published.

    A weekday or a month that `side` puts before that day is the last one up to it, and one that it puts after it the
    next. Else a weekday is both and a month the nearest, and the last one too where `side` cannot place it. A day of a
    month is the nearest.
    """
    found: list[Day] = []
    for named in days(text):
        found.append(named)
        if published is not None:
            found.extend(_completed(named, published, side))
    if published is not None:
        found.extend(_relative(text, published))
    return found


def rests_on(named: Day, meant: Iterable[Day]) -> bool:
    """Whether one of the dates of a text is the one named, as far as that is named."""
    return any(_is_part(named, other) for other in meant)


def _written(match: re.Match[str]) -> Iterator[Day]:
    """The date of a match; two for "12-14 January"."""
    parts = {key.rstrip("0123456789"): value for key, value in match.groupdict().items() if value}
    month = int(parts["number"]) if "number" in parts else month_number(parts["month"])
    year = int(parts["year"]) if "year" in parts else None
    for key in ("first", "day"):
        if key in parts and 1 <= int(parts[key]) <= 31:
            yield Day(year, month, int(parts[key]), None, match.group(), match.start())
    if "day" not in parts:
        yield Day(year, month, None, None, match.group(), match.start())


def _completed(named: Day, published: date, side: Callable[[Day], Side] | None) -> Iterator[Day]:
    if named.weekday is not None:
        where = side(named) if side else "either"
        back = (published.weekday() - named.weekday) % 7
        if where != "after" or back == 0:  # what is to be on the day of publication is named so too
            yield _of(published - timedelta(days=back))
        if where != "before":
            yield _of(published + timedelta(days=7 - back))
    elif named.month is not None and named.year is None and named.day is None:
        yield from (Day(year, named.month) for year in _years_meant(named.month, published, side and side(named)))
    elif named.month is not None and named.year is None and named.day is not None:
        day = _date(_nearest_year(named.month, named.day, published), named.month, named.day)
        if day is not None:
            yield _of(day)
    elif named.year is not None and named.month is not None and named.day is not None:
        day = _date(named.year, named.month, named.day)
        if day is not None:
            yield _of(day)


def _years_meant(month: int, published: date, side: Side | None) -> set[int]:
    """The years of a month without one; the month of publication is both the last and the next."""
    last, nearest = published.year - (month > published.month), _nearest_year(month, 15, published)
    if side is None:
        return {nearest}
    return {"before": {last}, "after": {published.year + (month < published.month)}, "either": {last, nearest}}[side]


def _relative(text: str, published: date) -> Iterator[Day]:
    for match in _RELATIVE.finditer(text):
        if match["near"]:
            yield _of(published + timedelta(days=_SHIFT.get(match["near"].lower(), 0)))
            continue
        shift = {"last": -1, "this": 0, "next": 1}[match["which"].lower()]
        if match["unit"].lower() == "year":
            yield Day(year=published.year + shift)
        else:
            months = 12 * published.year + published.month - 1 + shift
            yield Day(months // 12, months % 12 + 1)


def _is_part(named: Day, other: Day) -> bool:
    pairs = (
        (named.year, other.year),
        (named.month, other.month),
        (named.day, other.day),
        (named.weekday, other.weekday),
    )
    return all(wanted is None or wanted == given for wanted, given in pairs)


def _of(day: date) -> Day:
    return Day(day.year, day.month, day.day, day.weekday())


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _nearest_year(month: int, day: int, published: date) -> int:
    months = [12 * shift + month + day / 31 - published.month - published.day / 31 for shift in (-1, 0, 1)]
    return published.year - 1 + months.index(min(months, key=abs))
