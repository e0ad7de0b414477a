"""Pieces of the patterns for times, and what their words count."""

from __future__ import annotations

import re
from datetime import date

from rag.answering.periods import spans
from rag.answering.periods.spans import DateSpan
from rag.english.months import month_number

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
COUNTS = {
    "a": 1, "an": 1, "one": 1, "couple of": 2, "a couple of": 2, "couple": 2, "two": 2, "three": 3, "four": 4, "few": 5,
    "a few": 5, "five": 5, "six": 6, "several": 7, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "dozen": 12, "a dozen": 12, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30,
}  # fmt: skip
ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "last": 4}
PARTS = {"early": "early", "beginning": "early", "start": "early", "mid": "mid", "middle": "mid"}

# Common slips of the keyboard are met: "febuary", "janury", "septemer".
MONTH = (
    r"(?P<month>jan(?:uary|[a-z]{1,3}ry)?|feb(?:[a-z]{1,4}ry)?|mar(?:ch)?|apr(?:il|[a-z]l)?|apirl|may|june?|july?"
    r"|aug(?:ust|st|est)?|agust|sept?|sep[a-z]{1,4}er|octo?b?er|ocotber|oct|nov(?:[a-z]{0,3}ber)?"
    r"|dec(?:[a-z]{0,3}ber)?)\b(?:\.(?=\s))?"
)
YEAR = r"(?P<year>(?:1[89]|20)\d\d)(?![\w/]|[.,]\d|-\d|\s?%)"
DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
WEEKDAY = r"(?P<weekday>mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b"
PART = (
    r"(?:(?P<part>early|mid|late)(?:\s+in)?[\s-]+(?:the\s+)?"
    r"|(?:the\s+)?(?P<stage>beginning|start|middle|end)\s+of\s+(?:the\s+)?)?"
)
NUMBER = rf"(?P<count>\d{{1,3}}|{'|'.join(sorted(COUNTS, key=len, reverse=True))})"
UNIT = r"(?P<unit>hour|day|night|fortnight|week|month|quarter|year|decade)s?\b"
OF_DAY = r"(?:\s+(?:morning|afternoon|evening|night))?"

LAST = r"(?P<which>last|past|previous|this|this\s+past)"
HALF = r"(?:(?:the\s+)?(?P<half>first|second|1st|2nd)\s+half\s+of\s+(?:the\s+year\s+)?)?"


def number_of(word: str) -> int:
    return int(word) if word.isdigit() else COUNTS[word]


def month_of(match: re.Match[str]) -> int:
    name = match["month"][:3]
    return month_number({"agu": "aug", "oco": "oct", "api": "apr"}.get(name, name))


def day_if_any(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def part_of(match: re.Match[str], span: DateSpan) -> DateSpan:
    name = match["part"] or match["stage"]
    return spans.part(span, PARTS.get(name, "late")) if name else span
