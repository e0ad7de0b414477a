from __future__ import annotations

import gzip
import json
from collections.abc import Sequence

import numpy as np
import pytest

from rag.answering.checking.support import DOUBT, FEATURES, THRESHOLD, WEIGHTS, Support, features, texts_compared
from rag.models.local_encoder import LocalEncoder
from rag.records import Evidence, UncitedClaim
from tests.conftest import SHARED
from tests.fakes import hit

QUOTE = "Tehran asked for a cease-fire in Gaza and said that it would not halt enrichment before 12 ships were freed."
BENCH = SHARED / "data" / "attribution" / "attributionbench-dev.jsonl.gz"


def finding(claim: str, quotes: Sequence[str] = (QUOTE,)) -> UncitedClaim:
    return UncitedClaim(claim, tuple(Evidence(hit(q, id=str(n)), 0, len(q)) for n, q in enumerate(quotes)))


@pytest.fixture(scope="module")
def support(encoder: LocalEncoder) -> Support:
    return Support(encoder.encode)


def test_every_feature_has_a_weight() -> None:
    assert len(WEIGHTS) == len(FEATURES) + 1


def test_a_claim_near_its_quotes_has_more_support_than_another(support: Support) -> None:
    near = support.score(finding("Iran wanted a cease-fire in Gaza."))
    far = support.score(finding("The harvest of wheat fell after the floods in spring."))
    assert 0 <= far < THRESHOLD < 0.5 < near <= 1


def test_a_wrong_number_costs_support(support: Support) -> None:
    right = support.score(finding("It asked that 12 ships be freed."))
    wrong = support.score(finding("It asked that 13 ships be freed."))
    assert wrong < right


def test_only_the_worst_claims_are_flagged(support: Support) -> None:
    assert support.flags(finding("Tehran would not halt enrichment.")) == ()
    assert support.flags(finding("The harvest of wheat fell after the floods in spring.")) == (DOUBT,)


def test_the_measures_of_a_claim_and_its_quotes() -> None:
    quotes = ["Iran did not pay 6 rials. It left.", "They met. All was quiet."]
    claim = "Iran paid 7 rials."
    texts = texts_compared(finding(claim, quotes))
    assert texts[:3] == [claim, "Iran did not pay 6 rials.", "It left."]
    assert texts[5:] == ["Iran did not pay 6 rials. It left. They met.", "It left. They met. All was quiet."]
    vectors = np.zeros((len(texts), 4), dtype=np.float32)
    vectors[0, 0] = 1
    vectors[5, 0] = 0.5
    measured = dict(zip(FEATURES, features(finding(claim, quotes), vectors), strict=True))
    assert measured["similarity"] == pytest.approx(0.5)
    assert measured["coverage"] == pytest.approx(2 / 4)
    assert (measured["number missing"], measured["negation differs"]) == (1, 1)


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        ("The ministry said that 12 ships were freed.", "Twelve ships are free again, according to the ministry."),
        ("The talks of 12 January failed.", "The talks broke down on Friday without a result."),
        ("Iran's envoy called it a clear demand.", "“This is our demand, and it is clear,” the Iranian diplomat said."),
        ("Shipping companies avoid the Red Sea.", "Lines that used the Red Sea send their vessels round the Cape."),
    ],
)
def test_a_paraphrase_is_not_doubted(support: Support, claim: str, quote: str) -> None:
    assert support.flags(finding(claim, [quote])) == ()


@pytest.mark.parametrize("quotes", [[], [""], ["…"], ["One."]])
def test_short_quotes_are_measured_too(support: Support, quotes: list[str]) -> None:
    assert 0 <= support.score(finding("Iran paid.", quotes)) <= 1


@pytest.mark.skipif(not BENCH.exists(), reason="the evaluation data is not here")
def test_support_tells_claims_of_the_benchmark_apart(support: Support) -> None:
    with gzip.open(BENCH, "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if sum(map(len, row["references"])) < 800][:160]
    right = [
        (support.score(finding(row["claim"], row["references"])) > 0.5) == (row["attribution_label"] == "attributable")
        for row in rows
    ]
    assert sum(right) / len(right) > 0.65
