"""Measures against values worked out by hand."""

import math

import pytest

from rag.evaluation.ranking import MEASURES, measure


def test_graded_documents_are_scored_as_trec_eval_does() -> None:
    scores = measure(["a", "b", "c"], {"b": 2, "c": 1, "d": 1, "e": 0})
    gained = 2 / math.log2(3) + 1 / math.log2(4)
    ideal = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    assert scores["nDCG@10"] == pytest.approx(gained / ideal) == pytest.approx(0.562727, abs=1e-5)
    assert scores["recall@10"] == pytest.approx(2 / 3)
    assert scores["MRR@10"] == 0.5
    assert (scores["hit@4"], scores["hit@10"]) == (1, 1)


@pytest.mark.parametrize(("rank", "hit_at_4", "hit_at_10"), [(4, 1, 1), (5, 0, 1), (10, 0, 1), (11, 0, 0)])
def test_cuts_are_inclusive(rank: int, hit_at_4: int, hit_at_10: int) -> None:
    scores = measure([*(f"other-{n}" for n in range(rank - 1)), "right"], {"right": 1})
    assert (scores["hit@4"], scores["hit@10"]) == (hit_at_4, hit_at_10)
    assert scores["recall@10"] == hit_at_10
    assert scores["MRR@10"] == (1 / rank if hit_at_10 else 0)
    assert scores["nDCG@10"] == pytest.approx(1 / math.log2(rank + 1) if hit_at_10 else 0)


def test_a_perfect_ranking_of_more_than_ten_is_1_but_cannot_recall_all() -> None:
    ids = [f"d{n}" for n in range(20)]
    scores = measure(ids, dict.fromkeys(ids, 1))
    assert scores["nDCG@10"] == pytest.approx(1)
    assert scores["recall@10"] == 0.5


def test_nothing_found_is_0_everywhere() -> None:
    assert measure([], {"a": 1}) == dict.fromkeys(MEASURES, 0.0)
