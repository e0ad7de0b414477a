"""How long a passage should be, how much of the one before it repeats, and what stands in front of it.

    .venv/bin/python -m benchmarks.passages ../shared/data LIBRARIES [SET...]

Every setting is a library of its own for every set, LIBRARIES/SET-SETTING, kept for the next run. Retrieval is
the product's, out of `benchmarks.retrieval`: exact search, the question's words as they stand. Prints nDCG@10 of
articles by setting and set, with a star where the paired randomisation test against the product's setting gives
p < 0.05. Then, for whole encyclopaedia articles, the share of questions whose answer stands within the best
passage, the best four, and the first 800 tokens of the best: longer passages hold more each.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Literal

import numpy as np

from benchmarks.retrieval import Column, Pool, fed_back, ndcg, opened, pools
from benchmarks.retrieval_sets import BATCH, SAMPLE, SETS, CorpusDocument, Query, read
from rag.english.sentences import sentences
from rag.evaluation.significance import randomisation_test
from rag.ingestion.passages import estimate_tokens, pack
from rag.models.encoder import Vectors
from rag.models.local_encoder import LocalEncoder, default_weights
from rag.records import Document, Span
from rag.storage.keys import input_hash
from rag.storage.library import Library

COMPARED = ("scifact", "squad", "evotemp", "polluted", "bbc")
DATED = "evotemp"  # the set whose reports have dates
WHOLE = "whole"
BUDGET = 800  # tokens of passages that are looked at
_FEW = 4
_DEEPEST = 30  # passages of 30 tokens or more fill the budget
_CHANCE = 0.05
_NEIGHBOUR = 0.2  # what a neighbour's score counts

Place = tuple[str, Span]  # an article's id, and the answer in it
Front = Literal["title", "title and date", "nothing", "title for words"]


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

    def draft(self, document: CorpusDocument, day: str | None) -> Document:
        id_, title, text = document
        if self.front == "nothing":
            title = ""
        elif self.front == "title and date" and day:
            title = f"{title} ({day})"
        return Document(text.strip(), title, f"id:{id_}", id=id_)

    def embedded(self, text: str) -> str:
        """What is embedded of a passage that has the title in its first line."""
        return text.partition("\n")[2] if self.front == "title for words" else text.lstrip()


SETTINGS = {
    "the product: 200, title": Setting(),
    "120": Setting(120),
    "300 (the encoder reads 256)": Setting(300),
    "200, one sentence again": Setting(overlap=1),
    "120, one sentence again": Setting(120, overlap=1),
    "200, title and date": Setting(front="title and date"),
    "200, title for the words only": Setting(front="title for words"),
    "200, nothing in front": Setting(front="nothing"),
}


class Remembering:
    """An encoder that keeps the vectors of all texts in a file: most settings agree on most passages."""

    def __init__(self, folder: Path) -> None:
        self._encoder = LocalEncoder(default_weights(), folder / "models")
        self._kept = sqlite3.connect(folder / "vectors.sqlite3", isolation_level=None)
        self._kept.execute("CREATE TABLE IF NOT EXISTS vectors (hash TEXT PRIMARY KEY, vector BLOB) WITHOUT ROWID")
        self.name = self._encoder.name

    def encode(self, texts: list[str]) -> Vectors:
        hashes = [input_hash(text) for text in texts]
        asked = f"SELECT hash, vector FROM vectors WHERE hash IN ({','.join('?' * len(hashes))})"
        known = {row[0]: np.frombuffer(row[1], "<f4") for row in self._kept.execute(asked, hashes)}
        new = {digest: text for digest, text in zip(hashes, texts, strict=True) if digest not in known}
        known |= zip(new, self._encoder.encode(list(new.values())), strict=True)
        rows = [(digest, known[digest].astype("<f4").tobytes()) for digest in new]
        self._kept.executemany("INSERT INTO vectors VALUES (?, ?)", rows)
        return np.stack([known[digest] for digest in hashes])


def whole(data: Path) -> tuple[list[CorpusDocument], list[Query], dict[str, Place]]:
    """SQuAD's 48 articles, each as one text, and where the answers of 500 questions stand."""
    documents: list[CorpusDocument] = []
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
        if isinstance(report["date"], str)
    }


def build(
    home: Path, documents: list[CorpusDocument], queries: list[Query], setting: Setting, dated: dict[str, str]
) -> None:
    """A library of these documents, if it is not there yet. No Chroma: search is exact."""
    if (home / "queries.json").exists():
        return
    home.mkdir(parents=True, exist_ok=True)
    encoder = Remembering(home.parent)
    library = Library(home / "library.sqlite3")
    for at in range(0, len(documents), BATCH):
        with library.transaction() as changes:
            for document in documents[at : at + BATCH]:
                draft = setting.draft(document, dated.get(document[0]))
                placement = changes.place(draft)
                if placement.writes:
                    changes.write(draft, placement, setting.spans(draft.text))
            changes.embed_added(encoder.name, lambda texts: encoder.encode([setting.embedded(text) for text in texts]))
        print(f"\r{home.name}: {at:,} of {len(documents):,}  ", end="", file=sys.stderr)
    kept = {id_: library.article(id_).id for _, _, found in queries for id_ in found}
    library.close()
    renamed = [(id_, text, sorted({kept[found] for found in relevant})) for id_, text, relevant in queries]
    (home / "queries.json").write_text(json.dumps(renamed), encoding="utf-8")


