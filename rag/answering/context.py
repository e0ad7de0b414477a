"""How much of an article a quote takes in beside the sentence that it is quoted for."""

from __future__ import annotations

import re

from rag.answering.candidates import Candidate, leans_back
from rag.records import Span

# Steps and options announce something only as the last word; goals and points are those of a match.
_ANNOUNCES = re.compile(
    r"\b(?:both|each|two|three|four|several|following|a number of|these)\b[^.]{0,60}"
    r"\b(?:(?:demands?|conditions?|reasons?|requests?|priorities|aims|proposals|things|messages|concerns"
    r"|requirements)\b|(?:steps|options)\W*$)|:$",
    re.IGNORECASE,
)
_WIDEST = 700  # code points of a quote with its context
_FARTHEST = 2  # sentences to the other end of somebody's words
_SPEECH_MARK = re.compile(r"[“”«»\"]")
_OPENING = re.compile(r"(?:^|[\s(\[—–-])\"(?=\S)")


def with_context(candidate: Candidate) -> Span:
    """The sentence, with the one before when it leans on it, and those after when it only announces them or
    they say of it what was asked. Somebody's words are not cut in two where their other end is near."""
    start, end = candidate.span.start, candidate.span.end
    before = candidate.neighbour(-1)
    if before and leans_back(candidate.text) and end - before.start <= _WIDEST:
        start = before.start
    following = (1, 2) if _ANNOUNCES.search(candidate.text) else (1,) if candidate.continues else ()
    for step in following:
        after = candidate.neighbour(step)
        if after and after.end - start <= _WIDEST:
            end = after.end
    return _with_whole_speech(candidate, Span(start, end))


def fits(span: Span) -> bool:
    """Whether a quote is no longer than a quote may be."""
    return span.end - span.start <= _WIDEST


def _with_whole_speech(candidate: Candidate, span: Span) -> Span:
    """The span with the sentences before it to where speech opens that it closes, and those after it to where
    speech closes that it opens."""
    if _torn(candidate.slice(span))[0]:
        before = [Span(other.start, span.end) for other in reversed(candidate.around) if other.start < span.start]
        whole = (wider for wider in before[:_FARTHEST] if fits(wider) and not _torn(candidate.slice(wider))[0])
        span = next(whole, span)
    if _torn(candidate.slice(span))[1]:
        after = [Span(span.start, other.end) for other in candidate.around if other.end > span.end]
        whole = (wider for wider in after[:_FARTHEST] if fits(wider) and not _torn(candidate.slice(wider))[1])
        span = next(whole, span)
    return span


def _torn(text: str) -> tuple[bool, bool]:
    """Whether a text closes speech that it does not open, and whether it opens some that it does not close."""
    opening = {match.end() - 1 for match in _OPENING.finditer(text)}
    closes_other = inside = False
    for match in _SPEECH_MARK.finditer(text):
        if match.group() in "“«" or match.start() in opening:
            inside = True
        else:
            closes_other |= not inside
            inside = False
    return closes_other, inside
