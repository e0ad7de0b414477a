"""A library that lasts as long as one evaluation, and how documents come into it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rag.engine import LocalEngine
from rag.errors import UnknownArticle
from rag.evaluation.beir import CorpusDocument
from rag.ingestion.loading import IngestLimits
from rag.ingestion.pipeline import ingest
from rag.settings import Settings
from rag.wiring import connect

__all__ = ["Filled", "Step", "ThrowAway", "throw_away_library"]

Step = Callable[[str, int, int], None]  # told (what is being done, how many are done, of how many)


@dataclass(frozen=True, slots=True)
class Filled:
    """`behind` has the ids of the documents that an article stands for, in the order they were given: several
    where they have the same text. Documents without text are behind none, nor are those that the library
    refuses; `refused` says of each of them why."""

    behind: dict[str, list[str]]
    passages: int
    copies: int
    without_text: int
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ThrowAway:
    engine: LocalEngine
    home: Path
    settings: Settings

    def fill(self, documents: Sequence[CorpusDocument], step: Step) -> Filled:
        """Take documents in as the product takes in a dump. Raises LibraryError or EncoderError."""
        dump = self.home / "documents.jsonl"
        with dump.open("w", encoding="utf-8") as file:
            for n, document in enumerate(documents):
                record = {"id": _article_id(n), "title": document.title, "text": document.text}
                file.write(json.dumps(record) + "\n")
        rules = IngestLimits(max_bytes=self.settings.max_article_bytes, allow_private=False)
        report = ingest([str(dump)], self.engine, rules, _Taken(step, len(documents)))
        failures = {failure.source.rpartition(":")[2]: failure for failure in report.failed}
        behind: dict[str, list[str]] = {}
        refused: list[str] = []
        without_text = 0
        held = {article.id for article in self.engine.articles()}
        for n, document in enumerate(documents):
            id_ = _article_id(n)
            try:
                behind.setdefault(id_ if id_ in held else self.engine.article(id_).id, []).append(document.id)
            except UnknownArticle:
                if document.text.strip():
                    failure = failures[str(n + 1)]
                    refused.append(failure.reason.replace(failure.source, f"the document {document.id!r}"))
                else:
                    without_text += 1
        return Filled(behind, report.passages, report.duplicate, without_text, tuple(refused))


@contextmanager
def throw_away_library(settings: Settings) -> Iterator[ThrowAway]:
    """An empty library in a folder of its own, both gone afterwards, also after an error or Ctrl-C.
    Everything but the folder is as the settings say."""
    with TemporaryDirectory(prefix="dateline-eval-") as name:
        home = Path(name)
        models = settings.rag_home / "models"
        if models.is_dir():  # the encoder's graph is there: it need not be written again
            (home / "models").symlink_to(models.resolve(), target_is_directory=True)
        engine = connect(settings.model_copy(update={"rag_home": home}))
        assert isinstance(engine, LocalEngine)  # nobody else knows of the folder
        try:
            yield ThrowAway(engine, home, settings)
        finally:
            engine.close()


def _article_id(number: int) -> str:
    # Not the document's own id: sets have ids that the library refuses.
    return f"d{number:08}"


@dataclass(slots=True)
class _Taken:
    """The ingest's progress. Its warnings are for those who own the articles."""

    step: Step
    total: int
    done: int = 0

    def advance(self, articles: int) -> None:
        self.done += articles
        self.step("taking documents in", self.done, self.total)

    def warn(self, source: str, message: str) -> None:
        pass
