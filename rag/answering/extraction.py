"""Extraction: which sentences are quoted, and how much of an article beside each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import takewhile

from rag.answering.candidates import Candidate, leans_back
from rag.answering.deduplication import is_copy, repeats
from rag.answering.reading import Candidates
from rag.records import Article, Evidence, Span, UncitedClaim

__all__ = ["extract_claims"]

# Steps and options announce something only as the last word; goals and points are those of a match.
_ANNOUNCES = re.compile(
    r"\b(?:both|each|two|three|four|several|following|a number of|these)\b[^.]{0,60}"
    r"\b(?:(?:demands?|conditions?|reasons?|requests?|priorities|aims|proposals|things|messages|concerns"
    r"|requirements)\b|(?:steps|options)\W*$)|:$",
    re.IGNORECASE,
)
_MOST_CHARS = 700  # code points of a quote with its context
_FARTHEST = 2  # sentences to the other end of somebody's words
_SPEECH_MARK = re.compile(r"[“”«»\"]")
_OPENING = re.compile(r"(?:^|[\s(\[—–-])\"(?=\S)")


@dataclass(slots=True)
class _Quote:
    """A quote, and the articles that say it in the same words."""

    candidate: Candidate
    span: Span
    copies: list[Article] = field(default_factory=list)

    def covers(self, candidate: Candidate, span: Span) -> bool:
        """Whether another quote would touch this one, or say the same in nearly the same words."""
        if candidate.hit.article.id == self.candidate.hit.article.id and _overlap(span, self.span):
            return True
        return repeats(candidate.text, self.candidate.slice(self.span))

    def absorb(self, candidate: Candidate, span: Span) -> None:
        """Let the quote also stand for a candidate that repeats it: a copy, or what touches it in the article."""
        if candidate.hit.article.id != self.candidate.hit.article.id:
            if is_copy(candidate.text, self.candidate.text):
                self.copies.append(candidate.hit.article)
            return
        union = Span(min(self.span.start, span.start), max(self.span.end, span.end))
        if _overlap(span, self.span) and _fits(union):
            self.span = union

    def claim(self) -> UncitedClaim:
        evidence = Evidence(self.candidate.hit, self.span.start, self.span.end)
        copies = {article.id: article.url or article.title for article in self.copies}
        return UncitedClaim(" ".join(evidence.text.split()), (evidence,), copies=tuple(copies.values()))


def extract_claims(candidates: Candidates) -> list[UncitedClaim]:
    """The quotes worth showing, best first; empty if no sentence is likely enough to answer."""
    if not candidates.quotable:
        return []
    thresholds = candidates.thresholds
    first, *others = candidates.sentences
    # The best for each part of the question comes next: the first would crowd it out.
    leads = [first, *(c for c in others if c.part and c.score >= thresholds.best)]
    likely = takewhile(lambda candidate: candidate.score >= first.score * thresholds.drop, candidates.sentences)
    quotes: list[_Quote] = []
    for candidate in [*leads, *likely]:
        span = with_context(candidate)
        original = next((quote for quote in quotes if quote.covers(candidate, span)), None)
        if original is not None:
            original.absorb(candidate, span)
        elif len(quotes) < thresholds.most_quotes:
            quotes.append(_Quote(candidate, span))
    return [quote.claim() for quote in quotes]


def with_context(candidate: Candidate) -> Span:
    """The sentence, with the one before when it leans on it, and those after when it only announces them or
    they say of it what was asked. Somebody's words are not cut in two where their other end is near."""
    start, end = candidate.span.start, candidate.span.end
    before = candidate.neighbour(-1)
    if before and leans_back(candidate.text) and end - before.start <= _MOST_CHARS:
        start = before.start
    following = (1, 2) if _ANNOUNCES.search(candidate.text) else (1,) if candidate.continues else ()
    for step in following:
        after = candidate.neighbour(step)
        if after and after.end - start <= _MOST_CHARS:
            end = after.end
    return _with_whole_speech(candidate, Span(start, end))


def _with_whole_speech(candidate: Candidate, span: Span) -> Span:
    """The span with the sentences before it to where speech opens that it closes, and those after it to where
    speech closes that it opens."""
    if _cuts_speech(candidate.slice(span))[0]:
        before = [Span(other.start, span.end) for other in reversed(candidate.around) if other.start < span.start]
        whole = (wider for wider in before[:_FARTHEST] if _fits(wider) and not _cuts_speech(candidate.slice(wider))[0])
        span = next(whole, span)
    if _cuts_speech(candidate.slice(span))[1]:
        after = [Span(span.start, other.end) for other in candidate.around if other.end > span.end]
        whole = (wider for wider in after[:_FARTHEST] if _fits(wider) and not _cuts_speech(candidate.slice(wider))[1])
        span = next(whole, span)
    return span


def _cuts_speech(text: str) -> tuple[bool, bool]:
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


def _fits(span: Span) -> bool:
    """Whether a quote is no longer than a quote may be."""
    return span.end - span.start <= _MOST_CHARS


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
