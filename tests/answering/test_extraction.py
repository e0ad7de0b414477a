from collections.abc import Sequence

import pytest

from rag.answering.candidates import speaks_of
from rag.answering.citations import CitationBuilder
from rag.answering.extraction import extract_claims
from rag.answering.reading import Candidates, SentenceReader, Thresholds
from rag.answering.search import PassageSet
from rag.english.names import Names, name_words
from rag.models.reader import LocalReader
from rag.records import Article, Evidence, Hit, Passage, UncitedClaim

ALL = Thresholds(best=0.0, drop=0.0)
READER = LocalReader()


def hit(text: str, passage: str) -> Hit:
    start = text.index(passage)
    article = Article("a", 1, "Talks", text)
    return Hit(Passage("p", "a", 1, 0, start, start + len(passage), passage), article, 1.0)


def extract(question: str, passage: Hit, thresholds: Thresholds = ALL) -> Sequence[UncitedClaim]:
    """Each sentence of a passage as it is quoted."""
    reader = SentenceReader(READER, lambda words: dict.fromkeys(words, 1), lambda: 10, thresholds)
    return extract_claims(Candidates(PassageSet(), tuple(reader.score(question, [passage])), thresholds))


@pytest.mark.parametrize(
    "sentence",
    ["But he left Muscat early.", "And it sank near Muscat.", "However, she stayed in Muscat.", "He left Muscat."],
)
def test_a_sentence_that_leans_back_brings_the_one_before(sentence: str) -> None:
    text = f"The envoy came from Qatar. {sentence}"
    assert [claim.text for claim in extract("who left Muscat", hit(text, sentence))] == [text]


def test_a_sentence_with_a_subject_of_its_own_stands_alone() -> None:
    sentence = "But the envoy left Muscat."
    claims = extract("who left Muscat", hit(f"Qatar was next. {sentence}", sentence))
    assert [claim.text for claim in claims] == [sentence]


@pytest.mark.parametrize(
    "sentence",
    [
        "Henry scored two goals.",
        "Arsenal won by three points.",
        "She saved two match points.",
        "He took two steps back.",
    ],
)
def test_goals_and_points_announce_nothing(sentence: str) -> None:
    claims = extract("who won", hit(f"{sentence} It rained all day. Nobody minded.", sentence))
    assert [claim.text for claim in claims] == [sentence]


@pytest.mark.parametrize("sentence", ["Iran had two demands.", "The cabinet has three options.", "It asks for this:"])
def test_an_announcement_brings_what_follows(sentence: str) -> None:
    text = f"{sentence} One is peace. The other is money."
    assert [claim.text for claim in extract("what is asked", hit(text, sentence))] == [text]


INTERVIEW = """The governor of the Norland bank spoke to us on Friday.

When will rates fall?

Not before the autumn.

The bank has bought too many houses, she said."""


def texts(question: str, text: str, passage: str = "") -> list[str]:
    return [claim.text for claim in extract(question, hit(text, passage or text))]


def test_an_answer_brings_the_short_question_before_it() -> None:
    assert texts("When does she expect rates to fall?", INTERVIEW)[0] == "When will rates fall? Not before the autumn."


@pytest.mark.parametrize("passage", ["When will rates fall?", "Not before the autumn."])
def test_a_question_and_its_answer_are_one_quote_across_two_passages(passage: str) -> None:
    text = "It rained. When will rates fall? Not before the autumn."
    assert texts("When will rates fall?", text, passage) == ["When will rates fall? Not before the autumn."]


def test_no_comes_with_its_question_however_long_or_not_at_all() -> None:
    asked = "Did the cabinet of Norland ask you to leave the bank in May?"
    assert texts("Was the governor asked to leave?", f"{asked} No. Rain fell.")[0] == f"{asked} No."
    assert texts("Was the governor asked to leave?", "No.") == []
    assert texts("Was the governor asked to leave?", "Of course not. Never!") == []
    assert texts("Was the governor asked to leave?", "Nobody left.") == ["Nobody left."]


