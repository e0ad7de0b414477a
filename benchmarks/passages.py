"""How long a passage should be, how much of the one before it repeats, and what stands in front of it.

    .venv/bin/python -m benchmarks.passages ../shared/data LIBRARIES

Every setting is a library of its own for every set, LIBRARIES/SET-SETTING, kept for the next run. Retrieval is
the product's, out of `benchmarks.retrieval`: exact search, the question's words as they stand. Prints nDCG@10 of
articles by setting and set, with a star where the paired randomisation test against the product's setting gives
p < 0.05. Then, for whole encyclopaedia articles, the share of questions whose answer stands within the best
passage, the best four, and the first 800 tokens of the best: longer passages hold more each.
"""

from __future__ import annotations

import json
import random
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Literal

from benchmarks.retrieval import Column, Pool, fed_back, ndcg, opened, pools
from benchmarks.retrieval_sets import BATCH, SAMPLE, SETS, Document, Query, read
from rag.evaluation.significance import randomisation_test
from rag.ingestion.passages import estimate_tokens, pack
from rag.models.local_encoder import LocalEncoder, packaged_weights
from rag.models.encoder import Vectors
from rag.records import Draft, Span
from rag.storage.library import Library
from rag.text.sentences import sentences

NEWS = ("scifact", "squad", "evotemp", "polluted", "bbc")
WHOLE = "whole"
BUDGET = 800  # tokens of passages that are looked at
_NEIGHBOUR = 0.2  # what a neighbour's score counts

Place = tuple[str, Span]  # an article's id, and the answer in it
Front = Literal["title", "title and date", "nothing", "title for words"]
Encode = Callable[[list[str]], Vectors]


@dataclass(frozen=True, slots=True)
class Setting:
    """A size in tokens, how many sentences of the passage before come again, and what stands in front."""

    tokens: int = 200
    overlap: int = 0
    front: Front = "title"

    @property
    def name(self) -> str:
        return f"{self.tokens}-{self.overlap}-{self.front.replace(' ', '-')}"

    def spans(self, text: str) -> list[Span]:
        """The passages of a text."""
        known = sentences(text)
        starts = [sentence.start for sentence in known]
        return [
            Span(starts[max(0, bisect_left(starts, span.start) - self.overlap)], span.end)
            for span in pack(text, known, tokens=self.tokens)
        ]

    def draft(self, document: Document, day: str | None) -> Draft:
        id_, title, text = document
        if self.front == "nothing":
            title = ""
        elif self.front == "title and date" and day:
            title = f"{title} ({day})"
        return Draft(text.strip(), title, f"id:{id_}", id=id_)

    def encode(self, encoder: LocalEncoder) -> Encode:
        """What embeds the passages of this setting. What it is given has the title in its first line."""
        if self.front != "title for words":
            return encoder.encode
        return lambda texts: encoder.encode([text.partition("\n")[2] for text in texts])


SETTINGS = {
    "the product: 200, title": Setting(),
    "120": Setting(120),
    "300 (the encoder reads 256)": Setting(300),
    "120, one sentence again": Setting(120, 1),
    "200, one sentence again": Setting(200, 1),
    "300, one sentence again": Setting(300, 1),
    "200, title and date": Setting(front="title and date"),
    "200, title for the words only": Setting(front="title for words"),
    "200, nothing in front": Setting(front="nothing"),
}


def whole(data: Path) -> tuple[list[Document], list[Query], dict[str, Place]]:
    """SQuAD's 48 articles, each as one text, and where the answers of 500 questions stand."""
    documents: list[Document] = []
    asked: list[tuple[Query, Place]] = []
    for article in read(data / "squad" / "dev-v1.1.json.gz")["data"]:
        name, text = article["title"], ""
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                answer = question["answers"][0]
                start = len(text) + answer["answer_start"]
                place = (name, Span(start, start + len(answer["text"])))
                asked.append(((question["id"], question["question"], [name]), place))
            text += paragraph["context"] + "\n\n"
        documents.append((name, name.replace("_", " "), text))
    asked = random.Random(1).sample(asked, SAMPLE)
    return documents, [query for query, _ in asked], {query[0]: place for query, place in asked}


def days(data: Path) -> dict[str, str]:
    """The dates of EvoTemp's reports, by their ids in the set; the other sets have none."""
    return {
        f"{n}.{m}": report["date"].replace("/", "-")
        for n, row in enumerate(read(data / "conflict" / "EvoTemp.json.gz"))
        for m, report in enumerate(row["docs"])
        if report["date"]
    }


def build(home: Path, documents: list[Document], queries: list[Query], setting: Setting, dated: dict[str, str]) -> None:
    """A library of these documents, if it is not there yet. No Chroma: search is exact."""
    if (home / "queries.json").exists():
        return
    home.mkdir(parents=True, exist_ok=True)
    encoder = LocalEncoder(packaged_weights(), home.parent / "models")
    library = Library(home / "library.sqlite3")
    for at in range(0, len(documents), BATCH):
        with library.transaction() as changes:
            for document in documents[at : at + BATCH]:
                draft = setting.draft(document, dated.get(document[0]))
                placement = changes.place(draft)
                if placement.writes:
                    changes.write(draft, placement, setting.spans(draft.text))
            changes.embed_added(encoder.name, setting.encode(encoder))
        print(f"\r{home.name}: {at:,} of {len(documents):,}  ", end="", file=sys.stderr)
    kept = {id_: library.article(id_).id for _, _, found in queries for id_ in found}
    library.close()
    renamed = [(id_, text, sorted({kept[found] for found in relevant})) for id_, text, relevant in queries]
    (home / "queries.json").write_text(json.dumps(renamed), encoding="utf-8")


def joined(pool: Pool) -> Column:
    """The product's way, every candidate with a share of its better neighbour's score."""
    scores = fed_back(pool)
    by_place = {id_: score for id_, score in zip(pool.ids, scores, strict=True)}
    return scores + _NEIGHBOUR * Column_of(max(by_place.get(near, 0.0) for near in neighbours(id_)) for id_ in pool.ids)