def neighbours(id_: str) -> tuple[str, str]:
    """The ids of the passages before and after, whether or not there are such."""
    article, _, ordinal = id_.rpartition(".")
    return f"{article}.{int(ordinal) - 1}", f"{article}.{int(ordinal) + 1}"


def with_neighbours(pool: Pool) -> Column:
    """The product's way, and every candidate gets a share of its better neighbour's score."""
    scores = fed_back(pool)
    own = dict(zip(pool.ids, scores.tolist(), strict=True))
    near = [max(own.get(id_, 0.0) for id_ in neighbours(candidate)) for candidate in pool.ids]
    return scores + _NEIGHBOUR * np.array(near)


def found_in(library: Library, pool: Pool, place: Place, *, join: bool = False) -> tuple[bool, bool, bool]:
    """Whether the answer stands within the best passage, the best four, the first 800 tokens of the best; with
    `join` every passage is read with the one before and the one after it."""
    best = [pool.ids[n] for n in np.argsort(-fed_back(pool), kind="stable")[:_DEEPEST]]
    around = library.passages([*best, *(near for id_ in best for near in neighbours(id_))])
    article, answer = place
    looked_at = 0
    for rank, id_ in enumerate(best):
        together = [id_, *neighbours(id_)] if join else [id_]
        passages = [around[near][0] for near in together if near in around]
        start, end = min(p.start for p in passages), max(p.end for p in passages)
        looked_at += estimate_tokens(around[id_][1].text[start:end])
        if passages[0].article_id == article and start <= answer.start and answer.end <= end:
            return rank == 0, rank < _FEW, looked_at <= BUDGET
    return False, False, False


def compared(data: Path, libraries: Path, sets: Sequence[str]) -> None:
    """The first table."""
    dated = days(data)
    product: dict[str, list[float]] = {}
    print(f"{'':42} mean   {' '.join(f'{name:8}' for name in sets)} passages")
    for label, setting in SETTINGS.items():
        results: dict[str, list[float]] = {}
        joined: dict[str, list[float]] = {}
        count = 0
        for name in sets:
            used = setting if name == DATED or setting.front != "title and date" else replace(setting, front="title")
            home = libraries / f"{name}-{used.name}"
            documents, queries = SETS[name](data)
            build(home, documents, queries, used, dated if name == DATED else {})
            found = pools(home)
            results[name] = [ndcg(pool, fed_back(pool)) for pool in found]
            joined[name] = [ndcg(pool, with_neighbours(pool)) for pool in found]
            count += opened(home).library.counts()[1]
        product = product or results
        print(line(label, results, product), f"{count:,}", flush=True)
        if setting.front == "title" and not setting.overlap:
            print(line(f"{setting.tokens}, a neighbour's score counts {_NEIGHBOUR}", joined, product), flush=True)


def line(label: str, results: dict[str, list[float]], product: dict[str, list[float]]) -> str:
    cells = [
        f"{fmean(result):.4f}{'*' if randomisation_test(product[name], result) < _CHANCE else ' '} "
        for name, result in results.items()
    ]
    return f"{label:42} {fmean(map(fmean, results.values())):.4f} {' '.join(cells)}"


def reached(data: Path, libraries: Path) -> None:
    """The second table."""
    documents, queries, places = whole(data)
    product: list[tuple[bool, bool, bool]] = []
    print(f"\n{'':42} best    four    {BUDGET} tokens")
    for label, setting in SETTINGS.items():
        if setting.front != "title":
            continue
        home = libraries / f"{WHOLE}-{setting.name}"
        build(home, documents, queries, setting, {})
        library, found = opened(home).library, pools(home)
        for join in (False, True) if not setting.overlap else (False,):
            wanted = [places[id_] for id_, _, _ in queries]
            shares = [found_in(library, pool, place, join=join) for pool, place in zip(found, wanted, strict=True)]
            product = product or shares
            cells = [
                f"{fmean(now):.3f}{'*' if randomisation_test(before, now) < _CHANCE else ' '}"
                for before, now in zip(zip(*product, strict=True), zip(*shares, strict=True), strict=True)
            ]
            print(f"{label + (', with its neighbours' if join else ''):42} {'  '.join(cells)}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    compared(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or COMPARED)
    reached(Path(sys.argv[1]), Path(sys.argv[2]))
