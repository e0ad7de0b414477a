"""START HERE: from a question to an answer, one step after the other.

    question ─ standalone ─ correct spelling ─ dates ─ search ─ read ─┬─ generate ─┐
                                                                      └─ extract ──┴─ cite ─ notes ─ answer

Every step takes records and returns records. The events are what every face renders.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date

from rag.answering.citations import NO_EVIDENCE, CitationBuilder, closest, markdown, newest_date
from rag.answering.concurrency import FairSemaphore
from rag.answering.extraction import extract_claims
from rag.answering.followups.rewriting import standalone
from rag.answering.generation.generate import Declined, generate_claims
from rag.answering.generation.prompt import build_prompt
from rag.answering.notes import date_notes, filter_notes
from rag.answering.periods.reading import read_period
from rag.answering.reading import Candidates, SentenceReader
from rag.answering.search import SearchOutcome, search, without_demand
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
    Question,
    Reset,
    SourcesShown,
    Timings,
    UncitedClaim,
)
from rag.retrieval.retriever import LONGEST_QUERY, Encode, Retriever, searchable

__all__ = ["TOP_K", "AnswerPipeline", "validate"]

TOP_K = 10  # passages that are read, and shown to a language model


@dataclass(frozen=True, slots=True)
class AnswerPipeline:
    """Answers questions from the library alone. `llm` is None when no language model is configured.

    Search and reading take a processor's time: `semaphore` limits how many answers do so at once.
    """

    retriever: Retriever
    reader: SentenceReader
    encode: Encode
    llm: LanguageModel | None
    today: Callable[[], date]
    deadline_s: float
    semaphore: FairSemaphore

    def answer(self, question: Question) -> Cancellable[Event]:
        """Events of one answer; the last is Done. Closing it, from any thread, stops the language model.

        Raises InvalidRequest for a question that is empty or too long. Iterating raises TooBusy.
        """
        # The clock of an answer starts before the search: the reader waits for both.
        deadline = Deadline.after(self.deadline_s)
        return Cancellable(self._answer(validate(question), deadline), deadline)

    def _answer(self, question: Question, deadline: Deadline) -> Generator[Event, None, None]:
        started = time.perf_counter()
        llm = None if question.mode == "quotes" else self.llm  # to ask for quotes makes no model call at all
        filters = Filters(publishers=question.filters.publishers) if question.all_dates else question.filters

        follow_up = standalone(question.text, question.history, llm, deadline)
        with self.semaphore.slot(deadline):
            query, found, candidates = self._find(question, follow_up.text, filters)
        searched = time.perf_counter()

        def finish(citations: CitationBuilder, mode: str, degraded: str | None) -> Answer:
            now = time.perf_counter()
            library, sources = self.retriever.library, citations.sources
            return Answer(
                id=uuid.uuid4().hex,
                question=question.text,
                asked_as=query,
                verdict="answered" if citations.claims else "no_evidence",
                mode="written" if mode == "written" else "quotes",
                degraded=degraded,
                text=markdown(citations.claims, mode, candidates.confidence) if citations.claims else NO_EVIDENCE,
                claims=tuple(citations.claims),
                sources=sources,
                notes=(
                    *filter_notes(filters, library, sources),
                    *date_notes(found, candidates.passages, filters, library, self.today(), sources),
                ),
                closest=() if citations.claims else closest(candidates.passages.hits or found.nearest),
                as_of=newest_date(sources),
                model=llm.model if llm and mode == "written" else None,
                timings_ms=Timings(_ms(searched - started), _ms(now - searched), _ms(now - started)),
                confidence=candidates.confidence,
            )

        if not candidates.answerable:
            yield Done(finish(CitationBuilder(), "quotes", None))
            return
        degraded = None if question.mode == "quotes" else "no_model"
        if llm is not None:
            citations = CitationBuilder()
            try:
                yield from _cite(self._generate(query, candidates, llm, deadline, follow_up.calls), citations)
                yield Done(finish(citations, "written", None))
                return
            except Declined:
                yield Done(finish(CitationBuilder(), "written", None))
                return
            except LanguageModelError as error:
                degraded = error.reason
                if citations.claims:
                    yield Reset(degraded)
        citations = CitationBuilder()
        yield from _cite(extract_claims(candidates), citations)
        yield Done(finish(citations, "quotes", degraded))

    def _find(self, question: Question, follow_up: str, filters: Filters) -> tuple[str, SearchOutcome, Candidates]:
        """The query that was searched, with what it found and how that reads.

        A follow-up is searched as a question of its own; if nothing answers that, as it was asked.
        """
        first: tuple[str, SearchOutcome, Candidates] | None = None
        for text in dict.fromkeys((follow_up, " ".join(question.text.split()))):
            query = self.retriever.correct_spelling(text)
            dates = read_period(query, self.today())
            if question.all_dates:
                dates = without_demand(dates, query)
            found = search(query, dates, filters, self.retriever, TOP_K)
            candidates = self.reader.read(found)
            if candidates.answerable:
                return query, found, candidates
            first = first or (query, found, candidates)
        assert first is not None  # there is always the question itself
        return first

    def _generate(
        self, query: str, candidates: Candidates, llm: LanguageModel, deadline: Deadline, calls_used: int
    ) -> Iterator[UncitedClaim]:
        prompt = build_prompt(
            query,
            candidates.passages.hits,
            sentences=sentences,
            budget_tokens=llm.context_window - llm.max_output_tokens,
            today=self.today(),
        )
        with closing(generate_claims(prompt, llm, deadline, self.encode, calls=MOST_CALLS - calls_used)) as claims:
            yield from claims


def validate(question: Question) -> Question:
    """The question as it can be searched. Raises InvalidRequest."""
    since, until = question.filters.since, question.filters.until
    if since and until and since > until:
        raise InvalidRequest(f"no day is since {since} and until {until}", "swap the two dates")
    messages = [message for message in question.history if message.content.strip()]
    # The beginning of a long message tells what it was about.
    history = tuple(replace(message, content=searchable(message.content[:LONGEST_QUERY])) for message in messages)
    return replace(question, text=searchable(question.text), history=history)


def _cite(claims: Iterable[UncitedClaim], citations: CitationBuilder) -> Iterator[Event]:
    """Number the sources of each claim; sources come before the first claim that needs them."""
    for uncited in claims:
        known = citations.sources
        claim = citations.add(uncited)
        if citations.sources != known:
            yield SourcesShown(citations.sources)
        yield ClaimShown(claim)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
