"""From a question to the period it asks about, understood against a clock."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from rag.answering.periods import spans
from rag.answering.periods.joining import joined
from rag.answering.periods.mark import EDGE, FREE, PLACED, Mark
from rag.answering.periods.marks import marks
from rag.answering.periods.newest import newest_phrases
from rag.answering.periods.period import ANY_TIME, Period
from rag.answering.periods.spans import DateSpan
from rag.answering.periods.standing import RELATION, is_name, is_other, stands

__all__ = ["read_period"]

# What happened on the last day of a period is still reported this many days later.
_REPORTED = {"day": 2, "week": 3, "month": 4, "year": 7}

_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|‘[^’]*’|(?<!\w)'[^']*'(?!\w)")
_EVENT_DAYS = re.compile(r"\b(?:9/11|7/7|24/7)\b(?!/)")
_BEFORE = ("before", "prior to", "ahead of")
_AFTER = ("after", "following", "later than")
_UNTIL = ("until", "till", "til", "up to", "up until", "by", "as of", "as at", "through", "up through")
_ABOUT = ("around", "about", "circa")
_SCENE = re.compile(
    r"\b(since|before|prior\s+to|ahead\s+of|after|following|until|till)\s+(?!the\s+day\b)"
    r"(?:[\w'’-]+\s+){1,6}?(?:on|in|of|at)\s+(?:the\s+)?$"
)
# Words that may follow a time; any other makes it an adjective: "the January 6 committee".
_FOLLOWING = re.compile(
    r"\s*(?:$|(?!['’]s\b)[^\w\s]|(?:and|or|but|what|whats|who|whom|whose|which|where|when|why|how|did|does|do|was|were|is|are"
    r"|has|have|had|will|would|can|could|in|on|at|by|to|from|for|of|the|a|an|about|with|without|after|before|since|until"
    r"|compared|vs|versus|than|as|this|that|his|her|its|their|my|our|it|he|she|they|we|you|i|there|if|while|because"
    r"|according|onwards?|or|between|during|over|against|through|per|not|still|alone|so|any|all|only|_+)\b)"
)
_POSITION = re.compile(r"\s*(?:committee|court|panel|hearing|commission|judge|jury|parade)\b")
_ONWARDS = re.compile(r"\s*(?:onwards?\b|on\b(?!\s+\w)|(?:to|and|until) (?:now|today|date|the present)\b)")
_FUTURE = re.compile(r"\b(?:will|shall|won't|'ll|going to|upcoming|next|tomorrow)\b|’ll\b")
_OVER = re.compile(r"\b(?:last|past|previous|yesterday|ago|earlier|so far)\b")
# "of 1950 workers", "in 2000 shares": a count, not a year.
_COUNTED = re.compile(r"\s+(?:people|men|women|children|troops|police|[a-z]{3,}s)\b(?<!was)(?<!does)(?<!this)")


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one time of a question says; `cut` is what goes when the question is asked without it."""

    since: date | None
    until: date | None
    mark: Mark
    start: int
    cut: tuple[int, int] | None

    @property
    def names_its_edge(self) -> bool:
        """Whether who tells of it is likely to name the time before or after which it was: a month, a year."""
        return self.mark.kind in ("month", "year") and (self.since is None or self.until is None)

    def __and__(self, other: _Reading) -> tuple[date | None, date | None] | None:
        since = max((d for d in (self.since, other.since) if d), default=None)
        until = min((d for d in (self.until, other.until) if d), default=None)
        return None if since and until and since > until else (since, until)


def read_period(question: str, today: date) -> Period:
    """The period that a question asks about; ANY_TIME (false) if it names none.

    Weeks begin on Monday. A day, month or season without a year is the last one that has begun. Titles in
    quotation marks are not read.
    """
    if not spans.EARLIEST <= today.year <= spans.LATEST:  # no clock of ours
        return replace(ANY_TIME, rest=question)
    plain = _masked(question)
    text = plain.lower()
    if len(text) != len(plain):  # a letter whose small form is longer would shift every place
        text = plain.casefold() if len(plain.casefold()) == len(plain) else "".join(c.lower()[:1] for c in plain)
    told = [mark for mark in marks(text, today) if not is_name(plain, mark) and not is_other(text, mark)]
    found = joined(text, told, today)
    newest = [m for m in newest_phrases(plain) if not any(k.start <= m.start() < k.end for k in found)]
    readings = [reading for mark in found if (reading := _read(text, mark, today)) is not None]
    cuts = [reading.cut for reading in readings if reading.cut] + [match.span() for match in newest]
    rest = _without(question, cuts)
    if not readings:
        if not newest:
            return replace(ANY_TIME, rest=question)
        return Period(phrase=newest[0].group(), newest_first=True, today=today, rest=rest)
    since, until = _combined(readings)
    slack = timedelta(days=_REPORTED[min((r.mark for r in readings), key=lambda m: m.span.last - m.span.first).kind])
    return Period(
        since,
        until,
        phrase=" … ".join(" ".join(question[r.start : r.mark.end].split()) for r in readings),
        strength="demand",
        newest_first=bool(newest),
        today=today,
        told_since=since and min([since, *(r.mark.span.first for r in readings if r.names_its_edge)]),
        told_until=until and max([until, *(r.mark.span.last for r in readings if r.names_its_edge)]),
        reported_until=until and (until + slack if since else until),
        yearless=all(reading.mark.in_year is not None for reading in readings),
        relative=all(reading.mark.relative for reading in readings),
        rest=rest,
    )


