"""What the notes beside an answer say of a filter."""

from pathlib import Path

import numpy as np
import pytest

from rag.answering.notes import filter_notes
from rag.records import Document, Filters, Span
from rag.storage.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(tmp_path / "library.sqlite3")
    with library.transaction() as changes:
        for publisher in ("Gulf Daily", "Harbour Times", None):
            draft = Document(f"Rain fell, says {publisher}.", "Rain", publisher=publisher)
            placement = changes.place(draft)
            changes.write(draft, placement, [Span(0, len(draft.text))])
        changes.embed_added("m", lambda texts: np.ones((len(texts), 4), dtype=np.float32))
    return library


def told(library: Library, *publishers: str) -> list[str]:
    narrowed, *notes = filter_notes(Filters(publishers=publishers), library, [])
    assert narrowed.text.startswith("Only articles by ")
    assert {note.kind for note in notes} <= {"filtered"}
    return [note.text for note in notes]


def test_a_publisher_without_articles_is_named(library: Library) -> None:
    assert told(library, "No Such Paper") == ["No article in the library is by “No Such Paper”."]
    assert told(library, "Gulf Daily", "Nobody", "Nobody") == ["No article in the library is by “Nobody”."]


@pytest.mark.parametrize("typed", ["gulf dialy", "The Gulf Daily", "Gulf Daly "])
def test_the_nearest_publisher_is_offered(library: Library, typed: str) -> None:
    assert told(library, typed) == [f"No article in the library is by “{typed.strip()}”; did you mean “Gulf Daily”?"]


def test_publishers_are_listed_only_where_one_is_unknown(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[int] = []
    publishers = library.publishers
    monkeypatch.setattr(library, "publishers", lambda limit: listed.append(limit) or publishers(limit))
    assert told(library, "Gulf Daily") == []
    assert listed == []
    assert told(library, "Nobody")
    assert len(listed) == 1


def test_of_a_publisher_with_articles_nothing_is_said(library: Library) -> None:
    assert told(library, " gulf DAILY ", "Harbour Times") == []


def test_without_publishers_nothing_is_said(library: Library) -> None:
    assert filter_notes(Filters(), library, []) == ()
