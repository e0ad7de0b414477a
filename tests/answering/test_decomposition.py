"""A question for two things gets both; a question for one stays one."""

from __future__ import annotations

import pytest

from rag.answering.decomposition import Part, parts
from rag.answering.extraction import extract_claims
from rag.answering.reading import Candidates, SentenceReader, Thresholds
from rag.answering.search import PassageSet
from rag.models.reader import LocalReader
from rag.records import Article, Hit, Passage

SENTENCES = SentenceReader(LocalReader(), lambda words: dict.fromkeys(words, 1), lambda: 10)
FERRIES = (
    "Harlow Ferries said on Monday that Signe Dyrberg will become chief executive on 1 March, succeeding its founder, "
    "Owen Harlow. Harlow Ferries carried 1.9 million passengers last year, up from 1.6 million. Its finance director, "
    "Leo Marsh, stays in post."
)
SHIPS = (
    "Tamar Line has ordered two battery-powered ships. The company's chief engineer, Ruth Adeyemi, said that the ships "
    "would burn no fuel on crossings under 40 miles."
)
BRIDGE = (
    "The transport minister, Elena Vasko, resigned on Friday over the collapse of a bridge that killed four people. "
    "The opposition leader, Maria Tosheva, demanded that the prime minister resign as well."
)
DAM = "The Orsa dam was finished in 2020. It cost 1.1 billion dollars."
WALL = "The harbour wall of Velden was finished in 2019. It cost 38 million crowns."


def quotes(question: str, *texts: str) -> list[str]:
    hits = []
    for number, text in enumerate(texts):
        article = Article(str(number), 1, "", text)
        hits.append(Hit(Passage(str(number), str(number), 1, 0, 0, len(text), text), article, 1.0 - number / 10, 0.6))
    candidates = Candidates(PassageSet(), tuple(SENTENCES.score(question, hits)), Thresholds())
    return [claim.text for claim in extract_claims(candidates)]


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        (
            "What did Meru and Tolland want in Geneva?",
            (Part("What did Meru want in Geneva?", "meru"), Part("What did Tolland want in Geneva?", "tolland")),
        ),
        (
            "What happened to both Elena Vasko and the Liberals?",
            (
                Part("What happened to Elena Vasko?", "vasko"),
                Part("What happened to the Liberals?", "liberals"),
            ),
        ),
        (
            "Who won, and what did Tolland offer?",
            (),  # "Who won" is hardly a question in its own right
        ),
        (
            "What did Meru demand and what did Tolland offer?",
            (Part("What did Meru demand"), Part("what did Tolland offer?")),
        ),
        (
            "When was the dam finished and what did it cost?",
            (Part("When was the dam finished"), Part("what did it cost?", leans=True)),
        ),
        (
            "What did Iran and America want?",
            (Part("What did Iran want?", "iran"), Part("What did America want?", "us")),
        ),
        ("Where is the Bread and Salt Museum?", ()),
        ("The Rhine flows between Austria and what other country?", ()),
        ("Which border do they share?", ()),
        ("", ()),
    ],
)
def test_a_question_is_taken_apart_where_it_asks_for_two_things(question: str, asked: tuple[Part, ...]) -> None:
    assert parts(question) == asked


def test_both_halves_of_a_question_are_quoted() -> None:
    found = quotes("Who will run Harlow Ferries and who is its finance director?", FERRIES)
    assert any("Signe Dyrberg" in quote for quote in found)
    assert any("Leo Marsh" in quote for quote in found)


def test_both_parties_are_quoted() -> None:
    found = quotes("Who are Leo Marsh and Ruth Adeyemi?", FERRIES, SHIPS)
    assert any("Leo Marsh" in quote for quote in found)
    assert any("Ruth Adeyemi" in quote for quote in found)


def test_it_is_what_the_first_half_was_about() -> None:
    found = quotes("When was the Orsa dam finished and what did it cost?", DAM, WALL)
    assert "2020" in found[0]
    assert any("1.1 billion" in quote for quote in found)
    assert not any("38 million" in quote for quote in found)


def test_a_party_that_no_sentence_names_lends_no_weight_to_the_other() -> None:
    article = Article("a", 1, "", BRIDGE)
    hit = Hit(Passage("p", "a", 1, 0, 0, len(BRIDGE), BRIDGE), article, 1.0, 0.6)
    both = SENTENCES.score("What are Elena Vasko and Ivan Petrov doing?", [hit])
    assert {candidate.part for candidate in both} == {0}
