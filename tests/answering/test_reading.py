from __future__ import annotations

import numpy as np
import pytest

from rag.answering.candidates import Candidate
from rag.answering.features import FEATURES, FeatureMatrix, measure_features
from rag.answering.reading import SentenceReader, load_weights, probabilities
from rag.english.words import content_words, stem
from rag.models.reader import LocalReader
from rag.records import Article, Hit, Passage

READER = LocalReader()

FERRY = (
    "The ferry company added two night crossings on Monday. Ines Holm, who has led the company since 2019, said that"
    " tickets would cost 14 euros. The harbour was rebuilt in 2011 after a storm. Fishermen had protested against it."
)
TRAMS = "The trams of the city stood still on Friday. A strike of the drivers lasted nine hours. Buses ran as usual."


def hits(*texts: str) -> list[Hit]:
    return [
        Hit(Passage(f"p{n}", f"a{n}", 1, 0, 0, len(text), text), Article(f"a{n}", 1, "Local news", text), 1 - n / 2)
        for n, text in enumerate(texts)
    ]


def matrix(question: str, *texts: str) -> FeatureMatrix:
    rarity = {stem(word): 2.0 for word in content_words(question)}
    return measure_features(question, rarity, hits(*texts), READER)


def score(question: str, *texts: str) -> list[Candidate]:
    reader = SentenceReader(READER, lambda words: dict.fromkeys(words, 1), lambda: 10)
    return reader.score(question, hits(*texts))


def test_the_table_has_a_weight_for_every_feature() -> None:
    assert load_weights().shape == (len(FEATURES) + 1,)
    assert np.isfinite(load_weights()).all()


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How much does a ticket cost?", "14 euros"),
        ("who leads the ferry company", "Ines Holm"),
        ("When was the harbour rebuilt?", "2011"),
        ("How long did the strike last?", "nine hours"),
    ],
)
def test_the_sentence_that_answers_comes_first(question: str, expected: str) -> None:
    best = score(question, FERRY, TRAMS)
    assert expected in best[0].text
    assert [c.score for c in best] == sorted((c.score for c in best), reverse=True)
    assert all(0 < c.score < 1 for c in best)


def test_a_question_that_nothing_answers_is_less_likely_to_be_answered() -> None:
    answered = score("How much does a ticket cost?", FERRY)[0].score
    foreign = score("Who won the Nobel Prize in chemistry?", FERRY, TRAMS)[0].score
    absent = score("How many passengers did the ferry carry last year?", FERRY)[0].score
    assert answered > 5 * foreign
    assert answered > 2 * absent


def test_a_passage_that_does_not_speak_of_what_is_named_is_less_likely_to_answer() -> None:
    ticket = "Ines Holm said that tickets would cost 14 euros."
    named = score("How much does a ticket cost, asked Ines Holm?", ticket)[0].score
    unnamed = score("How much does a ticket cost, asked Owen Moor?", ticket)[0].score
    assert unnamed < named / 5


def test_a_capital_is_asked_about_under_the_name_that_a_passage_has_for_it() -> None:
    text = "Oman's ruler received the envoy on Monday. The talks in Oman ended with a treaty on fishing."
    by_capital, by_country = (score(f"How did the {place} talks end?", text) for place in ("Muscat", "Oman"))
    assert by_capital[0].text == by_country[0].text == "The talks in Oman ended with a treaty on fishing."
    assert by_capital[0].score == pytest.approx(by_country[0].score, rel=0.3)


def test_every_feature_is_what_it_says() -> None:
    found = matrix("How much does a ticket cost?", FERRY)
    assert found.features.shape == (len(found.candidates), len(FEATURES))
    row = {
        candidate.text[:10]: dict(zip(FEATURES, features, strict=True))
        for candidate, features in zip(found.candidates, found.features, strict=True)
    }
    price, first = row["Ines Holm,"], row["The ferry "]
    assert (price["opens"], first["opens"]) == (0.0, 1.0)
    assert price["kind"] == 1.0
    assert (price["coverage"], first["coverage"]) == (0.0, -1.0)
    assert price["retrieved"] == price["rank"] == 1.0
    assert price["span"] > first["span"]


def test_no_hits_give_no_candidates() -> None:
    assert score("How long did the strike last?") == []


def test_probabilities_are_those_of_a_logistic_regression() -> None:
    found = matrix("How long did the strike last?", TRAMS)
    weights = np.zeros(len(FEATURES) + 1)
    weights[FEATURES.index("opens")] = 2.0
    weights[-1] = -1.0
    expected = 1 / (1 + np.exp(-(2 * found.features[:, FEATURES.index("opens")] - 1)))
    np.testing.assert_allclose(probabilities(found, weights), expected)
