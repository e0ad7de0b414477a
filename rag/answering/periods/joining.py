"""Times that belong together: "between March and May", "3 March to 9 April", "in December last year"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from rag.answering.periods.mark import FREE, Mark
from rag.answering.periods.spans import DateSpan

__all__ = ["joined"]

_JOIN = re.compile(r"\s*(?:(and)|to|until|till|through|-|–|—)\s*(?:the\s+)?")
_LISTED = re.compile(r"\s*(?:and|or|&|/|,|,\s*and)\s*(?:in\s+)?")
_OF_YEAR = re.compile(r",?\s+(?:of\s+)?")


def joined(text: str, found: Sequence[Mark], today: date) -> list[Mark]:
    """Two times that "between ... and", "from ... to" or a dash joins are one."""
    whole: list[Mark] = []
    rest = list(found)
    while rest:
        mark = rest.pop(0)
        both = _joined(text, mark, rest[0], today) if rest else None
        if both is not None:
            del rest[0]
        whole.append(both or mark)
    return whole


def _joined(text: str, mark: Mark, other: Mark, today: date) -> Mark | None:
    between = text[mark.end : other.start]
    if mark.in_year is not None and other.relative and other.kind == "year" and _OF_YEAR.fullmatch(between):
        span = mark.in_year(other.span.first.year)  # "in December last year"
        return Mark(mark.start, other.end, span, mark.kind, FREE) if span else None
    opening = re.search(r"\b(between|from)\s+(?:the\s+)?$", text[: mark.start])
    join = _JOIN.fullmatch(between)
    kind = other.kind if other.kind != "year" or mark.kind == "year" else mark.kind
    if not join or (join[1] and (opening is None or opening[1] != "between")):
        if mark.kind != other.kind or mark.place == FREE or not _LISTED.fullmatch(between):
            return None
        span = DateSpan(min(mark.span.first, other.span.first), max(mark.span.last, other.span.last))
        return Mark(mark.start, other.end, span, kind, mark.place, relative=mark.relative, ambiguous=mark.ambiguous)
    span = _spanning(mark, other, today)
    if span is None:
        return None
    start = opening.start() if opening else mark.start
    years = other.in_year if mark.in_year is not None else None
    return Mark(start, other.end, span, kind, FREE, years, mark.relative and other.relative)


def _spanning(mark: Mark, other: Mark, today: date) -> DateSpan | None:
    """From the first day of one time to the last of another, each taking the other's year."""
    first, last = mark.span, other.span
    if mark.in_year is None and other.in_year is not None:
        last = other.in_year(first.first.year) or last
        if last.last < first.first:
            last = other.in_year(first.first.year + 1) or last
    elif mark.in_year is not None:
        if other.in_year is not None:
            ends = (other.in_year(year) for year in range(today.year, today.year - 9, -1))
            last = next((span for span in ends if span and span.first.replace(day=1) <= today), last)
        first = mark.in_year(last.first.year) or first
        if first.first > last.last:
            first = mark.in_year(last.first.year - 1) or first
    return DateSpan(first.first, last.last) if first.first <= last.last else None
