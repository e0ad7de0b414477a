"""Candidate sentences of retrieved passages, and whether a passage speaks of what a question names."""

from __future__ import annotations

import re
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
    span: Span
    text: str
    score: float = 0.0
    part: int = 0
    continues: bool = False

    def slice(self, span: Span) -> str:
        return self.hit.article.text[span.start : span.end]

    def neighbour(self, step: int) -> Span | None:
        at = self.at + step
        return self.around[at] if 0 <= at < len(self.around) else None


def sentences_of(hit: Hit) -> list[Candidate]:
    """The sentences of a hit's passage, each with those around it; a question and its answer may be one."""
    text, passage = hit.article.text, hit.passage
    around = _sentences_around(text, passage.start, passage.end)
    return [
        Candidate(hit, around, n, span, text[span.start : span.end])
        for n, span in enumerate(around)
        if span.end > passage.start and span.start < passage.end
    ]


@lru_cache(maxsize=512)
def _sentences_around(text: str, start: int, end: int) -> tuple[Span, ...]:
    """The sentences of a stretch of a text with the two on either side; kept, for the same passages come again.

    One that follows a question is one with it if either is short or the answer leans on it.
    """
    low = max(0, start - _MARGIN)
    spans = [
        *[Span(low + s.start, low + s.end) for s in sentences(text[low:start])][-2:],
        *(Span(start + s.start, start + s.end) for s in sentences(text[start:end])),
        *[Span(end + s.start, end + s.end) for s in sentences(text[end : end + _MARGIN])][:2],
    ]
    merged: list[Span] = []
    for span in spans:
        if merged and _answers(text[span.start : span.end], text[merged[-1].start : merged[-1].end]):
            merged[-1] = Span(merged[-1].start, span.end)
        else:
            merged.append(span)
    return tuple(merged)


def _answers(sentence: str, question: str) -> bool:
    """Whether a sentence is to be read with the one before it, as the answer to that."""
    if not is_question(question) or is_question(sentence):
        return False
    return len(question.split()) < _SHORT_QUESTION or len(sentence.split()) <= _SHORT_ANSWER or leans_back(sentence)


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
