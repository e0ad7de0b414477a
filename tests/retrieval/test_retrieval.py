import pytest

from rag.retrieval.fusion import min_max, weighted_sum
from rag.retrieval.lexical import expression
from rag.text.words import content_words, stems


def test_min_max_stretches_to_zero_and_one() -> None:
    assert min_max([("a", 4.0), ("b", 2.0), ("c", 3.0)]) == {"a": 1.0, "b": 0.0, "c": 0.5}
    assert min_max([("a", 7.0)]) == {"a": 1.0}
    assert min_max([]) == {}


def test_the_weighted_sum_counts_what_is_missing_as_nothing() -> None:
    fused = weighted_sum([("a", 10.0), ("b", 0.0)], [("b", 0.9), ("c", 0.1)], dense_weight=0.55)
    assert [row[0] for row in fused] == ["b", "a", "c"]
    assert fused[0][1:] == (pytest.approx(0.55), 0.0, 1.0)
    assert fused[1][1:] == (pytest.approx(0.45), 1.0, 0.0)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What did Iran demand in Muscat?", ["iran", "demand", "muscat"]),
        ("What did the US tell us?", ["us"]),
        ("Who is Nicolás Maduro's son?", ["nicolas", "maduro", "son"]),
        ("the U.S. and the U.N.", ["u.s", "u.n"]),
        ("What is it?", []),
    ],
)
def test_content_words(question: str, words: list[str]) -> None:
    assert content_words(question) == words


def test_words_are_compared_by_stem() -> None:
    assert stems("demands") == stems("demanded") == stems("Demand")


@pytest.mark.parametrize("question", ['"; DROP TABLE', "NEAR(a b) OR *", "a AND (b", "col:x ^y", "-", "؟", "🙂"])
def test_an_expression_is_always_valid(question: str) -> None:
    import sqlite3

    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE t USING fts5 (title, text)")
    phrase = expression(question)
    if phrase is not None:
        database.execute("SELECT * FROM t WHERE t MATCH ?", (phrase,)).fetchall()


def test_a_question_of_stop_words_is_searched_with_all_of_them() -> None:
    assert expression("who are they?") == '"who" OR "are" OR "they"'
    assert expression("?!") is None
