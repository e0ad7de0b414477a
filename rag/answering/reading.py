"""Reading: how likely each sentence of the passages is to answer the question.

A logistic regression over the features of `rag.answering.features`. `benchmarks/learn_quoting.py` learned its
weights on questions whose answers are known and on questions without one, and reports what it is worth on texts
that it has not seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from rag.answering.answer_type import asks_what_was_asked
from rag.answering.candidates import Candidate, is_mere_answer, is_question, sentences_of, speaks_of
from rag.answering.decomposition import parts
from rag.answering.features import FEATURES, FeatureMatrix, measure_features, term_rarity
from rag.answering.periods.newest import newest_first
from rag.answering.search import PassageSet, SearchOutcome
from rag.english.names import question_names
from rag.english.sentences import sentences
from rag.models.reader import Reader
from rag.records import Hit

__all__ = ["WEIGHTS_FILE", "Candidates", "SentenceReader", "Thresholds", "load_weights", "probabilities"]

WEIGHTS_FILE = "weights.json"

_LONGEST_QUESTION = 40  # words
# Odds of a sentence far from which a person, a place or a year stands that the question names. SQuAD and
# EvoTemp hardly ask about what their articles do not name, so that no weight could be learned; on both, this
# one loses nothing that is beyond noise.
_UNNAMED_ODDS = 0.1
_DIGEST_SCORE = 0.99  # of the opening sentences of a digest: shown unless nothing is to be shown


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How likely a sentence must be to answer the question."""

    best: float = 0.04  # below this nothing is quoted
    llm: float = 1 / 3  # share of that from which on a language model is asked, which reads more than one sentence
    drop: float = 0.25  # share of the best probability below which no further quote follows
    most_quotes: int = 5


@dataclass(frozen=True, slots=True)
class Candidates:
    """The sentences of the passages that were read, best first, with their probabilities as scores."""

    passages: PassageSet
    sentences: tuple[Candidate, ...]
    thresholds: Thresholds

    @property
    def confidence(self) -> float | None:
        """Probability that the best sentence answers, in [0, 1]; None in a digest, where none was estimated."""
        if self.passages.digest:
            return None
        return round(max((sentence.score for sentence in self.sentences), default=0.0), 4)

    @property
    def quotable(self) -> bool:
        """Whether a sentence is likely enough to be quoted."""
        return bool(self.sentences) and self.sentences[0].score >= self.thresholds.best

    @property
    def answerable(self) -> bool:
        """Whether a sentence is near enough to the question to be worth a language model's time."""
        return bool(self.sentences) and self.sentences[0].score >= self.thresholds.best * self.thresholds.llm


@dataclass(frozen=True, slots=True)
class SentenceReader:
    """Scores sentences. `frequency` maps words to the number of passages that hold them, `passages` counts all."""

    model: Reader
    frequency: Callable[[Sequence[str]], dict[str, int]]
    passages: Callable[[], int]
    thresholds: Thresholds = Thresholds()

    def read(self, found: SearchOutcome) -> Candidates:
        """The candidates of the first set of passages that can be quoted, else of the first set."""
        first: Candidates | None = None
        for passages in found.passage_sets:
            candidates = self._read_set(passages, found)
            if candidates.quotable:
                return candidates
            first = first or candidates
        return first or Candidates(PassageSet(), (), self.thresholds)

    def score(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """The sentences of the hits with the probability that each answers the question, or one of its parts if it
        asks for two things; best first."""
        question = _last_sentence(question)
        whole = {(c.hit.passage.id, c.at): c for c in self._score_one(question, hits)}
        for candidate in self._score_parts(question, hits):
            key = candidate.hit.passage.id, candidate.at
            score = max(whole[key].score, candidate.score)
            whole[key] = replace(whole[key], score=score, part=whole[key].part or candidate.part)
        return best_first(whole.values())

    def features(self, question: str, hits: Sequence[Hit]) -> FeatureMatrix:
        """The sentences of the hits and what is measured of each."""
        return measure_features(question, term_rarity(question, self.frequency, self.passages()), hits, self.model)

    def _read_set(self, passages: PassageSet, found: SearchOutcome) -> Candidates:
        if passages.digest:
            openings = [sentences_of(hit)[:1] for hit in passages.hits]
            scored = [replace(first, score=_DIGEST_SCORE) for own in openings for first in own]
        else:
            scored = best_first(c for wording, hits in passages.wordings for c in self.score(wording, hits))
        if found.dates.newest_first:
            scored = newest_first(scored, found.dates.today)
        return Candidates(passages, tuple(scored), self.thresholds)

    def _score_parts(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """What may answer the parts of a question; nothing if one of them has no answer, so that a question for two
        things at once makes no near miss likelier."""
        scored: list[Candidate] = []
        article = ""
        for number, part in enumerate(parts(question), start=1):
            own = [c for c in self._score_one(part.question, hits) if part.may_be_answered_by(c, article)]
            if not own or own[0].score < self.thresholds.best:
                return []
            article = own[0].hit.article.id
            scored += [replace(own[0], part=number), *own[1:]]
        return scored

    def _score_one(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        matrix = self.features(question, hits)
        names = question_names(question, lambda word: bool(self.frequency([word])[word]))
        unnamed = {hit.passage.id for hit in hits if not speaks_of(hit, names)}
        keeps_questions = asks_what_was_asked(question)
        scored = []
        for candidate, chance in zip(matrix.candidates, probabilities(matrix, load_weights()).tolist(), strict=True):
            if is_mere_answer(candidate.text) or (is_question(candidate.text) and not keeps_questions):
                continue
            score = _with_odds(chance, _UNNAMED_ODDS) if candidate.hit.passage.id in unnamed else chance
            scored.append(replace(candidate, score=score))
        return best_first(scored)


@cache
def load_weights() -> NDArray[np.float64]:
    """One weight for each of FEATURES, and the constant last; shape (features + 1,)."""
    table = json.loads((files("rag.answering") / WEIGHTS_FILE).read_text(encoding="utf-8"))
    return np.array([*(table[name] for name in FEATURES), table["constant"]])


def probabilities(matrix: FeatureMatrix, weights: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely each candidate is to answer the question, in [0, 1]; shape (candidates,)."""
    logits = matrix.features @ np.asarray(weights)[:-1] + weights[-1]
    return np.asarray(1 / (1 + np.exp(-logits)))


def best_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates by falling score, in an order that does not depend on the one given."""
    return sorted(candidates, key=lambda c: (-c.score, c.hit.article.id, c.span.start))


def _with_odds(chance: float, factor: float) -> float:
    odds = chance / (1 - chance) * factor
    return odds / (1 + odds)


def _last_sentence(message: str) -> str:
    """The last sentence of a long message: the model reads no more of it, and all else would count as missing."""
    if len(message.split()) <= _LONGEST_QUESTION:
        return message
    last = sentences(message)[-1]
    return message[last.start : last.end]
