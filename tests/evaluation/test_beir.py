"""Reading sets in BEIR's layout."""

import gzip
import json
from pathlib import Path

import pytest

from rag.errors import RagError
from rag.evaluation.beir import read_collection

CORPUS = [{"_id": "d1", "title": "Harbour", "text": "The harbour froze."}, {"_id": 2, "text": "A ferry sank."}]
QUERIES = [{"_id": "q1", "text": "frozen harbour"}, {"_id": "q2", "text": "never judged"}, {"_id": "q3", "text": "x"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\t2\t0\nq3\td1\t0\n"


def lay_out(folder: Path, *, qrels: str = "qrels/test.tsv", judged: str = QRELS, **lines: str) -> Path:
    for name, rows in (("corpus", CORPUS), ("queries", QUERIES)):
        text = lines.get(name, "\n".join(map(json.dumps, rows)))
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (folder / qrels).parent.mkdir(exist_ok=True)
    (folder / qrels).write_text(judged, encoding="utf-8")
    return folder


@pytest.mark.parametrize("qrels", ["qrels/test.tsv", "qrels.tsv"])
@pytest.mark.parametrize("judged", [QRELS, QRELS.split("\n", 1)[1]])
def test_documents_queries_and_judgements(tmp_path: Path, qrels: str, judged: str) -> None:
    collection = read_collection(lay_out(tmp_path, qrels=qrels, judged=judged))
    assert [(d.id, d.title, d.text) for d in collection.documents] == [
        ("d1", "Harbour", "The harbour froze."),
        ("2", "", "A ferry sank."),
    ]
    # q2 is not judged and nothing is relevant to q3: neither can be measured.
    assert [(q.id, q.grades) for q in collection.queries] == [("q1", {"d1": 2, "2": 0})]


def test_packed_files_are_read(tmp_path: Path) -> None:
    lay_out(tmp_path)
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        packed = gzip.compress((tmp_path / name).read_bytes())
        (tmp_path / f"{name}.gz").write_bytes(packed)
        (tmp_path / name).unlink()
    assert len(read_collection(tmp_path).queries) == 1


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ({"corpus": '{"_id": "d1", "text": "a"}\n{nonsense'}, "corpus.jsonl:2 is no JSON"),
        ({"corpus": '["d1"]'}, "corpus.jsonl:1 is JSON, but no object"),
        ({"corpus": '{"text": "a"}'}, "corpus.jsonl:1 has no id"),
        ({"corpus": '{"_id": "d1", "text": 7}'}, "its text is no text"),
        ({"corpus": '{"_id": "d1", "text": false}'}, "its text is no text"),
        ({"corpus": '{"_id": "a", "text": "a"}\n{"_id": "a", "text": "b"}'}, "second document with the id 'a'"),
        ({"corpus": "\n"}, "holds no document"),
        ({"queries": '{"_id": "q1", "text": "  "}\n{"_id": "q3", "text": "x"}'}, "queries.jsonl:1 cannot be asked"),
        ({"queries": '{"_id": "q1", "text": "x"}'}, "lacks the query 'q3'"),
        ({"judged": "q1\td1\t0\nq3\td1\t0"}, "no query with a relevant document"),
        ({"judged": "query-id\tcorpus-id\tscore\nq1 d1 1"}, "test.tsv:2 is no judgement"),
        ({"judged": "q1\td1\thigh\nq1\td1\t1"}, "test.tsv:1 is no judgement"),
        ({"judged": "q1\td1\t1\nq1\td1\tmuch"}, "test.tsv:2 is no judgement"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, lines: dict[str, str], says: str) -> None:
    with pytest.raises(RagError) as raised:
        read_collection(lay_out(tmp_path, **lines))
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(RagError, match="no folder"):
        read_collection(tmp_path / "nowhere")
    with pytest.raises(RagError, match=r"holds no corpus\.jsonl"):
        read_collection(tmp_path)
    lay_out(tmp_path)
    (tmp_path / "qrels/test.tsv").unlink()
    with pytest.raises(RagError, match=r"qrels\.tsv"):
        read_collection(tmp_path)


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "queries.jsonl").write_bytes(b'{"_id": "q1", "text": "\xff\xfe"}')
    with pytest.raises(RagError, match=r"queries\.jsonl:1 is not UTF-8"):
        read_collection(tmp_path)
    (tmp_path / "queries.jsonl").unlink()
    (tmp_path / "queries.jsonl.gz").write_bytes(b"not packed at all")
    with pytest.raises(RagError, match="not gzip"):
        read_collection(tmp_path)
