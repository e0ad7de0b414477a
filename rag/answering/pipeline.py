"""From a question to an answer, as one generator of events that every face renders."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date

from rag.answering.candidates import Candidate
from rag.answering.citations import NO_EVIDENCE, CitationBuilder, as_of, closest, markdown
from rag.answering.concurrency import FairSemaphore
from rag.answering.extraction import Extractor
from rag.answering.followups.rewriting import asks_writer, rewrite
from rag.answering.followups.rules import standalone
from rag.answering.generation.generate import Writing
from rag.answering.generation.prompt import build_prompt
from rag.answering.notes import filter_notes, period_notes
from rag.answering.periods.period import ANY_TIME
from rag.answering.periods.reading import read_period
from rag.answering.search import Dated, search, without_demand
from rag.english.sentences import sentences
from rag.errors import InvalidRequest, LanguageModelError
from rag.models.deadline import Cancellable, Deadline
from rag.models.llm import MOST_CALLS, LanguageModel
from rag.records import (
    Answer,
    ClaimShown,
    Done,
    Event,
    Filters,
    Hit,
    Note,
    Question,
    Reset,
    Source,
    SourcesShown,
    Timings,
    UncitedClaim,
    Verdict,
)
from rag.retrieval.retriever import LONGEST_QUERY, Encode, Retriever, searchable

# Passages shown to a writer or searched for quotes.
TOP_K = 10


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers questions from the library alone. `writer` is None when no language model is configured.

    To search, and to weigh what was found, takes a processor's time: `turns` says how many answers do so at once.
    """

    retriever: Retriever
    quoter: Extractor
    encode: Encode
    writer: LanguageModel | None
    today: Callable[[], date]
    deadline_s: float
    turns: FairSemaphore

    def answer(self, question: Question) -> Cancellable[Event]:
        """Events of one answer; the last is Done. Closing it, from any thread, stops the writer.

        Raises InvalidRequest for a question that is empty or too long. Iterating raises TooBusy.
        """
        # The clock of an answer starts before the search: the reader waits for both.
        deadline = Deadline.after(self.deadline_s)
        return Cancellable(_Run(self, checked(question)).events(deadline), deadline)


def checked(question: Question) -> Question:
    """The question as it can be searched. Raises InvalidRequest."""
    since, until = question.filters.since, question.filters.until
    if since and until and since > until:
        raise InvalidRequest(f"no day is since {since} and until {until}", "swap the two dates")
    said = [turn for turn in question.history if turn.content.strip()]
    # Of a long turn its beginning tells what it was about.
    history = tuple(replace(turn, content=searchable(turn.content[:LONGEST_QUERY])) for turn in said)
    return replace(question, text=searchable(question.text), history=history)


