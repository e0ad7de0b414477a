from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from tempfile import gettempdir
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from rag.errors import EncoderError, LibraryError
from rag.ingestion.loading import IngestLimits
from rag.records import ArticleSummary, Document, Failure, IngestReport, StoreResult
from ui.page.library import render_count, render_frame, render_nothing, render_result, render_rows
from ui.page.library_routes import PATHS, shelf_routes

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>'
ESCAPED = "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&lt;script&gt;alert(1)&lt;/script&gt;"


def article(**known: Any) -> ArticleSummary:
    return ArticleSummary(
        **{"id": "a", "title": "Ferry", "publisher": None, "published": None, "url": None, "passages": 1, **known}
    )


def test_a_line_of_the_list_opens_its_article_and_says_what_is_known() -> None:
    line = render_rows([article(publisher="The Gull", published="2024-05-02T10:00", passages=1200, version=3)])
    assert 'data-article="a" data-version="3">Ferry</button>' in line
    assert "<bdi>The Gull</bdi> · 2 May 2024 · 1,200 passages · version 3" in line
    assert "date unknown · 1 passage</p>" in render_rows([article()])


def test_nothing_gets_into_the_page_as_markup() -> None:
    line = render_rows([article(id=HOSTILE, title=HOSTILE, publisher=HOSTILE, published=HOSTILE)])
    report = IngestReport(added=1, failed=(Failure(HOSTILE, HOSTILE),), warnings=(Failure(HOSTILE, HOSTILE),))
    single = IngestReport(failed=(Failure(HOSTILE, HOSTILE),))
    told = render_result(HOSTILE, report, HOSTILE) + render_result(HOSTILE, single) + render_count(1, HOSTILE)
    for made in (line, told):
        assert ESCAPED in made
        assert "<img" not in made
        assert "<script" not in made


def test_an_empty_list_says_what_to_do() -> None:
    assert "rag ingest FOLDER" in render_nothing("")
    assert "No title and no publisher" in render_nothing("ferry")


def test_the_frame_names_the_limit() -> None:
    assert 'data-max-bytes="2500000" data-limit="2.5 MB"' in render_frame(2_500_000)
    assert "up to 2.5 MB each" in render_frame(2_500_000)


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (IngestReport(added=1, passages=2), '<strong>added</strong> <span class="shelf-why">2 passages</span>'),
        (IngestReport(updated=1, passages=1), "its earlier version is kept, 1 passage"),
        (IngestReport(unchanged=1), "<strong>unchanged</strong>"),
        (IngestReport(duplicate=1), "the same text is in the library already"),
        (IngestReport(failed=(Failure("a.txt", "it is empty"),)), ">it is empty</span>"),
        (IngestReport(added=1200, duplicate=3), '<strong>added</strong> <span class="shelf-why">1,200 added, 3 dup'),
    ],
)
def test_what_became_of_one_source(report: IngestReport, told: str) -> None:
    assert told in render_result("a.txt", report)


def test_failures_of_a_dump_are_told_with_their_lines_and_not_all_of_them() -> None:
    failed = tuple(Failure(f"line {n}", f"line {n} is no JSON" if n % 2 else "it holds no text") for n in range(1, 9))
    row = render_result("a.jsonl", IngestReport(added=12, failed=failed))
    assert "12 added, 8 failed" in row
    assert "<bdi>line 1 is no JSON</bdi>" in row
    assert "<bdi>line 2: it holds no text</bdi>" in row
    assert row.count("<bdi>line") == 5
    assert "and 3 more" in row


# The routes, on a library that fails


class Failing:
    def __init__(self, error: Exception, after: int = 0) -> None:
        self.error = error
        self.after = after

    def knows(self, fingerprint: str) -> bool:
        return False

    def store(self, drafts: Sequence[Document]) -> list[StoreResult]:
        self.after -= 1
        if self.after < 0:
            raise self.error
        return [StoreResult("a", "added", 1) for _ in drafts]

    def listed(self, words: str, limit: int, offset: int) -> tuple[list[ArticleSummary], int]:
        raise self.error

    def remove(self, article_id: str) -> None:
        raise self.error


def client(engine: Failing) -> TestClient:
    return TestClient(Starlette(routes=list(shelf_routes(engine, IngestLimits(200_000)))))


def lines(response: Any) -> Iterator[dict[str, Any]]:
    return map(json.loads, response.text.splitlines())


OCTETS = {"content-type": "application/octet-stream"}


@pytest.mark.parametrize("error", [LibraryError("/srv/secret is gone"), EncoderError("secret"), RuntimeError("secret")])
def test_a_failure_in_the_middle_is_one_sentence_and_what_went_in_is_told(error: Exception) -> None:
    dump = "\n".join(json.dumps({"text": f"The ferry number {n} left."}) for n in range(100))
    engine = client(Failing(error, after=1))
    *_, last = lines(engine.post("/page/shelf/upload?name=a.jsonl", content=dump.encode(), headers=OCTETS))
    assert last["broken"]
    assert "48 added" in last["row"]
    assert "What was taken in before is kept." in last["row"]
    assert "secret" not in last["row"]
    for answer in (engine.get("/page/shelf"), engine.post("/page/shelf/remove", json={"id": "a"})):
        assert answer.status_code == 503
        assert "secret" not in answer.text


def test_only_the_page_can_add_and_remove() -> None:
    engine = client(Failing(RuntimeError("reached")))
    for path in PATHS - {"/page/shelf"}:
        for kind in ("text/plain", "multipart/form-data", "application/x-www-form-urlencoded", ""):
            answer = engine.post(path, content=b'{"id": "a"}', headers={"content-type": kind})
            assert (answer.status_code, answer.text) == (415, "This was not sent by the page.")
    for body in (b"[]", b"nonsense", b"[" * 100_000):
        assert engine.post("/page/shelf/remove", content=body, headers={"content-type": "application/json"}).is_error


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.jsonl.gz", b"no gzip", "a.jsonl.gz is not gzip: rename it or pack it"),
        ("b.JSONL.GZ", gzip.compress(b'{"text": "x"}' * 99, mtime=0)[:-9], "b.JSONL.GZ breaks off after line 0"),
        ("c.jsonl", b" ", "c.jsonl is empty"),
        ("../../etc/d.txt", b"", "it is empty"),
        ("e.docx", b"PK\x03\x04" + bytes(99), "it is not text"),
    ],
)
def test_a_file_of_no_use_is_told_by_its_own_name(name: str, data: bytes, told: str) -> None:
    engine = client(Failing(RuntimeError("reached")))
    sent = engine.post("/page/shelf/upload", params={"name": name}, content=data, headers=OCTETS)
    *_, last = lines(sent)
    assert told in last["row"]
    assert not last["broken"]
    assert gettempdir() not in sent.text


def test_what_is_larger_than_the_limit_is_refused_with_it() -> None:
    engine = client(Failing(RuntimeError("reached")))
    big = b"The ferry left. " * 20_000
    (_, upload) = lines(engine.post("/page/shelf/upload?name=a.txt", content=big, headers=OCTETS))
    (_, paste) = lines(engine.post("/page/shelf/paste", json={"title": "A", "text": big.decode()}))
    assert "a.txt is larger than 0.2 MB: raise RAG_MAX_ARTICLE_MB or split it" in upload["row"]
    assert "A is larger than 0.2 MB" in paste["row"]
