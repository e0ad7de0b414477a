"""Builds the libraries that the retrieval laboratory compares on, out of the public sets.

    .venv/bin/python -m benchmarks.retrieval_sets DATA LIBRARIES [NAME...]

DATA is the folder of the public sets. Each set becomes LIBRARIES/NAME: a RAG_HOME, and beside its library
`queries.json`, a list of [query id, text, [ids of relevant articles]].

    scifact        claims, the abstracts that judge them
    squad          500 questions, the one paragraph each was asked about
    evotemp        news questions, all dated reports that were collected for each
    polluted       news questions, all reports (true, false, gossip) that were collected for each
    bbc            500 sentences cut out of news articles, the article that each was cut out of
    mtrag-DOMAIN   what annotators searched for, the passages they found to be relevant
"""

from __future__ import annotations

import gzip
import json
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.followups import DOMAINS, tasks
from benchmarks.followups import build as build_mtrag
from rag.english.sentences import sentences
from rag.records import Document
from rag.settings import Settings
from rag.wiring import connect

CorpusDocument = tuple[str, str, str]  # id, title, text
Query = tuple[str, str, list[str]]
Collection = tuple[list[CorpusDocument], list[Query]]

SAMPLE = 500
BATCH = 128
_OPENING = 10  # words that stand for a missing title
_NAME = re.compile(r"\b[A-Z]\w+")


def read(path: Path) -> Any:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def lines(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return [json.loads(line) for line in text.rstrip("\n").split("\n")]


def opening(text: str) -> str:
    return " ".join(text.split()[:_OPENING])


def scifact(data: Path) -> Collection:
    documents = [(d["_id"], d["title"], d["text"]) for d in lines(data / "scifact" / "corpus.jsonl.gz")]
    texts = {q["_id"]: q["text"] for q in lines(data / "scifact" / "queries.jsonl")}
    relevant: dict[str, list[str]] = {}
    for line in (data / "scifact" / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) > 0:
            relevant.setdefault(query, []).append(document)
    return documents, [(id_, texts[id_], found) for id_, found in relevant.items()]


def squad(data: Path) -> Collection:
    documents: list[CorpusDocument] = []
    queries: list[Query] = []
    for article in read(data / "squad" / "dev-v1.1.json.gz")["data"]:
        for n, paragraph in enumerate(article["paragraphs"]):
            id_ = f"{article['title']}.{n}"
            documents.append((id_, article["title"].replace("_", " "), paragraph["context"]))
            queries += [(asked["id"], asked["question"], [id_]) for asked in paragraph["qas"]]
    random.Random(1).shuffle(queries)
    return documents, queries[:SAMPLE]


def collected(file: str) -> Callable[[Path], Collection]:
    """A set of questions, each with the reports that were collected for it."""

    def read_set(data: Path) -> Collection:
        documents: list[CorpusDocument] = []
        queries: list[Query] = []
        for n, row in enumerate(read(data / "conflict" / file)):
            reports = [(f"{n}.{m}", d) for m, d in enumerate(row["docs"]) if (d["text"] or "").strip()]
            documents += [(id_, d.get("title") or opening(d["text"]), d["text"]) for id_, d in reports]
            if reports:
                queries.append((str(n), row["question"], [id_ for id_, _ in reports]))
        return documents, queries

    return read_set


def bbc(data: Path) -> Collection:
    documents: list[CorpusDocument] = []
    queries: list[Query] = []
    chance, seen = random.Random(2), set()
    for row in lines(data / "news" / "bbc.jsonl.gz"):
        text = row["text"].strip()
        if text[:200] in seen:
            continue
        seen.add(text[:200])
        told = [s for s in sentences(text)[2:] if 9 <= len(text[s.start : s.end].split()) <= 25]
        told = [s for s in told if _NAME.search(text[s.start + 1 : s.end])]
        if told:
            cut = chance.choice(told)
            queries.append((row["_id"], " ".join(text[cut.start : cut.end].split()), [row["_id"]]))
            text = text[: cut.start] + text[cut.end :]
        documents.append((row["_id"], row["title"], text))
    chance.shuffle(queries)
    return documents, queries[:SAMPLE]


SETS: dict[str, Callable[[Path], Collection]] = {
    "scifact": scifact,
    "squad": squad,
    "evotemp": collected("EvoTemp.json.gz"),
    "polluted": collected("NewsPolluted-half.json.gz"),
    "bbc": bbc,
}


def build(name: str, data: Path, home: Path) -> list[Query]:
    """Fill the library; returns the queries with the ids that the library gave: of copies one is kept."""
    documents, queries = SETS[name](data)
    engine = connect(Settings(rag_home=home))
    drafts = [Document(text.strip(), title, f"id:{id_}", id=id_) for id_, title, text in documents]
    for at in range(0, len(drafts), BATCH):
        engine.store(drafts[at : at + BATCH])
        print(f"\r{name}: {at:,} of {len(drafts):,}", end="", file=sys.stderr)
    kept = {id_: engine.article(id_).id for id_ in {id_ for _, _, found in queries for id_ in found}}
    engine.close()
    return [(id_, text, sorted({kept[found] for found in relevant})) for id_, text, relevant in queries]


def build_domain(domain: str, data: Path, home: Path) -> list[Query]:
    build_mtrag(data / "mtrag" / f"passages-{domain}.jsonl.gz", home)
    asked = [t for t in tasks(data / "mtrag") if t.domain == domain and t.relevant]
    texts = [(t, t.person or ("" if t.history else t.question)) for t in asked]
    return [(f"{t.conversation}.{t.turn}", text, sorted(t.relevant)) for t, text in texts if text]


def main(data: Path, libraries: Path, *names: str) -> None:
    for name in names or (*SETS, *(f"mtrag-{domain}" for domain in DOMAINS)):
        home = libraries / name
        if (home / "queries.json").exists():
            continue
        domain = name.removeprefix("mtrag-")
        queries = build(name, data, home) if name in SETS else build_domain(domain, data, home)
        (home / "queries.json").write_text(json.dumps(queries), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
