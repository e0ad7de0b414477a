"""Candidate sentences of retrieved passages, and whether a passage speaks of what a question names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.english.names import Names, name_words
from rag.english.sentences import sentences
from rag.english.words import WORD, fold, is_stop_word
from rag.records import Hit, Span

# Code points read on either side of a passage to see the sentences around it.
_MARGIN = 1200
# How far from a passage (code points) what the question names may stand: a news article, not a book.
_NEAR_NAME = 25_000
# That stretch of an article is widened to multiples of this, so that passages near each other share it.
_STRIDE = 10_000
_NEAR_YEAR = 1_000

_LEANS_BACK = re.compile(
    r"^[\"“‘'(]*(?:(?:But|And|Yet|So|Or|Still|However|Meanwhile|Instead|Nevertheless|Then|Later|Also),? )?"
    r"(?i:he|she|they|it|this|that|these|those|his|her|their|its|both|the (?:two|three|pair|former|latter))\b"
)

# Not one that somebody is said to ask: 'The minister asked: "Why now?"' tells something.
_ASKS = re.compile(r"^[\"“«(\[]*[^\"“«]*[?？؟][\"”'’»)\]]*$")
_SHORT_QUESTION = 8  # words from which on a question is not brought with the answer to it
_SHORT_ANSWER = 3  # words up to which an answer says nothing without its question
# Beside stop words what such an answer is made of: "Never again", "Of course not".
_MERE_ANSWERS = frozenset(
    """
    never yep nope absolutely certainly definitely exactly maybe perhaps sure nothing nobody none course indeed
    probably possibly
    """.split()  # noqa: SIM905  # reads better as prose than as a list
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sentence of a hit, or a question that stands in it with the answer ("When? Not before summer."): `at` is its
    place in `around`, the sentences of the passage and beside it.

    `score` is the probability that it answers the question, or a part of it; `part` numbers the part, if any, that it
    answers best of all; `continues` says that the sentence after it leans on it and has more of the question's words:
    "Marta Lind leads the port. She announced a new pier."
    """

    hit: Hit
    around: tuple[Span, ...]
    at: int
    score: float = 0.0
    part: int = 0
    continues: bool = False

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


def sentences_of(hit: Hit) -> list[Candidate]:
    """The sentences of a hit's passage, each with those around it; a question and its answer may be one."""
    text, passage = hit.article.text, hit.passage
    low = max(0, passage.start - _MARGIN)
    before = [Span(low + s.start, low + s.end) for s in sentences(text[low : passage.start])][-2:]
    inside = [Span(passage.start + s.start, passage.start + s.end) for s in sentences(passage.text)]
    after = [
        Span(passage.end + s.start, passage.end + s.end) for s in sentences(text[passage.end : passage.end + _MARGIN])
    ][:2]
    around = _join_questions(text, [*before, *inside, *after])
    return [Candidate(hit, around, n) for n, s in enumerate(around) if s.end > passage.start and s.start < passage.end]


def _join_questions(text: str, spans: Sequence[Span]) -> tuple[Span, ...]:
    """The sentences, where one that follows a question is one with it if either is short or the answer leans on it."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and _belongs_to(text[last.start : last.end], text[span.start : span.end]):
            joined[-1] = Span(last.start, span.end)
        else:
            joined.append(span)
    return tuple(joined)


def _belongs_to(question: str, answer: str) -> bool:
    """Whether a sentence is to be read with the one before it, as the answer to that."""
    if not is_question(question) or is_question(answer):
        return False
    return len(question.split()) < _SHORT_QUESTION or len(answer.split()) <= _SHORT_ANSWER or leans_back(answer)


def is_question(sentence: str) -> bool:
    """Whether a sentence asks and tells nothing."""
    return bool(_ASKS.match(sentence))


def is_mere_answer(sentence: str) -> bool:
    """Whether a sentence is few words that say nothing without a question: "No.", "Of course not"."""
    words = WORD.findall(sentence)
    return len(words) <= _SHORT_ANSWER and all(is_stop_word(word) or fold(word) in _MERE_ANSWERS for word in words)


def leans_back(sentence: str) -> bool:
    """Whether a sentence opens with a word that stands for something in the one before."""
    return bool(_LEANS_BACK.match(sentence))


def speaks_of(hit: Hit, names: Names) -> bool:
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
