"""Full-text search that does not score every match finds what one that does finds."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator

import pytest

from rag.records import Document, Filters, Span
from rag.retrieval.lexical import counts
from rag.storage import search
from rag.storage.library import Library

WORDS = "storm harbour ferry wave crew port pilot signal light fog rope anchor deck mast sail".split()  # noqa: SIM905
QUESTIONS = (
    WORDS,
    WORDS[:3],
    WORDS[-3:],
    [WORDS[0], WORDS[-1]],
    [WORDS[0]],
    [WORDS[2], WORDS[5], WORDS[9], WORDS[13], "unheard"],
    ["storm harbour", "ferry", "mast"],
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """400 passages in which each word is rarer than the one before it."""
    chance = random.Random(7)
    shares = [1 / (n + 1) for n in range(len(WORDS))]
    library = Library(tmp_path_factory.mktemp("matches") / "library.sqlite3")
    with library.transaction() as changes:
        for number in range(400):
            text = " ".join(chance.choices([*WORDS, "quay"], [*shares, 4], k=chance.randrange(3, 30)))
            text += f" {number}"
            day = f"20{chance.randrange(10, 25)}-01-01"
            draft = Document(text, "Notes", f"id:{number}", id=str(number), published=day)
            changes.write(draft, changes.place(draft), [Span(0, len(text))])
    yield library
    library.close()


def expressed(words: list[str]) -> str:
    return " OR ".join(f'"{word}"' for word in words)


@pytest.mark.parametrize("words", QUESTIONS, ids=" ".join)
@pytest.mark.parametrize("limit", [1, 10, 60])
@pytest.mark.parametrize("start", [1, 5, 40])
def test_the_best_are_the_same_with_counts(
    library: Library, monkeypatch: pytest.MonkeyPatch, words: list[str], limit: int, start: int
) -> None:
    monkeypatch.setattr(search, "_TO_START", start)
    monkeypatch.setattr(search, "_WORTHWHILE", 1)
    phrase = expressed(words)
    held = counts(phrase, lambda words: library.frequency(words, 1000))
    for filters in (Filters(), Filters(publishers=("none",))):
        every = library.match(phrase, filters, limit)
        assert library.match(phrase, filters, limit, held) == every
    assert len(library.match(phrase, Filters(), limit, held)) == limit


def test_most_matches_are_not_scored(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    scored = search._scored

    def spied(connection: sqlite3.Connection, *args: object) -> search.Scored:
        asked.append(str(args[-1]))
        return scored(connection, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(search, "_scored", spied)
    monkeypatch.setattr(search, "_WORTHWHILE", 1)
    phrase = expressed(["storm", "harbour", "mast", "sail"])
    library.match(phrase, Filters(), 5, counts(phrase, lambda words: library.frequency(words, 1000)))
    assert asked == [
        """['"sail" OR ("mast" AND ("harbour" OR "storm")) OR ("harbour" AND ("storm"))']""",
        """['"sail" OR "mast" OR ("harbour" AND ("storm"))']""",
    ]


def test_counts_of_the_words_of_an_expression() -> None:
    held = {"ferry": 3, "cease fire": 2}
    assert counts('"ferry" OR "cease fire" OR "x"', lambda words: held.get(words, 0)) == {
        '"ferry"': 3,
        '"cease fire"': 2,
        '"x"': 0,
    }