LONG_QUESTION = "What happens to the houses that were bought on credit in the years of cheap money?"


def test_a_long_question_is_no_answer_and_stays_away_from_one_that_says_enough() -> None:
    answer = "Many of the houses will be sold by the bank in spring."
    assert texts("What happens to the houses?", f"{LONG_QUESTION} {answer}") == [answer]
    assert texts("What happens to the houses?", LONG_QUESTION) == []


def test_a_question_is_an_answer_where_it_is_asked_for_or_told_of() -> None:
    assert texts("What was the governor asked about houses?", LONG_QUESTION) == [LONG_QUESTION]
    told = 'The minister asked the bank: "Who pays for the houses?"'
    assert texts("Who pays for the houses?", told) == [told]


@pytest.mark.parametrize("marks", ['""', "“”", "«»"])
def test_speech_is_not_cut_in_two(marks: str) -> None:
    first, second = f"{marks[0]}We broke the window with a bottle.", f"The stairs had gone,{marks[1]} said Ravi Lal."
    text = f"It burned. {first} {second} It rained."
    assert texts("Who broke the window?", text, first) == [f"{first} {second}"]
    assert texts("Had the stairs gone?", text, second) == [f"{first} {second}"]


def test_speech_that_closes_far_away_leaves_a_quote_as_it_is() -> None:
    first = '"We broke the window.'
    text = f'{first} It burned. It rained. It burned again. And then we left," said Ravi Lal.'
    assert texts("Who broke the window?", text, first) == [first]


def test_speech_within_a_sentence_brings_nothing() -> None:
    sentence = 'The "red" door was shut, said Ravi Lal.'
    assert texts("Was the door shut?", f'It burned. {sentence} "Yes," he said.', sentence) == [sentence]


def test_a_name_must_stand_in_the_article_around_the_passage() -> None:
    found = hit("Talks were held in Muscat. Iran demanded peace.", "Iran demanded peace.")
    assert extract("What did Iran and America demand in Muscat?", found, Thresholds())
    assert not extract("What did Iran and America demand in Geneva?", found, Thresholds())


def test_passages_of_one_long_article_are_searched_for_names_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Iran demanded peace in Muscat. " * 3000
    article = Article("long", 1, "Talks", text)
    hits = [
        Hit(Passage(str(n), "long", 1, n, n, n + 30, text[n : n + 30]), article, 1.0) for n in range(31000, 39000, 310)
    ]
    read: list[str] = []

    def counting(text: str) -> frozenset[str]:
        read.append(text)
        return name_words(text)

    monkeypatch.setattr("rag.answering.candidates.name_words", counting)
    assert len(hits) > 20
    assert all(speaks_of(found, Names(("muscat",))) for found in hits)
    assert len(read) < 4


def test_an_excerpt_covers_a_quote_that_reaches_beyond_the_passage() -> None:
    text = "The envoy came from Qatar. But he left early. Nobody knew why. The rest is silence."
    found = hit(text, "But he left early.")
    citations = CitationBuilder()
    citations.add(UncitedClaim("He left.", (Evidence(found, 0, found.passage.end),)))
    first = citations.sources[0].excerpt
    assert (first.start, first.end, first.text) == (0, found.passage.end, text[: found.passage.end])
    citations.add(UncitedClaim("Why?", (Evidence(found, found.passage.start, text.index(" The rest")),)))
    assert citations.sources[0].excerpt.text == text[: text.index(" The rest")]


def test_an_excerpt_stays_readable_but_always_holds_the_first_quote() -> None:
    text = "The start. " + "Word after word. " * 400 + "The end."
    near, far = hit(text, "The start."), hit(text, "The end.")
    citations = CitationBuilder()
    citations.add(UncitedClaim("All.", (Evidence(near, 0, 5000),)))
    assert citations.sources[0].excerpt.text == text[:5000]
    citations.add(UncitedClaim("End.", (Evidence(far, far.passage.start, far.passage.end),)))
    assert citations.sources[0].excerpt.text == text[:5000]
