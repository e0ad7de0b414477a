"""The times that a question names."""

from __future__ import annotations

import re
from datetime import date

from rag.answering.periods.calendar_marks import CALENDAR
from rag.answering.periods.mark import Mark
from rag.answering.periods.relative_marks import RELATIVE
from rag.answering.periods.spans import in_calendar

__all__ = ["marks"]

# No question has more times than this; who types more gets no second of ours.
_MOST = 20

# What every mark has one of: most questions have none and are done here.
_ANY = re.compile(
    r"\d|\b(?:jan|feb|mar|ap[ri]|may|ju[nl]|a[ug]{2}|sep|oc[to]|nov|dec|mon|tue|wed|thu|fri|sat|sun)"
    r"|spring|summer|autumn|fall|winter|quarter|half|century|day|night|morning|afternoon|evening|week|month|year|decade"
    r"|hour|ago"
)


def marks(text: str, today: date) -> list[Mark]:
    """The times that a text in lower case names, in order; of overlapping ones the most telling. Times in
    years that no archive has are none, and nothing beyond the first twenty is read."""
    if not _ANY.search(text):
        return []
    found: list[Mark] = []
    for pattern, resolve in (*CALENDAR, *RELATIVE):
        for match in pattern.finditer(text):
            mark = resolve(match, today)
            if mark is not None and in_calendar(mark.span):
                found.append(mark)
                text = text[: mark.start] + "_" * (mark.end - mark.start) + text[mark.end :]
            if len(found) == _MOST:
                return sorted(found, key=lambda mark: mark.start)
    return sorted(found, key=lambda mark: mark.start)
