"""Respelling, on a real full-text index."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from rag.records import Document, Span
from rag.retrieval.lexical import unheld
from rag.retrieval.spelling import correct_spelling
from rag.storage.library import Library

TEXTS = (
    "Minister Araqchi met the envoy in Muscat. The talks of Araqchi went on.",
    "A musket from the old war was sold in Muscatine.",
    "President Zelensky thanked Chancellor Scholz for the aid.",
    "Gaddafi spoke in Tripoli, and Khrushchev was quoted.",
    "The cease-fire held, and an air strike was called off.",
    "Kazakhstan's contribution was praised. Contributions came late.",
    "The musicians played trumpets for the Ostravan guests.",
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    library = Library(tmp_path_factory.mktemp("spelling") / "library.sqlite3")
    with library.transaction() as changes:
        for number, text in enumerate(TEXTS):
            draft = Document(text, "Notes", f"id:{number}", id=str(number))
            changes.write(draft, changes.place(draft), [Span(0, len(text))])
    yield library
    library.close()


def correct(library: Library, question: str) -> str:
    return correct_spelling(question, cache(lambda words: library.frequency(words, 1000)), library)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What did Araghchi say?", "What did Araqchi say?"),  # another transliteration
        ("What did Araqhci say?", "What did Araqchi say?"),  # exchanged
        ("Zelinsky's thanks", "Zelensky's thanks"),  # another vowel, a possessive
        ("Zelenskyy’s thanks", "Zelenskyy’s thanks"),  # of one stem: it is found as it is
        ("who is schollz", "who is Scholz"),  # one letter typed twice, without a capital
        ("Khruschev and Kruschev", "Khrushchev and Kruschev"),  # two slips are one too many
        ("the Kazakstan vote", "the Kazakhstan vote"),
        ("the contrubution", "the contribution"),
    ],
)
def test_a_word_that_stands_nowhere_is_spelled_as_a_passage_spells_it(
    library: Library, question: str, wanted: str
) -> None:
    assert correct(library, question) == wanted


@pytest.mark.parametrize(
    "question",
    [
        "What did Araqchi say in Muscat?",
        "muscat or musket",  # near to each other, but both are there
        "the ceasefire and an airstrike",  # there in two words
        "Zelenskys",  # there by its stem
        "Mursk, Sholz and muskat",  # too short to tell, the last without a capital
        "12500 or 1,2000",  # numbers are no slips
        "Lisbon",
        "who are they?",
        "",
    ],
)
def test_what_is_held_or_near_to_nothing_stays(library: Library, question: str) -> None:
    assert correct(library, question) == question


def test_a_name_does_not_become_a_thing(library: Library) -> None:
    assert correct(library, "Trumpetz") == "Trumpetz"
    assert correct(library, "trumpetz") == "trumpets"


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What did Araghchi say in Mucsat?", "What did Araqchi say in Muscat?"),  # a sound, an exchange
        ("Zelenaky", "Zelensky"),  # by the key beside
        ("Zelnesky", "Zelensky"),
        ("Zelennsky", "Zelensky"),  # typed twice
        ("Zelenmsky", "Zelensky"),  # with the key beside
        ("Zelenky", "Zelensky"),  # left out
        ("Zelinsky's", "Zelensky's"),  # a vowel
        ("hcolz, kazakstan and the contrubution", "hcolz, Kazakhstan and the contribution"),
    ],
)
def test_a_slip_of_the_hand_is_what_was_correct(library: Library, question: str, wanted: str) -> None:
    assert correct(library, question) == wanted


@pytest.mark.parametrize(
    "question",
    [
        "Muscar",  # short, although by the key beside
        "Muscet",  # short, although a vowel
        "Pelensky",  # another first letter
        "Ezelensky",
        "Zelenspy",  # another consonant
        "Zelenskyp",  # a letter more, of no key beside
        "Zelensky7",
    ],
)
def test_what_may_be_another_name_is_not_what_was_correct(library: Library, question: str) -> None:
    assert correct(library, question) == question


def test_the_more_frequent_of_two_near_words_is_taken(library: Library) -> None:
    counts = {"muscats": 9, "muscots": 2}

    class Counted:
        def terms(self, prefix: str) -> dict[str, int]:
            return {word: count for word, count in counts.items() if word.startswith(prefix)}

        def examples(self, word: str, most: int) -> list[str]:
            return [word.title()]

    assert correct_spelling("Muscets", lambda words: counts.get(words, 0), Counted()) == "Muscats"


def test_only_so_many_words_are_looked_for(library: Library) -> None:
    question = "Araghchi Qaddafi Shcolz Kazakstan"
    assert correct(library, question) == "Araqchi Gaddafi Scholz Kazakstan"


def test_words_that_the_index_lacks(library: Library) -> None:
    frequency = cache(lambda words: library.frequency(words, 1000))
    assert unheld("Was the ceasefire of Lisbon and Araghchi held?", frequency) == ["lisbon", "araghchi"]
    assert unheld("an air-strike, the air strike, Zelensky", frequency) == []


def test_terms_and_examples_of_the_library(library: Library) -> None:
    assert library.terms("musc") == {"muscat": 1, "muscatin": 1}
    assert library.terms("zzz") == {}
    assert library.examples("zelensky", 5) == [f"Notes\n{TEXTS[2]}"]
    assert len(library.examples("notes", 3)) == 3
    assert library.examples("lisbon", 5) == []


def test_an_empty_library_respells_nothing(tmp_path: Path) -> None:
    library = Library(tmp_path / "empty.sqlite3")
    assert correct(library, "Araghchi in Muskat") == "Araghchi in Muskat"
    library.close()
