"""Candidate sentences of retrieved passages, and how well each fits a question."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.answering.quoting.expecting import kind_asked, offers
from rag.records import Hit, Span
from rag.text.names import Names, group, name_words
from rag.text.sentences import sentences
from rag.text.words import content_words, stem

Vectors = NDArray[np.float32]
Encode = Callable[[list[str]], Vectors]

# How many sentences go through the encoder: 48 take a quarter of a second on one busy core.
MOST_ENCODED = 24
# Code points read on either side of a passage to see the sentences around it.
_MARGIN = 1200
# How far from a passage (code points) what the question names may stand: a news article, not a book.
_NEAR_NAME = 25_000
# That stretch of an article is widened to multiples of this, so that passages near each other share it.
_STRIDE = 10_000
_NEAR_YEAR = 1_000


@dataclass(frozen=True, slots=True)
class Weights:
    """What each feature counts for in the score of a sentence; all features lie in about [0, 1]."""

    sentence: float = 0.34  # cosine of question and sentence
    surroundings: float = 0.16  # cosine of question and the sentence with its neighbours
    coverage: float = 0.22  # share of the question's terms (by rarity) in the sentence
    nearby: float = 0.10  # the same over the sentence, its neighbours and the title
    kind: float = 0.10  # a number, a date, a person, ... where one is asked for
    passage: float = 0.08  # how well the passage was retrieved


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sentence of a hit: `at` is its place in `around`, the sentences of the passage and beside it."""

    hit: Hit
    around: tuple[Span, ...]
    at: int
    score: float = 0.0
    coverage: float = 0.0
    nearby: float = 0.0

    @property
    def span(self) -> Span:
        return self.around[self.at]

    @property
    def text(self) -> str:
        return self.slice(self.span)

    def slice(self, span: Span) -> str:
        return self.hit.article.text[span.start : span.end]

    def neighbour(self, step: int) -> Span | None:
        at = self.at + step
        return self.around[at] if 0 <= at < len(self.around) else None


def terms(text: str) -> frozenset[str]:
    """Stems of the content words, with a country, its people and its capital as one term."""
    return frozenset(stem(group(word)) for word in content_words(text))


def score_candidates(
    question: str, hits: Sequence[Hit], names: Names, rarity: dict[str, float], encode: Encode, weights: Weights
) -> list[Candidate]:
    """Score the sentences of the hits against the question, best first.

    `rarity` maps the question's terms to their inverse document frequency. Hits whose article lacks a
    name of the question yield no candidates.
    """
    able = [hit for hit in hits if _names_all(hit, names)]
    rough = [_with_coverage(candidate, rarity) for hit in able for candidate in _sentences_of(hit)]
    rough.sort(key=lambda c: -(c.nearby + c.coverage + c.hit.score))
    return _scored(question, rough[:MOST_ENCODED], encode, weights)


def _names_all(hit: Hit, names: Names) -> bool:
    """Whether what the question names stands near the passage: names in the article around it, a year
    close by or as the year of publication."""
    article, passage = hit.article, hit.passage
    if names.words:
        first = max(0, passage.start - _NEAR_NAME) // _STRIDE * _STRIDE
        last = -(-(passage.end + _NEAR_NAME) // _STRIDE) * _STRIDE
        head = f"{article.title}\n{article.publisher or ''}"
        if not names.stand_in(_name_words(head) | _name_words(article.text[first:last])):
            return False
    beside = article.text[max(0, passage.start - _NEAR_YEAR) : passage.end + _NEAR_YEAR]
    return all(year in beside or (article.published or "").startswith(year) for year in names.years)


@lru_cache(maxsize=128)
def _name_words(text: str) -> frozenset[str]:
    """`name_words`, kept: the hits of a question, and of the next one, come from few articles."""
    return name_words(text)


def _sentences_of(hit: Hit) -> list[Candidate]:
    text, passage = hit.article.text, hit.passage
    low = max(0, passage.start - _MARGIN)
    before = [Span(low + s.start, low + s.end) for s in sentences(text[low : passage.start])][-2:]
    inside = [Span(passage.start + s.start, passage.start + s.end) for s in sentences(passage.text)]
    after = [
        Span(passage.end + s.start, passage.end + s.end) for s in sentences(text[passage.end : passage.end + _MARGIN])
    ][:2]
    around = (*before, *inside, *after)
    return [Candidate(hit, around, len(before) + n) for n in range(len(inside))]


def _with_coverage(candidate: Candidate, rarity: dict[str, float]) -> Candidate:
    total = sum(rarity.values()) or 1.0
    own = terms(candidate.text)
    wide = own | terms(candidate.hit.article.title)
    for step in (-1, 1):
        beside = candidate.neighbour(step)
        if beside is not None:
            wide |= terms(candidate.slice(beside))
    return replace(
        candidate,
        coverage=sum(r for term, r in rarity.items() if term in own) / total,
        nearby=sum(r for term, r in rarity.items() if term in wide) / total,
    )


def _scored(question: str, rough: list[Candidate], encode: Encode, weights: Weights) -> list[Candidate]:
    if not rough:
        return []
    vectors = encode([question, *(c.text for c in rough)])
    asked, vectors = vectors[0], vectors[1:]
    place = {(c.hit.article.id, c.span): n for n, c in enumerate(rough)}
    kind = kind_asked(question)
    question_words = frozenset(content_words(question))
    scored = []
    for n, candidate in enumerate(rough):
        beside = [candidate.neighbour(-1), candidate.neighbour(1)]
        rows = [place[key] for span in beside if span and (key := (candidate.hit.article.id, span)) in place]
        mean = vectors[[n, *rows]].mean(axis=0)
        surroundings = float(mean @ asked) / (float(np.linalg.norm(mean)) or 1.0)
        score = (
            weights.sentence * float(vectors[n] @ asked)
            + weights.surroundings * surroundings
            + weights.coverage * candidate.coverage
            + weights.nearby * candidate.nearby
            + weights.kind * offers(kind, candidate.text, question_words)
            + weights.passage * candidate.hit.score
        )
        scored.append(replace(candidate, score=score))
    return sorted(scored, key=lambda c: (-c.score, c.hit.article.id, c.span.start))


def rarity_of(question: str, frequency: Callable[[Sequence[str]], dict[str, int]], passages: int) -> dict[str, float]:
    """Inverse document frequency of the question's terms; a word found nowhere is as rare as can be."""
    found = content_words(question)
    counts = frequency(found)
    return {stem(group(word)): math.log(1 + (passages - counts[word] + 0.5) / (counts[word] + 0.5)) for word in found}
