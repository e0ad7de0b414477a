"""The features of every candidate sentence of a question."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.answering.answer_type import kind_asked, offers
from rag.answering.candidates import Candidate, leans_back, sentences_of
from rag.english.names import group, in_words_of
from rag.english.words import content_words, stem
from rag.models.reader import Reader, Reading
from rag.records import Hit, Span

FEATURES = (
    "span",  # the reader's best answer within the sentence, a logit
    "lift",  # the same, less its score for "no answer in this passage"
    "answers",  # its logit that the passage answers
    "retrieved",  # how well the passage was retrieved, [0, 1]
    "rank",  # one over the place of the passage among the hits
    "cosine",  # of question and passage
    "coverage",  # share of the question's terms (by rarity) in the sentence, less the largest share in any of them
    "nearby",  # that share over the sentence, its neighbours and the title
    "kind",  # 1 if it holds a number, a date, a person, ... where one is asked for; 0.5 where none is
    "opens",  # 1 for the first sentence of a passage
)
_COVERAGE = FEATURES.index("coverage")


@dataclass(frozen=True, slots=True)
class FeatureMatrix:
    """Candidates and their features, shape (candidates, FEATURES)."""

    candidates: list[Candidate]
    features: NDArray[np.float64]


def measure_features(question: str, rarity: dict[str, float], hits: Sequence[Hit], reader: Reader) -> FeatureMatrix:
    """The sentences of the hits, and what is measured of each.

    `rarity` maps the question's terms to their inverse document frequency. Likeness of question and sentence
    by the encoder was a feature once: beside the reader it adds nothing, and takes longer.
    """
    readings = _readings(question, hits, reader)
    kind, question_words = kind_asked(question), frozenset(content_words(question))
    candidates: list[Candidate] = []
    rows: list[tuple[float, ...]] = []
    for rank, (hit, reading) in enumerate(zip(hits, readings, strict=True), start=1):
        of_passage = (reading.answers, hit.score, 1 / rank, hit.cosine or 0.0)
        own = sentences_of(hit)
        covered = _coverage(own, rarity)
        for number, (candidate, (coverage, nearby)) in enumerate(zip(own, covered, strict=True)):
            span = _span(candidate, reading)
            offered = offers(kind, candidate.text, question_words)
            continues = number + 1 < len(own) and covered[number + 1][0] > coverage and leans_back(own[number + 1].text)
            candidates.append(replace(candidate, continues=continues))
            rows.append((span, span - reading.nothing, *of_passage, coverage, nearby, offered, float(number == 0)))
    features = np.array(rows, np.float64).reshape(-1, len(FEATURES))
    # A sentence that has less of the question than another is likely about something else.
    features[:, _COVERAGE] -= features[:, _COVERAGE].max(initial=0.0)
    return FeatureMatrix(candidates, features)


@lru_cache(maxsize=8192)
def terms(text: str) -> frozenset[str]:
    """Stems of the content words, with a country, its people and its capital as one term."""
    return frozenset(stem(group(word)) for word in content_words(text))


def term_rarity(question: str, frequency: Callable[[Sequence[str]], dict[str, int]], passages: int) -> dict[str, float]:
    """Inverse document frequency of the question's terms; a word found nowhere is as rare as can be."""
    words = content_words(question)
    counts = frequency(words)
    return {stem(group(word)): math.log(1 + (passages - counts[word] + 0.5) / (counts[word] + 0.5)) for word in words}


def _readings(question: str, hits: Sequence[Hit], reader: Reader) -> list[Reading]:
    """The reader knows no capitals: every passage is asked in its own names for countries."""
    readings: dict[int, Reading] = {}
    wordings = [in_words_of(f"{hit.article.title}\n{hit.passage.text}", question) for hit in hits]
    for wording in dict.fromkeys(wordings):
        places = [n for n, own in enumerate(wordings) if own == wording]
        passages = [(hits[n].article.title, hits[n].passage.text) for n in places]
        readings.update(zip(places, reader.read(wording, passages), strict=True))
    return [readings[n] for n in range(len(hits))]


def _span(candidate: Candidate, reading: Reading) -> float:
    passage, span = candidate.hit.passage, candidate.span
    best = reading.best(Span(max(0, span.start - passage.start), span.end - passage.start))
    # Only what lies beyond the reader's longest passage has no token that it read.
    return best.score if best else reading.nothing


def _coverage(own: Sequence[Candidate], rarity: dict[str, float]) -> list[tuple[float, float]]:
    """For each sentence of one passage the share of the question's terms in it, and with its neighbours and title."""
    if not own:
        return []
    total = sum(rarity.values()) or 1.0
    first = own[0]
    title = terms(first.hit.article.title)
    around = [terms(first.slice(span)) for span in first.around]  # the same for every sentence of a passage

    def share(words: frozenset[str]) -> float:
        return sum(r for term, r in rarity.items() if term in words) / total

    return [(share(around[c.at]), share(title.union(*around[max(0, c.at - 1) : c.at + 2]))) for c in own]
