"""Answers made of quotes: which sentences, with what context, and when to decline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from rag.answering.answer_type import asks_what_was_asked
from rag.answering.candidates import Candidate, is_mere_answer, is_question, speaks_of, speaks_of_part
from rag.answering.context import fits, with_context
from rag.answering.decomposition import parts
from rag.answering.deduplication import is_copy, repeats
from rag.answering.features import Measured, measure, rarity_of
from rag.answering.reading import best_first, scored
from rag.answering.topic_filter import about_something_else
from rag.english.names import question_names
from rag.english.sentences import sentences
from rag.models.reader import Reader
from rag.records import Article, Evidence, Hit, Span, UncitedClaim

_LONGEST_QUESTION = 40  # words


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How likely a sentence must be to answer the question."""

    best: float = 0.04  # below this nothing is quoted
    writer: float = 1 / 3  # share of that from which on a writer is asked, which reads more than one sentence
    drop: float = 0.25  # share of the best probability below which no further quote follows
    most: int = 5


@dataclass(frozen=True, slots=True)
class Extractor:
    """Chooses quotes that answer a question. `frequency` and `passages` describe the library's words."""

    reader: Reader
    frequency: Callable[[Sequence[str]], dict[str, int]]
    passages: Callable[[], int]
    thresholds: Thresholds = Thresholds()

    def measured(self, question: str, hits: Sequence[Hit]) -> Measured:
        """The sentences of the hits, and what is known of each."""
        return measure(question, rarity_of(question, self.frequency, self.passages()), hits, self.reader)

    def candidates(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """The same sentences with the probability that each answers the question, or one of its parts if it asks
        for two things; best first."""
        question = _what_is_asked(question)
        found = {(c.hit.passage.id, c.at): c for c in self._scored(question, hits)}
        for candidate in self._of_parts(question, hits):
            whole = found[candidate.hit.passage.id, candidate.at]
            likelier = max(whole.score, candidate.score)
            found[whole.hit.passage.id, whole.at] = replace(whole, score=likelier, part=whole.part or candidate.part)
        return best_first(found.values())

    def _of_parts(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        """What may answer the parts of a question; nothing if one of them finds none, so that to be asked for two
        things at once makes no near miss likelier."""
        found: list[Candidate] = []
        article = ""
        for number, part in enumerate(parts(question), start=1):
            own = [c for c in self._scored(part.question, hits) if part.may_be_answered_by(c, article)]
            if not own or own[0].score < self.thresholds.best:
                return []
            article = own[0].hit.article.id
            found += [replace(own[0], part=number), *own[1:]]
        return found

    def _scored(self, question: str, hits: Sequence[Hit]) -> list[Candidate]:
        names = question_names(question, lambda word: bool(self.frequency([word])[word]))
        elsewhere = frozenset() if names else about_something_else(question, [hit.article for hit in hits])

        def speaks(hit: Hit) -> bool:
            return hit.article.id not in elsewhere and speaks_of(hit, names) and speaks_of_part(hit, question)

        found = scored(self.measured(question, hits), speaks)
        return [
            c
            for c in found
            if not is_mere_answer(c.text) and (not is_question(c.text) or asks_what_was_asked(question))
        ]

    def near_enough(self, candidates: Sequence[Candidate]) -> bool:
        """Whether anything is near enough to the question to be worth a writer's time."""
        return bool(candidates) and candidates[0].score >= self.thresholds.best * self.thresholds.writer

    def findings(self, candidates: Sequence[Candidate]) -> list[UncitedClaim]:
        """The quotes worth showing, best first; empty means that the question is declined."""
        if not candidates or candidates[0].score < self.thresholds.best:
            return []
        chosen: list[_Chosen] = []
        floor = candidates[0].score * self.thresholds.drop
        likely = takewhile(lambda candidate: candidate.score >= floor, candidates)
        for candidate in [*self._leads(candidates), *likely]:
            span = with_context(candidate)
            original = next((earlier for earlier in chosen if earlier.covers(candidate, span)), None)
            if original is not None:
                original.take_in(candidate, span)
            elif len(chosen) < self.thresholds.most:
                chosen.append(_Chosen(candidate, span))
        return [_finding(quote) for quote in chosen]

    def _leads(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The first candidate, and the best for each part of the question, which it would crowd out."""
        first, *others = candidates
        return [first, *(c for c in others if c.part and c.score >= self.thresholds.best)]


def _what_is_asked(message: str) -> str:
    """The last sentence of a long message: the reader sees no more of it, and all else would count as missing."""
    if len(message.split()) <= _LONGEST_QUESTION:
        return message
    last = sentences(message)[-1]
    return message[last.start : last.end]


@dataclass(slots=True)
class _Chosen:
    """A quote, and the articles that say it in the same words."""

    candidate: Candidate
    span: Span
    copies: list[Article] = field(default_factory=list)

    def covers(self, candidate: Candidate, span: Span) -> bool:
        """Whether another quote would touch this one, or say the same in nearly the same words."""
        if candidate.hit.article.id == self.candidate.hit.article.id and _overlap(span, self.span):
            return True
        return repeats(candidate.text, self.candidate.slice(self.span))

    def take_in(self, candidate: Candidate, span: Span) -> None:
        """Let the quote also stand for a candidate that repeats it: a copy, or what touches it in the article."""
        if candidate.hit.article.id != self.candidate.hit.article.id:
            if is_copy(candidate.text, self.candidate.text):
                self.copies.append(candidate.hit.article)
            return
        joined = Span(min(self.span.start, span.start), max(self.span.end, span.end))
        if _overlap(span, self.span) and fits(joined):
            self.span = joined


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _finding(quote: _Chosen) -> UncitedClaim:
    evidence = Evidence(quote.candidate.hit, quote.span.start, quote.span.end)
    copies = {article.id: article.url or article.title for article in quote.copies}
    return UncitedClaim(" ".join(evidence.text.split()), (evidence,), copies=tuple(copies.values()))
