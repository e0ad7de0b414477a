"""Dates as they are written in articles, to ISO 8601. What is ambiguous or incomplete stays unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parsedate_to_datetime

from rag.english.months import MONTHS, month_number

__all__ = ["DateLine", "parse_date", "read_date_line"]

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH = rf"(?P<month>{'|'.join(name[:3] for name in MONTHS)})[a-z]{{0,6}}\.?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_MONTH_FIRST = re.compile(rf"\b{_MONTH}\s+{_DAY},?\s+{_YEAR}\b", re.IGNORECASE)
_DAY_FIRST = re.compile(rf"\b{_DAY}[\s-]+(?:of\s+)?{_MONTH},?[\s-]+{_YEAR}\b", re.IGNORECASE)
_NUMERIC = re.compile(rf"\b(?P<first>\d{{1,2}})[/.-](?P<second>\d{{1,2}})[/.-]{_YEAR}\b")
_ISO = re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?(?![\d-])")
_WEEKDAY = re.compile(r"\b(mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b\.?", re.IGNORECASE)
_LABEL = re.compile(
    r"^\s*(?:(?:first\s+)?(?:published|posted|date|released?|issued)|(?P<later>(?:last\s+)?(?:updated|modified)))"
    r"(?:\s+(?:on|at))?\s*:?\s*",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"\b\d{1,2}[:.]\d\d(?::\d\d(?:\.\d+)?)?(?:\s*[ap]\.?m\b\.?)?"
    r"(?:\s*\(?(?:gmt|utc|bst|ce?s?t|e[ds]?t|p[ds]?t|ist|z)\b\)?)?(?:\s*[+-]\d\d:?\d\d)?"
    r"|\b\d{1,2}\s*[ap]\.?m\b\.?",
    re.IGNORECASE,
)
_READING_TIME = re.compile(
    r"(?:\b(?:estimated\s+)?reading\s+time\s*:?\s*)?\b\d{1,3}[\s-]*min(?:ute)?s?\.?(?:[\s-]*(?:read|to\s+read)\b)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class DateLine:
    """What a line that is nothing but a date or a reading time says; `published` may be unknown."""

    published: str | None


def parse_date(value: str) -> str | None:
    """ISO 8601 for a date or a date with time, or None if it cannot be read without guessing.

    Read are ISO 8601, RFC 2822 (feeds), dates with a named month, and numeric dates that allow one
    reading only, by their numbers (31/05/2023) or their weekday.
    """
    value = " ".join(value.split())
    if not value or len(value) > 80:
        return None
    return _from_iso(value) or _from_rfc(value) or _from_words(value)


def read_date_line(line: str) -> DateLine | None:
    """The publication date of a line such as "Wednesday, 05/31/2023 4 minutes"; None for other lines."""
    if len(line) > 120:
        return None
    label = _LABEL.match(line)
    rest = line[label.end() :] if label else line
    found = _ISO.search(rest) or _search(rest)
    bare = rest.replace(found.group(), " ") if found else rest
    for pattern in (_READING_TIME, _CLOCK):
        bare = pattern.sub(" ", bare)
    if bare == rest or re.search(r"\w", _WEEKDAY.sub(" ", bare)):
        return None
    if found is None or (label and label["later"]):
        return DateLine(None)
    weekday = _WEEKDAY.search(rest)
    return DateLine(parse_date(f"{weekday.group() if weekday else ''} {found.group()}"))


def _from_iso(value: str) -> str | None:
    if not re.match(r"\d{4}-?\d\d-?\d\d", value):
        return None
    try:
        if re.fullmatch(r"\d{4}-?\d\d-?\d\d", value):
            return _sane(date.fromisoformat(value))
        return _sane(datetime.fromisoformat(re.sub(r"(?<=\d) (?=[+-]\d|Z)", "", value)))
    except ValueError:
        return None


def _from_rfc(value: str) -> str | None:
    if not re.search(r"\d:\d\d", value):
        return None
    try:
        return _sane(parsedate_to_datetime(value))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _search(value: str) -> re.Match[str] | None:
    return _MONTH_FIRST.search(value) or _DAY_FIRST.search(value) or _NUMERIC.search(value)


def _from_words(value: str) -> str | None:
    """A date with a named month or in numbers, with nothing else around it than weekday and time."""
    found = _search(value)
    if not found:
        return None
    around = value[: found.start()] + " " + value[found.end() :]
    weekday = _WEEKDAY.search(around)
    for pattern in (_CLOCK, _WEEKDAY):
        around = pattern.sub(" ", around)
    if re.search(r"\w", re.sub(r"\bat\b", "", around)):
        return None
    possible = _readings(found)
    if weekday and len(possible) > 1:
        number = _WEEKDAYS.index(weekday.group(1)[:3].lower())
        possible = [day for day in possible if day.weekday() == number]
    return _sane(possible[0]) if len(possible) == 1 else None


def _readings(found: re.Match[str]) -> list[date]:
    parts = found.groupdict()
    year = int(parts["year"])
    if "first" in parts:
        first, second = int(parts["first"]), int(parts["second"])
        tries = {(year, first, second), (year, second, first)}
    else:
        tries = {(year, month_number(parts["month"]), int(parts["day"]))}
    days = []
    for attempt in tries:
        try:
            days.append(date(*attempt))
        except ValueError:
            continue
    return days


def _sane(moment: date) -> str | None:
    """A year out of any archive's range is a misread number, or a clock that was never set."""
    return moment.isoformat() if 1600 <= moment.year <= 2200 and moment.isoformat()[:10] != "1970-01-01" else None
