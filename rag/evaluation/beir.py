"""A retrieval set laid out as BEIR does it: a corpus, queries, and which documents are relevant to which."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import InvalidRequest
from rag.evaluation.lines import located, records, text_lines
from rag.retrieval.retriever import searchable

__all__ = ["Collection", "CorpusDocument", "Query", "read_collection"]


@dataclass(frozen=True, slots=True)
class CorpusDocument:
    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Query:
    """A query and the grades of its judged documents by id; at least one is above 0."""

    id: str
    text: str
    grades: dict[str, int]


@dataclass(frozen=True, slots=True)
class Collection:
    documents: tuple[CorpusDocument, ...]
    queries: tuple[Query, ...]


def read_collection(folder: Path) -> Collection:
    """Read `corpus.jsonl`, `queries.jsonl` and `qrels/test.tsv` or `qrels.tsv`, each plain or `.gz`.

    A query without a relevant document is left out: nothing found for it could be right. Raises
    InvalidRequest, or SourceUnreadable for a file that breaks off.
    """
    if not folder.is_dir():
        trouble = f"{folder} is a file" if folder.exists() else f"there is no folder {folder}"
        raise InvalidRequest(trouble, "name one that holds corpus.jsonl, queries.jsonl, qrels")
    corpus, asked = located(folder / "corpus.jsonl"), located(folder / "queries.jsonl")
    judged = _read_judgements(located(folder / "qrels" / "test.tsv", folder / "qrels.tsv"))
    documents = {}
    for where, record in records(corpus):
        document = CorpusDocument(_id(record, where), _text(record, "title", where), _text(record, "text", where))
        if document.id in documents:
            raise InvalidRequest(f"{where} is the second document with the id {document.id!r}", "remove one")
        documents[document.id] = document
    queries = tuple(_read_queries(asked, judged).values())
    if not documents or not queries:
        missing = "no document" if not documents else "no query with a relevant document"
        raise InvalidRequest(f"{folder} holds {missing}", "see whether its files belong together")
    return Collection(tuple(documents.values()), queries)


def _read_queries(path: Path, judged: dict[str, dict[str, int]]) -> dict[str, Query]:
    queries = {}
    known = set()
    for where, record in records(path):
        id_ = _id(record, where)
        known.add(id_)
        grades = judged.get(id_, {})
        if any(grade > 0 for grade in grades.values()):
            try:
                text = searchable(_text(record, "text", where))
            except InvalidRequest as error:
                raise InvalidRequest(f"{where} cannot be asked ({error.message})", "mend it or remove it") from error
            queries[id_] = Query(id_, text, grades)
    if strangers := sorted(judged.keys() - known):
        raise InvalidRequest(f"{path} lacks the query {strangers[0]!r}, which is judged", "add it")
    return queries


def _read_judgements(path: Path) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = {}
    for n, (where, line) in enumerate(text_lines(path)):
        fields = line.split("\t")
        try:
            query, document, grade = fields
            judged.setdefault(query, {})[document] = int(grade)
        except ValueError as error:
            if n == 0 and len(fields) == 3 and fields[2].strip() == "score":  # the line that names the columns
                continue
            remedy = "write query id, document id and grade, apart by tabs"
            raise InvalidRequest(f"{where} is no judgement", remedy) from error
    return judged


def _id(record: dict[str, Any], where: str) -> str:
    value = record.get("_id", record.get("id"))
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise InvalidRequest(f"{where} has no id", 'give every document and query its "_id"')
    return str(value)


def _text(record: dict[str, Any], name: str, where: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidRequest(f"{where}: its {name} is no text", f'give "{name}" as a string')
    return value
