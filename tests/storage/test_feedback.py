import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from rag.records import Answer, Feedback, Message
from rag.storage.database import Database
from rag.storage.feedback import FeedbackStore

ANSWER = Answer("a1", "Did it rain?", "Did it rain?", "no_evidence", "quotes", None, "Nothing was found.")
FEEDBACK = Feedback(
    id="",
    answer=ANSWER,
    history=(Message("user", "Hello?"), Message("assistant", "Hello.")),
    good=False,
    comment="It did.",
    expected="7 mm",
    settings={"mode": "quotes"},
    face="slack",
)


@pytest.fixture
def opinions(tmp_path: Path) -> FeedbackStore:
    return FeedbackStore(Database(tmp_path / "library.sqlite3"))


def test_what_was_given_comes_back_oldest_first(opinions: FeedbackStore) -> None:
    first = opinions.give(FEEDBACK, "me")
    second = opinions.give(replace(FEEDBACK, answer=replace(ANSWER, id="a2"), good=True), "me")
    assert opinions.all() == [first, second]
    assert replace(first, id="", given="") == FEEDBACK
    assert first.id and second.id and first.id != second.id
    assert first.given < second.given


def test_a_reader_has_one_opinion_of_an_answer(opinions: FeedbackStore) -> None:
    first = opinions.give(FEEDBACK, "me")
    other = opinions.give(FEEDBACK, "you")
    changed = opinions.give(replace(FEEDBACK, good=True, comment=""), "me")
    assert (changed.id, changed.good) == (first.id, True)
    assert changed.comment == "It did.", "what is not said anew stays"
    assert opinions.all() == [other, changed]


def test_long_and_odd_texts_are_kept(opinions: FeedbackStore) -> None:
    long = "x" * 5000
    kept = opinions.give(replace(FEEDBACK, comment=long, expected=long), "me")
    assert (len(kept.comment), len(kept.expected)) == (4000, 4000)
    odd = "half \ud800 a \0 character"
    opinions.give(replace(FEEDBACK, answer=replace(ANSWER, id=odd, question=odd), comment=odd), "me\ud800")
    opinions.give(replace(FEEDBACK, answer=replace(ANSWER, id=odd, question=odd), comment=odd), "me\ud800")
    first, second = opinions.all()
    assert first == kept
    assert second.comment == second.answer.question == odd.replace("\ud800", "?")


@pytest.mark.parametrize("damage", ["{", "null", b"\xff\xfe"])
def test_what_cannot_be_read_is_left_out(opinions: FeedbackStore, tmp_path: Path, damage: object) -> None:
    bad = opinions.give(FEEDBACK, "me")
    good = opinions.give(FEEDBACK, "you")
    with sqlite3.connect(tmp_path / "library.sqlite3") as connection:
        connection.execute("UPDATE feedback SET record = CAST(? AS TEXT) WHERE id = ?", (damage, bad.id))
    connection.close()
    assert opinions.all() == [good]


def test_the_file_holds_no_session(opinions: FeedbackStore, tmp_path: Path) -> None:
    opinions.give(FEEDBACK, "s3cr3t-that-is-in-the-cookie")
    assert not any(b"s3cr3t-that" in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
