"""Answers made of quotes: which sentences, with what context, and when to decline."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.answering.quoting.candidates import Candidate, Encode, Weights, rarity_of, score_candidates, terms
from rag.records import Evidence, Finding, Hit, Span
from rag.text.names import question_names

_LEANS_BACK = re.compile(
    r"^[\"“‘'(]*(?:(?:But|And|Yet|So|Or|Still|However|Meanwhile|Instead|Nevertheless|Then|Later|Also),? )?"
    r"(?i:he|she|they|it|this|that|these|those|his|her|their|its|both|the (?:two|three|pair|former|latter))\b"
)
# Steps and options announce something only as the last word; goals and points are those of a match.
_ANNOUNCES = re.compile(
    r"\b(?:both|each|two|three|four|several|following|a number of|these)\b[^.]{0,60}"
    r"\b(?:(?:demands?|conditions?|reasons?|requests?|priorities|aims|proposals|things|messages|concerns"
    r"|requirements)\b|(?:steps|options)\W*$)|:$",
    re.IGNORECASE,
)
_FIGURE = re.compile(
    r"\d[\d.,]*\b|\b(?:no|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?)\b"
)
_WIDEST = 700  # code points of a quote with its context


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a sentence is near enough to be quoted. Scores lie in about [0, 1]."""

    best: float = 0.40  # below this nothing is quoted
    ask_writer: float = 0.30  # below this no writer is asked either; it reads more than one sentence
    drop: float = 0.72  # share of the best score below which no further quote follows
    most: int = 5


DEFAULT_WEIGHTS = Weights()
DEFAULT_THRESHOLDS = Thresholds()


@dataclass(frozen=True, slots=True)
class Quoter:
    """Chooses quotes that answer a question. `frequency` and `passages` describe the library's words."""

    encode: Encode
    frequency: Callable[[Sequence[str]], dict[str, int]]
    passages: Callable[[], int]
    weights: Weights = DEFAULT_WEIGHTS
    thresholds: Thresholds = DEFAULT_THRESHOLDS

    def candidates(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """The scored sentences of the hits, best first; none if what the question names stands nowhere near."""
        names = question_names(question, lambda word: bool(self.frequency([word])[word]))
        rarity = rarity_of(question, self.frequency, self.passages())
        return score_candidates(question, hits, names, rarity, self.encode, self.weights)

    def near_enough(self, candidates: Sequence[Candidate]) -> bool:
        """Whether anything is near enough to the question to be worth a writer's time."""
        return bool(candidates) and candidates[0].score >= self.thresholds.ask_writer

    def findings(self, candidates: Sequence[Candidate]) -> list[Finding]:
        """The quotes worth showing, best first; empty means that the question is declined."""
        if not candidates or candidates[0].score < self.thresholds.best:
            return []
        chosen: list[tuple[Candidate, Span]] = []
        floor = candidates[0].score * self.thresholds.drop
        for candidate in candidates:
            if candidate.score < floor or len(chosen) == self.thresholds.most:
                break
            span = _with_context(candidate)
            if not any(_repeats(candidate, span, *earlier) for earlier in chosen):
                chosen.append((candidate, span))
        return [_finding(candidate.hit, span) for candidate, span in chosen]


def _with_context(candidate: Candidate) -> Span:
    """The sentence, with the one before when it leans on it and those after when it only announces them."""
    start, end = candidate.span.start, candidate.span.end
    before = candidate.neighbour(-1)
    if before and _LEANS_BACK.match(candidate.text) and end - before.start <= _WIDEST:
        start = before.start
    if _ANNOUNCES.search(candidate.text):
        for step in (1, 2):
            after = candidate.neighbour(step)
            if after and after.end - start <= _WIDEST:
                end = after.end
    return Span(start, end)


def _repeats(candidate: Candidate, span: Span, other: Candidate, taken: Span) -> bool:
    """Whether a quote overlaps one that was chosen, or says the same in nearly the same words."""
    if candidate.hit.article.id == other.hit.article.id and span.start < taken.end and taken.start < span.end:
        return True
    if _figures(candidate.text) - _figures(other.slice(taken)):
        return False  # the same sentence with another toll is another report, and the reader must see both
    mine, theirs = terms(candidate.text), terms(other.slice(taken))
    return bool(mine) and len(mine & theirs) / len(mine) >= 0.8


def _figures(text: str) -> frozenset[str]:
    return frozenset(_FIGURE.findall(text.casefold()))


def _finding(hit: Hit, span: Span) -> Finding:
    evidence = Evidence(hit, span.start, span.end)
    return Finding(" ".join(evidence.text.split()), (evidence,))
