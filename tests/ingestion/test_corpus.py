"""The first real input: three messy articles as found in the wild."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.english.sentences import sentences
from rag.ingestion.documents import draft_from_bytes
from rag.records import Document

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"the example corpus is not at {CORPUS}")


def read(start: str) -> tuple[Document, list[str]]:
    (path,) = CORPUS.glob(f"{start}_*.txt")
    draft = draft_from_bytes(path.name, path.read_bytes(), source=path.as_uri())
    return draft, [draft.text[span.start : span.end] for span in sentences(draft.text)]


def test_an_article_with_a_heading() -> None:
    draft, split = read("000")
    assert draft.title.startswith("Iranian Security Official Meets")
    assert split[0].startswith("A high-ranking")
    assert draft.published is None  # "October 10, 2023" in the prose is the date of a visit
    assert draft.authors == ()
    assert len(split) == 24


def test_an_article_with_byline_tags_captions_and_a_torn_sentence() -> None:
    draft, split = read("002")
    assert draft.title.startswith("Secret Talks In Oman")
    assert (draft.published, draft.published_from) == ("2023-05-31", "text")
    assert draft.authors == ("Iran International Newsroom",)
    assert split[0].startswith("It is looking ever more likely")
    assert split[-1].endswith('prepared to go down that path."')
    assert any("discussing ways to release $7 billion" in sentence for sentence in split)
    for left_over in ("**", "](", "\\$", "illustration taken", "Author:", "4 minutes", "\n\nUS envoy for Iran Robert"):
        assert left_over not in draft.text
    assert "President Joe Biden's senior Middle East adviser" not in draft.text


def test_an_article_without_a_title() -> None:
    draft, split = read("004")
    assert draft.title.endswith("…")
    assert draft.text.startswith(draft.title.rstrip("…"))
    assert "Source link" not in draft.text
    assert draft.published is None
    assert split.count("Tehran, in flip, wished the Biden administration to implement a cease-fire in Gaza.") == 1
    assert any(sentence.startswith("However the Houthis have carried out 102") for sentence in split)
