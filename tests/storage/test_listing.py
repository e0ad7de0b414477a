from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.records import ArticleSummary, Document, Span
from rag.storage.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library.sqlite3")


def put(library: Library, title: str, publisher: str | None = None, **rest: Any) -> str:
    draft = replace(Document(f"The text of {title} and nothing more.", title, publisher=publisher), **rest)
    with library.transaction() as changes:
        placement = changes.place(draft)
        changes.write(draft, placement, [Span(0, 4), Span(4, len(draft.text))])
        changes.embed_added("m", lambda texts: np.ones((len(texts), 4), dtype=np.float32))
    return placement.article_id


def remove(library: Library, article_id: str) -> None:
    with library.transaction() as changes:
        changes.remove(article_id)


def titles(library: Library, words: str = "", limit: int = 50, offset: int = 0) -> list[str]:
    return [article.title for article in library.listed(words, limit, offset)[0]]


def test_an_empty_library_lists_nothing(library: Library) -> None:
    assert library.listed("", 50, 0) == ([], 0)
    assert library.listed("ferry", 50, 0) == ([], 0)


def test_what_was_added_last_comes_first_a_page_at_a_time(library: Library) -> None:
    for n in range(7):
        put(library, f"Ferry {n}")
    assert titles(library, limit=3) == ["Ferry 6", "Ferry 5", "Ferry 4"]
    assert titles(library, limit=3, offset=6) == ["Ferry 0"]
    assert titles(library, "ferry", limit=2, offset=2) == ["Ferry 4", "Ferry 3"]
    assert library.listed("ferry", 1, 0)[1] == library.listed("", 1, 0)[1] == 7


def test_every_word_must_stand_in_title_or_publisher_without_regard_to_case_and_accents(library: Library) -> None:
    put(library, "Straßenbahn in Ålesund", "Le Café")
    put(library, "Ferry in Ålesund", "The Gull")
    put(library, "ميناء صلالة")
    assert titles(library, "ALESUND") == ["Ferry in Ålesund", "Straßenbahn in Ålesund"]
    assert titles(library, "cafe  strassen") == ["Straßenbahn in Ålesund"]
    assert titles(library, "gull cafe") == []
    assert titles(library, "صلالة") == ["ميناء صلالة"]
    assert titles(library, "nothing more") == []  # words of a text
    assert titles(library, "% _ \" ' *") == []


def test_a_line_tells_what_is_known(library: Library) -> None:
    put(library, "Ferry", "The Gull", published="2024-05-02", url="https://gull.example/1", source="file:///a")
    put(library, "Ferry", "The Gull", published="2024-05-03", source="file:///a", text="Another text.")
    ((line,), _) = library.listed("ferry", 50, 0)
    assert line == ArticleSummary(line.id, "Ferry", "The Gull", "2024-05-03", None, 2, 2)


def test_the_list_follows_what_is_added_changed_and_removed(library: Library) -> None:
    first = put(library, "Ferry one", source="file:///1")
    assert titles(library, "ferry") == ["Ferry one"]
    second = put(library, "Ferry two", source="file:///2")
    put(library, "Tram one", source="file:///1", text="All is new.")
    assert titles(library, "ferry") == ["Ferry two"]
    assert titles(library, "tram") == ["Tram one"]
    remove(library, second)
    assert titles(library, "ferry") == []
    put(library, "Ferry three")
    assert titles(library, "ferry") == ["Ferry three"]
    remove(library, first)
    assert titles(library, "tram") == titles(library, "one") == []
