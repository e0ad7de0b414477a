from __future__ import annotations

import gzip
import json
import os
import sys
from pathlib import Path

import pytest

from rag.errors import NoArticle, SourceError, SourceNotFound, SourceTooLarge, SourceUnreadable
from rag.ingestion.loading import IngestLimits, discover
from rag.records import Document

TEXT = "The harbour of Salalah opened again on Tuesday after a week of storms, the port authority said."
RULES = IngestLimits(max_bytes=10_000)


def load_all(source: str | Path, rules: IngestLimits = RULES) -> tuple[list[Document], list[str]]:
    drafts, failures = [], []
    for origin in discover(str(source), rules):
        try:
            drafts.append(origin.load())
        except SourceError as error:
            assert "\n" not in str(error)
            failures.append(f"{origin.name} {type(error).__name__} {error}")
    return drafts, failures


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a b é.txt"
    path.write_text(TEXT)
    ((draft,), failures) = load_all(path)
    assert (draft.text, draft.source, failures) == (TEXT, path.as_uri(), [])
    link = tmp_path / "link.txt"
    link.symlink_to(path)
    assert load_all(link)[0][0].source == path.as_uri()


def test_a_folder_is_read_in_order_without_hidden_files_and_loops(tmp_path: Path) -> None:
    for name in ("b.md", "a.txt", "sub/c.HTML", ".hidden.txt", ".git/d.txt", "e.jpg", "noise.docx"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{TEXT} {name}" if not name.endswith("HTML") else f"<article><p>{TEXT} {name}</p></article>")
    (tmp_path / "x.txt").mkdir()
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    (tmp_path / "dump.jsonl").write_text(json.dumps({"text": TEXT + " f"}))
    drafts, failures = load_all(tmp_path)
    assert [draft.text.rsplit(" ", 1)[1] for draft in drafts] == ["a.txt", "b.md", "f", "sub/c.HTML"]
    assert failures == []


def test_a_folder_without_articles(tmp_path: Path) -> None:
    (tmp_path / "picture.jpg").write_bytes(b"x")
    with pytest.raises(NoArticle, match="holds no articles"):
        load_all(tmp_path)


@pytest.mark.parametrize(
    "source", ["nowhere.txt", "no/where", "a\0b", "x" * 5000, "", "ftp://a.example/b", "~nobody-here/x"]
)
def test_a_path_that_is_not_there(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((SourceNotFound, SourceUnreadable, NoArticle)) as caught:
        load_all(source)
    assert "\n" not in str(caught.value)


def test_one_bad_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"")
    (tmp_path / "b.txt").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "c.txt").write_text("x" * 10_001)
    (tmp_path / "d.txt").symlink_to(tmp_path / "gone.txt")
    os.mkfifo(tmp_path / "e.txt")
    (tmp_path / "f.jsonl.gz").write_bytes(b"no gzip")
    (tmp_path / "z.txt").write_text(TEXT)
    drafts, failures = load_all(tmp_path)
    assert [draft.text for draft in drafts] == [TEXT]
    kinds = [failure.split()[1] for failure in failures]
    assert kinds == [
        *("NoArticle", "SourceUnreadable", "SourceTooLarge", "SourceNotFound", "SourceUnreadable", "SourceUnreadable")
    ]
    assert "RAG_MAX_ARTICLE_MB" in failures[2]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_permission_denied(tmp_path: Path) -> None:
    for name in ("a.txt", "b.jsonl"):
        path = tmp_path / name
        path.write_text(TEXT)
        path.chmod(0)
    _, failures = load_all(tmp_path)
    assert all("permission denied" in failure for failure in failures)
    assert len(failures) == 2


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as stream:
        stream.truncate(1 << 40)  # sparse: a terabyte that takes no room
    with pytest.raises(SourceTooLarge, match="RAG_MAX_ARTICLE_MB"):
        next(discover(str(path), RULES)).load()


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are always UTF-8 there")
def test_a_name_of_odd_bytes_can_be_shown(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.txt")).write_text(TEXT)
    (origin,) = discover(str(tmp_path), RULES)
    origin.name.encode()
    assert origin.load().source


# Dumps


def test_a_dump_gives_its_good_lines_and_names_the_bad_ones(tmp_path: Path) -> None:
    lines = [
        b"\xef\xbb\xbf" + json.dumps({"text": TEXT, "id": "one"}).encode(),
        b"",
        b"{broken",
        b"[1, 2]",
        json.dumps({"text": "x" * 20_000}).encode(),
        json.dumps({"text": 5}).encode(),
        b"[" * 9000,
        json.dumps({"text": TEXT, "id": "two"}).encode(),
    ]
    for name, data in (("d.jsonl", b"\n".join(lines)), ("d.ndjson.gz", gzip.compress(b"\r\n".join(lines)))):
        (tmp_path / name).write_bytes(data)
        drafts, failures = load_all(tmp_path / name)
        assert [draft.id for draft in drafts] == ["one", "two"]
        assert [failure.split()[0].rsplit(":", 1)[1] for failure in failures] == ["3", "4", "5", "6", "7"]
        assert [failure.split()[1] for failure in failures].count("SourceTooLarge") == 1
        assert all(name in failure for failure in failures)


def test_an_empty_dump(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_bytes(b"\n\n")
    with pytest.raises(NoArticle):
        load_all(tmp_path / "d.jsonl")


def test_a_dump_that_breaks_off_keeps_what_came_before(tmp_path: Path) -> None:
    packed = gzip.compress(
        "".join(json.dumps({"text": TEXT, "id": str(number)}) + "\n" for number in range(999)).encode()
    )
    (tmp_path / "d.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    drafts = []
    with pytest.raises(SourceUnreadable, match="breaks off after line"):
        for origin in discover(str(tmp_path / "d.jsonl.gz"), RULES):
            drafts.append(origin.load())
    assert len(drafts) > 10


def test_a_line_that_unfolds_into_a_flood_is_bounded(tmp_path: Path) -> None:
    line = json.dumps({"text": TEXT, "id": "last"}).encode()
    with gzip.open(tmp_path / "d.jsonl.gz", "wb") as stream:
        for _ in range(60):
            stream.write(b"x" * 1_000_000)
        stream.write(b"\n" + line)
    drafts, failures = load_all(tmp_path / "d.jsonl.gz")
    assert [draft.id for draft in drafts] == ["last"]
    assert "SourceTooLarge" in failures[0]


def test_a_dump_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text((json.dumps({"text": TEXT}) + "\n") * 5)
    first = next(discover(str(path), RULES))
    assert first.name.endswith("d.jsonl:1")
    assert first.load().text == TEXT


def test_a_dump_that_is_no_gzip_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "dump.jsonl.gz"
    path.write_text(json.dumps({"text": TEXT}))
    with pytest.raises(SourceUnreadable, match=r"dump\.jsonl\.gz is not gzip: rename it or pack it"):
        load_all(path)
