"""Ingest speed against the bare encoder on the same passages, in the same run.

    .venv/bin/python benchmarks/ingest.py DUMP.jsonl[.gz]

Prints articles and passages a second, the encoder's own speed on those passages, and their ratio;
then the time of a second ingest of the same dump.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from rag.ingestion.loading import IngestLimits
from rag.ingestion.passages import passages
from rag.ingestion.pipeline import BATCH_ARTICLES, ingest
from rag.models.local_encoder import LocalEncoder, default_weights
from rag.records import IngestReport
from rag.settings import Settings
from rag.storage.keys import input_text
from rag.wiring import connect


class Quiet:
    def advance(self, articles: int) -> None: ...
    def warn(self, source: str, message: str) -> None: ...


def run(dump: str, home: Path) -> IngestReport:
    engine = connect(Settings(rag_home=home))
    rules = IngestLimits(max_bytes=10_000_000)
    try:
        return ingest([dump], engine, rules, Quiet())
    finally:
        engine.close()


def bare(home: Path) -> tuple[int, float]:
    """The encoder alone on what the library holds, in calls of the size that the ingest makes."""
    engine = connect(Settings(rag_home=home))
    texts = []
    for summary in engine.articles():
        article = engine.article(summary.id)
        texts.append([input_text(article.title, article.text[s.start : s.end]) for s in passages(article.text)])
    engine.close()
    encoder = LocalEncoder(default_weights(), home / "models")
    started = time.perf_counter()
    for at in range(0, len(texts), BATCH_ARTICLES):
        encoder.encode([text for group in texts[at : at + BATCH_ARTICLES] for text in group])
    return sum(map(len, texts)), time.perf_counter() - started


def main(dump: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        LocalEncoder(default_weights(), home / "models")
        first = run(dump, home)
        count, seconds = bare(home)
        second = run(dump, home)
    print(f"first ingest: {first.taken} articles, {first.passages} passages in {first.seconds:.1f} s")
    print(f"  {first.taken / first.seconds:.1f} articles/s, {first.passages / first.seconds:.1f} passages/s")
    print(f"bare encoder: {count / seconds:.1f} passages/s; ingest runs at {seconds / first.seconds:.0%} of it")
    ratio = first.seconds / second.seconds
    print(f"second ingest: {second.unchanged} unchanged in {second.seconds:.2f} s, {ratio:.0f} times as fast")


if __name__ == "__main__":
    main(sys.argv[1])