class _Run:
    """One question on its way to an answer."""

    def __init__(self, answerer: Answerer, question: Question) -> None:
        self._parts = answerer
        self._question = question
        # Whoever asks for quotes wants no model call at all.
        self._writer = None if question.mode == "quotes" else answerer.writer
        self._filters = Filters(publishers=question.filters.publishers) if question.all_dates else question.filters
        self._composer = CitationBuilder()
        self._calls = MOST_CALLS
        self._asked_as = ""
        self._dated = Dated(ANY_TIME, [], [])
        self._started = self._searched = time.perf_counter()

    def events(self, deadline: Deadline) -> Generator[Event, None, None]:
        standalone = self._standalone(deadline)
        with self._parts.turns.turn(deadline):
            hits, candidates = self._search(standalone)
        self._searched = time.perf_counter()
        if not self._parts.quoter.near_enough(candidates):
            yield Done(self._no_evidence(hits))
            return
        if self._writer is None:
            degraded = None if self._question.mode == "quotes" else "no_model"
            yield from self._quotes(candidates, hits, degraded)
            return
        try:
            yield from self._written(self._writer, hits, deadline)
        except LanguageModelError as error:
            if self._composer.claims:
                yield Reset(error.reason)
            self._composer = CitationBuilder()
            yield from self._quotes(candidates, hits, error.reason)

    def _search(self, standalone: str) -> tuple[list[Hit], list[Candidate]]:
        """Search the standalone question; where only the question alone finds anything, that one. Both without slips
        of the hand in words that the library lacks: what is quoted is held against these words too."""
        alone = " ".join(self._question.text.split())
        self._asked_as = self._parts.retriever.respelled(standalone)
        self._dated = self._search_for(self._asked_as)
        if alone != standalone and not self._parts.quoter.near_enough(self._dated.candidates):
            alone = self._parts.retriever.respelled(alone)
            other = self._search_for(alone)
            if self._parts.quoter.near_enough(other.candidates):
                self._asked_as, self._dated = alone, other
        return self._dated.hits, self._dated.candidates

    def _search_for(self, text: str) -> Dated:
        period = read_period(text, self._parts.today())
        if self._question.all_dates:
            period = without_demand(period, text)
        return search(self._parts.retriever, self._parts.quoter, text, period, self._filters, TOP_K)

    def _standalone(self, deadline: Deadline) -> str:
        text, history = self._question.text, self._question.history
        if self._writer is None:
            return " ".join(standalone(text, history).split())
        self._calls -= asks_writer(text, history, self._writer)
        return " ".join(rewrite(text, history, self._writer, deadline).split())

    def _written(self, writer: LanguageModel, hits: Sequence[Hit], deadline: Deadline) -> Iterator[Event]:
        prompt = build_prompt(
            self._asked_as,
            hits,
            sentences=sentences,
            budget_tokens=writer.context_window - writer.max_output_tokens,
            today=self._parts.today(),
        )
        writing = Writing(prompt, writer, deadline, self._parts.encode, calls=self._calls)
        with closing(iter(writing)) as findings:
            for finding in findings:
                yield from self._show(finding)
        if writing.declined:
            yield Done(replace(self._no_evidence(hits), mode="written", model=writer.model))
            return
        answer = self._answered(markdown(self._composer.claims, quoted=False))
        yield Done(replace(answer, mode="written", model=writer.model))

    def _quotes(self, candidates: Sequence[Candidate], hits: Sequence[Hit], degraded: str | None) -> Iterator[Event]:
        findings = self._parts.quoter.findings(candidates)
        if not findings:
            yield Done(replace(self._no_evidence(hits), degraded=degraded))
            return
        for finding in findings:
            yield from self._show(finding)
        answer = self._answered(markdown(self._composer.claims, quoted=True, confidence=self._confidence()))
        yield Done(replace(answer, degraded=degraded))

    def _show(self, finding: UncitedClaim) -> Iterator[Event]:
        claim, sources_changed = self._composer.add(finding)
        if sources_changed:
            yield SourcesShown(self._composer.sources)
        yield ClaimShown(claim)

    def _answered(self, text: str) -> Answer:
        sources = self._composer.sources
        return replace(
            self._answer("answered", text),
            claims=tuple(self._composer.claims),
            sources=sources,
            notes=self._notes(sources),
            as_of=as_of(sources),
        )

    def _no_evidence(self, hits: Sequence[Hit]) -> Answer:
        return replace(self._answer("no_evidence", NO_EVIDENCE), notes=self._notes(()), closest=closest(hits))

    def _notes(self, sources: Sequence[Source]) -> tuple[Note, ...]:
        library, today = self._parts.retriever.library, self._parts.today()
        return (
            *filter_notes(self._filters, library, sources),
            *period_notes(self._dated, self._filters, library, today, sources),
        )

    def _answer(self, verdict: Verdict, text: str) -> Answer:
        return Answer(
            id=uuid.uuid4().hex,
            question=self._question.text,
            asked_as=self._asked_as,
            verdict=verdict,
            mode="quotes",
            degraded=None,
            text=text,
            timings_ms=self._timings(),
            confidence=self._confidence(),
        )

    def _confidence(self) -> float | None:
        if not self._dated.weighed:
            return None
        return round(max((candidate.score for candidate in self._dated.candidates), default=0.0), 4)

    def _timings(self) -> Timings:
        now = time.perf_counter()
        search, write = self._searched - self._started, now - self._searched
        return Timings(round(search * 1000), round(write * 1000), round((now - self._started) * 1000))
