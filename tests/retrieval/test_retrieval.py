import numpy as np
import pytest

from rag.english.words import content_words, stems
from rag.retrieval.fusion import fuse, min_max
from rag.retrieval.lexical import expression


def column(*scores: float) -> np.ndarray:
    return np.array(scores, np.float64)


def test_min_max_stretches_to_zero_and_one() -> None:
    assert min_max(column(4, 2, 3)).tolist() == [1, 0, 0.5]
    assert min_max(column(7, 7)).tolist() == [1, 1]
    assert min_max(column()).tolist() == []


def test_fusion_weighs_both_scores_of_every_candidate() -> None:
    fused = fuse(column(10, 0, 5), column(0.1, 0.9, 0.8), dense_weight=0.55)
    assert fused.lexical.tolist() == [1, 0, 0.5]
    assert fused.dense.tolist() == pytest.approx([0, 1, 0.875])
    assert fused.scores.tolist() == pytest.approx([0.45, 0.55, 0.225 + 0.48125])
    assert fused.order() == [2, 1, 0]


def test_without_any_word_found_the_cosines_decide() -> None:
    fused = fuse(column(0, 0), column(0.2, 0.4), dense_weight=0.55)
    assert fused.scores.tolist() == pytest.approx([0, 0.55])
    assert fuse(column(), column(), dense_weight=0.55).order() == []


def test_candidates_that_tie_stay_in_their_order() -> None:
    assert fuse(column(1, 1, 1), column(0.5, 0.5, 0.5), dense_weight=0.5).order() == [0, 1, 2]


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


@pytest.mark.parametrize(
    ("question", "held", "searched"),
    [
        ("Is the ceasefire over?", {"cease fire"}, ["ceasefire", "cease fire"]),
        ("Is the cease-fire over?", {"ceasefire"}, ["cease", "fire", "ceasefire"]),
        ("the air strike on", {"airstrike"}, ["air", "strike", "airstrike"]),
        ("1,200 jobs", {"1 200"}, ["1200", "jobs", "1 200"]),
        ("12500 jobs", {"12 500"}, ["12500", "jobs", "12 500"]),
        ("a $6bn loan", {"6 billion"}, ["6bn", "loan", "6 billion"]),
        ("6.5 million people", {"6.5m"}, ["6.5", "million", "people", "6.5m"]),
        ("the U.N. envoy", {"un"}, ["u.n", "envoy", "un"]),
        ("the UN envoy", {"u n"}, ["un", "envoy", "u n"]),
        ("the ceasefire", set(), ["ceasefire"]),
        ("women of the fire", {"ofthe", "womenof"}, ["women", "fire"]),
    ],
)
def test_other_spellings_are_searched_where_the_index_holds_them(
    question: str, held: set[str], searched: list[str]
) -> None:
    phrase = expression(question, lambda words: words in held)
    assert phrase == " OR ".join(f'"{term}"' for term in searched)


def test_common_words_are_left_out_while_two_others_are_found() -> None:
    counts = {"iran": 40, "said": 900, "muscat": 7}
    phrase = expression("Muscat said Iran unheard", lambda words: counts.get(words, 0), common=500)
    assert phrase == '"muscat" OR "iran"'
    assert expression("Muscat said", lambda words: counts.get(words, 0), common=500) == '"muscat" OR "said"'


def test_a_spelling_that_is_much_rarer_than_the_word_is_not_searched() -> None:
    counts = {"decisions": 665, "dec isions": 3, "airstrike": 40, "air strike": 30}
    assert expression("decisions", lambda words: counts.get(words, 0)) == '"decisions"'
    assert expression("airstrike", lambda words: counts.get(words, 0)) == '"airstrike" OR "air strike"'


def test_the_most_frequent_words_are_left_out_when_together_they_match_too_much() -> None:
    counts = {"ferry": 3, "harbour": 6, "wave": 9, "storm": 9}

    def asked(text: str, common: int) -> str | None:
        return expression(text, lambda words: counts.get(words, 0), common=common)

    assert asked("storm wave harbour ferry", 10) == '"ferry" OR "harbour" OR "storm"'
    assert asked("storm wave", 10) == '"storm" OR "wave"'