def _masked(question: str) -> str:
    for pattern in (_QUOTED, _EVENT_DAYS):
        question = pattern.sub(lambda match: "_" * len(match.group()), question)
    return question


def _read(text: str, mark: Mark, today: date) -> _Reading | None:
    before, after = text[: mark.start], text[mark.end :]
    relation = RELATION.search(before)
    word = " ".join(relation[1].split()) if relation else ""
    # Up to the end of a month that runs, it is all that has been of it.
    running = mark.in_year is not None and word in (*_BEFORE, *_UNTIL)
    if (mark.span.first > today and not running) or (_FUTURE.search(text) and _may_lie_ahead(text, mark)):
        return None
    scene = _SCENE.search(before)
    adjective = not _FOLLOWING.match(after)
    if scene is not None and not adjective and relation is not None:
        word = " ".join(scene[1].split())
        since, until = _around_event(word, mark.span, mark.kind)
        # What was said before an event does not tell of it.
        cut = scene.start() if since is None else relation.start()
        return _Reading(since, until, mark, scene.start(), (cut, mark.end))
    if (adjective and mark.place != FREE) or (adjective and after.startswith(("'s", "’s"))):
        return _read_adjective(word, relation, mark, after)
    if not stands(before, after, mark, relation):
        return None
    since, until = _bounds(word, mark, after)
    start = relation.start() if relation else mark.start
    return _Reading(since, until, mark, start, (start, mark.end))


def _may_lie_ahead(text: str, mark: Mark) -> bool:
    """Whether a time may also be meant of the future: "will it be in May", but "last May" is over."""
    return mark.in_year is not None or (mark.relative and not _OVER.search(text[mark.start : mark.end]))


def _read_adjective(word: str, relation: re.Match[str] | None, mark: Mark, after: str) -> _Reading | None:
    """A time before a noun: "Monday's vote", "after the 11 January strike"; else it only names the thing."""
    start = relation.start() if relation else mark.start
    if word in (*_BEFORE, *_AFTER, "since", "until", "till") and not _POSITION.match(after):
        return _Reading(*_around_event(word, mark.span, mark.kind), mark, start, None)
    if after.startswith(("'s", "’s")) and (relation is not None or mark.place == FREE):
        return _Reading(mark.span.first, mark.span.last, mark, start, (mark.start, mark.end + 2))
    if mark.place not in (FREE, EDGE, PLACED) and word and relation is not None and not relation[2]:
        return None if _COUNTED.match(after) else _Reading(*_bounds(word, mark, after), mark, start, (start, mark.end))
    return None


def _bounds(word: str, mark: Mark, after: str) -> tuple[date | None, date | None]:
    first, last = mark.span.first, mark.span.last
    if word == "since" or (word in ("from", "between") and _ONWARDS.match(after)):
        return first, None
    if word in _AFTER:
        return last + timedelta(days=1), None
    if word in _BEFORE:
        return None, last if mark.ends else first - timedelta(days=1)
    if word in _UNTIL:
        return None, last
    if word in _ABOUT and mark.kind == "year" and not mark.relative:
        return spans.year(first.year - 1).first, spans.year(last.year + 1).last
    return first, last


def _around_event(word: str, span: DateSpan, kind: str) -> tuple[date | None, date | None]:
    """Around what happened some time in a span: of a day it is known what is before it, of a month not."""
    if word in _BEFORE:
        return None, span.first - timedelta(days=1) if kind == "day" else span.last
    if word in ("until", "till"):
        return None, span.last
    return span.first, None


def _combined(readings: Sequence[_Reading]) -> tuple[date | None, date | None]:
    """What several times have in common; where they have nothing, from the first to the last of them."""
    since, until = readings[0].since, readings[0].until
    for reading in readings[1:]:
        common = replace(readings[0], since=since, until=until) & reading
        if common is not None:
            since, until = common
        elif reading.mark.kind != readings[0].mark.kind:
            since, until = reading.since, reading.until  # what was said to lead up to it comes before
        else:
            since = min(since, reading.since) if since and reading.since else None
            until = max(until, reading.until) if until and reading.until else None
    return since, until


def _without(question: str, cuts: Sequence[tuple[int, int]]) -> str:
    for start, end in sorted(cuts, reverse=True):
        question = f"{question[:start]} {question[end:]}"
    return re.sub(r"\s+(?=[?.!,;:])", "", " ".join(question.split())).lstrip(",;: ")
