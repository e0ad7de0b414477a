from __future__ import annotations

import pytest

from rag.answering.answer_type import offers
from rag.answering.extraction import Extractor, Thresholds
from rag.answering.topic_filter import about_something_else, things_asked
from rag.models.reader import LocalReader
from rag.records import Article, Hit, Passage

FERRY = Article("ferry", 1, "Ferry aground off Sundvik", "A ferry ran aground in fog on Monday. Nobody was killed.")
FIRE = Article("fire", 1, "Warehouse fire at Kolm", "A fire at a warehouse in Kolm killed 14 people on Friday.")
BLAZE = Article("blaze", 1, "More victims found in Kolm", "The blaze in Kolm killed 17 people, a hospital said.")


@pytest.mark.parametrize(
    ("question", "things"),
    [
        ("how many people were killed on the ferry", {"ferri"}),
        ("How many died in the warehouse fire?", {"warehous", "fire"}),
        ("What was the name of the bridge, and who built the road?", {"bridg", "road"}),
        ("What caused the fire at the Kolm docks?", {"fire"}),
        ("Who is the mayor of Kolm?", set()),
        ("Who won?", set()),
    ],
)
def test_things_are_the_common_words_behind_the(question: str, things: set[str]) -> None:
    assert things_asked(question) == things


def test_an_article_that_never_mentions_the_thing_is_about_something_else() -> None:
    asked = "How many people were killed on the ferry?"
    assert about_something_else(asked, [FERRY, FIRE, BLAZE]) == {"fire", "blaze"}


def test_another_word_for_it_is_let_pass_where_titles_share_a_word() -> None:
    assert about_something_else("How many people died in the fire?", [FERRY, FIRE, BLAZE]) == {"ferry"}


def test_nothing_is_told_of_a_thing_that_no_article_is_about() -> None:
    assert about_something_else("How many people died on the train?", [FERRY, FIRE, BLAZE]) == frozenset()
    aside = Article("aside", 1, "Budget passed", "The council voted. " * 30 + "A ferry was late.")
    assert about_something_else("How many people were killed on the ferry?", [aside, FIRE]) == frozenset()


def test_the_dead_of_another_accident_are_not_quoted() -> None:
    hits = [Hit(Passage(a.id, a.id, 1, 0, 0, len(a.text), a.text), a, 1.0) for a in (FERRY, FIRE)]
    words = Extractor(LocalReader(), lambda asked: dict.fromkeys(asked, 1), lambda: 10, thresholds=Thresholds())
    quotes = words.findings(words.candidates("How many people were killed on the ferry?", hits))
    assert "Nobody was killed." in " ".join(quote.text for quote in quotes)
    assert {quote.evidence[0].hit.article.id for quote in quotes} == {"ferry"}


@pytest.mark.parametrize("sentence", ["Nobody was killed.", "There were no casualties.", "None of them was hurt."])
def test_nobody_is_a_number(sentence: str) -> None:
    assert offers("number", sentence, frozenset()) == 1.0
