"""The ingest run: sources in, a report out. One bad source never stops the rest."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from rag.errors import InvalidRequest, RagError, SourceError, SourceNotFound
from rag.ingestion.loading import IngestLimits, SourceRef, discover
from rag.records import Document, Failure, IngestReport, StoreResult

# Articles per transaction: enough to keep the encoder's batches full, few enough to lose little to a kill.
BATCH_ARTICLES = 48
BATCH_CHARACTERS = 400_000


class Shelf(Protocol):
    """What takes drafts in: the library of this process, or a server that holds it."""

    def knows(self, fingerprint: str) -> bool:
        """Whether these bytes were taken in before and their article is as it was then."""

    def store(self, drafts: Sequence[Document]) -> list[StoreResult]:
        """Take the drafts in, all or none; what is returned is safe on disk."""


class Progress(Protocol):
    """Is told how a run goes."""

    def advance(self, articles: int) -> None: ...
    def warn(self, source: str, message: str) -> None: ...


@dataclass(slots=True)
class _Run:
    shelf: Shelf
    report: IngestReport = field(default_factory=IngestReport)
    waiting: list[tuple[SourceRef, Document]] = field(default_factory=list)
    characters: int = 0

    def take(self, origin: SourceRef) -> None:
        try:
            material = origin.open()
            if self.shelf.knows(material.fingerprint):
                self.report = replace(self.report, unchanged=self.report.unchanged + 1)
                return
            draft = replace(material.draft(), fingerprint=material.fingerprint)
        except SourceError as error:
            self.fail(origin.name, error)
            return
        warnings = tuple(Failure(origin.name, warning) for warning in draft.warnings)
        self.report = replace(self.report, warnings=self.report.warnings + warnings)
        self.waiting.append((origin, draft))
        self.characters += len(draft.text)
        if len(self.waiting) >= BATCH_ARTICLES or self.characters >= BATCH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        batch, self.waiting, self.characters = self.waiting, [], 0
        if not batch:
            return
        try:
            self.count(self.shelf.store([draft for _, draft in batch]))
        except (InvalidRequest, SourceError):
            # One of them is refused: the others are taken in one by one.
            for origin, draft in batch:
                try:
                    self.count(self.shelf.store([draft]))
                except (InvalidRequest, SourceError) as error:
                    self.fail(origin.name, error)

    def count(self, stored: Sequence[StoreResult]) -> None:
        for one in stored:
            counted = getattr(self.report, one.status) + 1
            self.report = replace(self.report, passages=self.report.passages + one.passages, **{one.status: counted})

    def fail(self, name: str, error: RagError) -> None:
        self.report = replace(self.report, failed=(*self.report.failed, Failure(name, str(error))))


def take_in(sources: Iterable[tuple[str, Iterator[SourceRef]]], shelf: Shelf) -> Iterator[IngestReport]:
    """Take in every article of the named sources, in batches that are each all or nothing.

    Yields the report as it stands after every article, the last one when everything is stored; whoever
    stops asking keeps what was reported as taken in. Raises LibraryError or EncoderError when the run
    cannot go on.
    """
    run = _Run(shelf)
    for name, origins in sources:
        try:
            for origin in origins:
                run.take(origin)
                yield run.report
        except SourceError as error:
            run.fail(name, error)
            yield run.report
    run.flush()
    yield run.report


def ingest(sources: Iterable[str], shelf: Shelf, rules: IngestLimits, progress: Progress) -> IngestReport:
    """Take in every article of the sources and tell how it goes.

    Failures of single sources are in the report. Raises LibraryError or EncoderError when the run
    cannot go on; what was reported as taken in stays.
    """
    started = time.perf_counter()
    told = IngestReport()
    for report in take_in(((source, _origins(source, rules)) for source in sources), shelf):
        for warning in report.warnings[len(told.warnings) :]:
            progress.warn(warning.source, warning.reason)
        if finished := _seen(report) - _seen(told):
            progress.advance(finished)
        told = report
    return replace(told, seconds=round(time.perf_counter() - started, 3))


def _origins(source: str, rules: IngestLimits) -> Iterator[SourceRef]:
    if not source.strip():  # an unset variable in a script: the current folder is not meant
        raise SourceNotFound("a source is empty", "name a file, a folder or an address")
    yield from discover(source, rules)


def _seen(report: IngestReport) -> int:
    return report.taken + len(report.failed)
