"""The whole way from a question to an answer on real libraries: quotes, written answers, refusals, measures."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from rag.answering.citations import CitationBuilder
from rag.engine import Engine, ask
from rag.errors import LibraryError
from rag.ingestion.loading import IngestLimits
from rag.ingestion.pipeline import ingest
from rag.records import (
    Answer,
    Article,
    ClaimShown,
    Document,
    Done,
    Evidence,
    Filters,
    Hit,
    Message,
    Passage,
    Question,
    Reset,
    SourcesShown,
    UncitedClaim,
)
from rag.settings import Settings
from rag.wiring import connect
from rag.wording import UNSURE
from tests.conftest import ROOT, SHARED, new_home
from tests.fakes.openai_server import NO_EVIDENCE, FakeOpenAI, Reply

RULES = IngestLimits(max_bytes=10_000_000, allow_private=False)
QUESTIONS = ROOT / "tests" / "journeys"


class Quiet:
    def advance(self, articles: int) -> None: ...
    def warn(self, source: str, message: str) -> None: ...


@pytest.fixture(scope="module")
def seeds(seeded: Path) -> Iterator[Engine]:
    engine = connect(Settings(rag_home=seeded))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> Iterator[Engine]:
    if not (SHARED / "corpus").is_dir():
        pytest.skip("the three corpus articles are not here (../shared/corpus)")
    engine = connect(Settings(rag_home=new_home(tmp_path_factory.mktemp("corpus") / "home", model_cache)))
    assert ingest([str(SHARED / "corpus")], engine, RULES, Quiet()).added == 3
    yield engine
    engine.close()


def normal(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]", " ", text.casefold()).split())


def check(engine: Engine, answer: Answer) -> None:
    """The invariants of every answer."""
    for claim in answer.claims:
        assert claim.quotes
        for quote in claim.quotes:
            assert engine.article(quote.article_id).text[quote.start : quote.end] == quote.text
            assert answer.sources[quote.source - 1].article_id == quote.article_id
    assert [source.number for source in answer.sources] == list(range(1, len(answer.sources) + 1))
    assert {q.source for c in answer.claims for q in c.quotes} == {s.number for s in answer.sources}
    assert bool(answer.claims) == (answer.verdict == "answered")
    assert len(answer.claims) <= 8 or answer.mode == "written"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("what did Iran demand in Muscat?", "Biden administration to implement a cease-fire in Gaza"),
        ("Who led the Iranian delegation?", "Ali Bagheri Kani"),
        ("who led the American delegation?", "Brett McGurk"),
        ("How many attacks on ships did the Pentagon count?", "102 assaults"),
        ("What did the envoy say about diplomacy?", "diplomatic path"),
        ("What was Larijani handed?", "letter"),
    ],
)
def test_the_messy_corpus_is_answered_from_the_right_sentence(corpus: Engine, question: str, expected: str) -> None:
    answer = ask(corpus, Question(question))
    check(corpus, answer)
    assert any(expected in claim.text for claim in answer.claims[:2]), [claim.text for claim in answer.claims]


def test_another_round_of_talks_is_not_confused_with_it(corpus: Engine, seeds: Engine) -> None:
    for engine in (corpus, seeds):
        answer = ask(engine, Question("what did Iran demand in Muscat?"))
        assert "cease-fire" in answer.claims[0].text
        assert not any("enrichment" in claim.text for claim in answer.claims)


@pytest.mark.parametrize(
    "question",
    [
        "Who is the chief executive of Apple?",
        "What did Iran demand in Geneva?",
        "what did iran demand in geneva",
        "WHAT DID IRAN DEMAND IN GENEVA",
        "Why did Brazil leave the talks?",
        "how do I bake sourdough bread",
        "🙂",
        "what did Iran demand in 1979?",
    ],
)
def test_what_the_articles_do_not_say_is_declined(corpus: Engine, seeds: Engine, question: str) -> None:
    for engine in (corpus, seeds):
        answer = ask(engine, Question(question))
        assert (answer.verdict, answer.claims, answer.sources) == ("no_evidence", (), ())
        for passage in answer.closest:
            assert engine.article(passage.article_id).text[passage.start : passage.end] == passage.text


@pytest.mark.parametrize(
    ("name", "first", "any_", "declined"), [("seeds", 0.70, 0.85, 0.75), ("corpus", 0.70, 0.85, 0.85)]
)
def test_the_share_of_right_answers_does_not_fall(
    request: pytest.FixtureRequest, name: str, first: float, any_: float, declined: float
) -> None:
    """Floors a little below what was measured when they were set: a change that loses answers shows."""
    engine: Engine = request.getfixturevalue(name)
    lines = [json.loads(line) for line in (QUESTIONS / f"questions_{name}.jsonl").read_text().splitlines()]
    firsts, anys, refusals = [], [], []
    for line in lines:
        answer = ask(engine, Question(line["question"]))
        check(engine, answer)
        if line["answers"] is None:
            refusals.append(answer.verdict == "no_evidence")
            continue
        found = [any(normal(e) in normal(claim.text) for e in line["answers"]) for claim in answer.claims]
        firsts.append(bool(found) and found[0])
        anys.append(any(found))
    assert sum(firsts) / len(firsts) >= first
    assert sum(anys) / len(anys) >= any_
    assert sum(refusals) / len(refusals) >= declined


def test_a_quote_that_leans_back_brings_the_sentence_before(home: Path) -> None:
    engine = connect(Settings(rag_home=home))
    text = "Marta Lind leads the harbor authority. She announced a new pier on Monday. Trams were late."
    engine.store([Document(text, "Harbor", "file:///h")])
    answer = ask(engine, Question("Who announced a new pier?"))
    assert answer.claims[0].text.startswith("Marta Lind leads the harbor authority. She announced")
    engine.close()


def test_a_sentence_that_only_announces_brings_what_follows(home: Path) -> None:
    engine = connect(Settings(rag_home=home))
    text = (
        "The unions and the port met on Tuesday. Both sides came with a clear demand. The port asked for night"
        " shifts. The unions, in turn, wanted higher pay. Trams were late."
    )
    engine.store([Document(text, "Port talks", "file:///h")])
    answer = ask(engine, Question("What was the demand of both sides in the port talks?"))
    assert "higher pay" in answer.claims[0].text
    engine.close()


def test_reports_that_differ_in_a_figure_are_all_shown(home: Path) -> None:
    engine = connect(Settings(rag_home=home))
    said = "The death toll of the Marn bridge collapse has risen to {}, the police said on {}."
    for n, (toll, day) in enumerate([("12", "Saturday"), ("19", "Monday"), ("17", "Friday")]):
        engine.store([Document(said.format(toll, day), f"Bridge {n}", f"file:///{n}", published=f"2024-03-0{n + 2}")])
    engine.store([Document(said.format("12", "Saturday") + " Trams stood still.", "Copy", "file:///copy")])
    answer = ask(engine, Question("How many people died in the Marn bridge collapse?"))
    shown = [re.findall(r"to (\d+)", claim.text)[0] for claim in answer.claims]
    assert sorted(shown) == ["12", "17", "19"]
    engine.close()


def test_the_same_report_elsewhere_is_quoted_once_and_named_as_a_copy(home: Path) -> None:
    engine = connect(Settings(rag_home=home))
    said = "The Marn bridge was closed on Monday after cracks were found in two of its pillars."
    draft = Document(said, "Bridge closed", "https://one.example/a", url="https://one.example/a")
    engine.store([draft, replace(draft, source="https://two.example/b", url="https://two.example/b")])
    engine.store(
        [Document(f"Breaking: {said} More soon.", "Marn", "https://three.example/c", url="https://three.example/c")]
    )
    engine.store([Document("The ferry to Bergen sank in the storm.", "Ferry", "file:///ferry")])
    answer = ask(engine, Question("Why was the Marn bridge closed?"))
    assert len(answer.claims) == len(answer.sources) == 1
    elsewhere = {f"https://{n}.example/{p}" for n, p in (("one", "a"), ("two", "b"), ("three", "c"))}
    assert {answer.sources[0].url, *answer.sources[0].copies} == elsewhere
    engine.close()


def test_notes_say_what_a_filter_left_out(home: Path) -> None:
    engine = connect(Settings(rag_home=home))
    engine.store([Document("The ferry to Bergen sank in the storm.", "Ferry", "file:///a")])
    undated = ask(engine, Question("What sank in the storm?"))
    assert [(note.kind, note.sources) for note in undated.notes] == [("undated", (1,))]
    filtered = ask(engine, Question("What sank in the storm?", filters=Filters(since=date(2024, 1, 1))))
    assert filtered.verdict == "no_evidence"
    assert [note.kind for note in filtered.notes] == ["filtered", "undated"]
    assert ask(engine, Question("What sank?", filters=Filters(since=date(2024, 1, 1)), all_dates=True)).claims
    engine.close()


def test_a_long_message_is_answered_by_what_it_asks_at_its_end(home: Path) -> None:
    engine = connect(Settings(rag_home=home))
    engine.store(
        [Document("The keeper of the Osk registry is Ines Holm. The registry opens at nine.", "Osk", "file:///a")]
    )
    story = "I have been reading about the old harbour, its trams, its fishermen and all those storms. " * 5
    assert "Ines Holm" in ask(engine, Question(story + "Who is the keeper of the Osk registry?")).claims[0].text
    engine.close()


def test_quotes_that_may_be_no_answer_say_so(home: Path) -> None:
    engine = connect(Settings(rag_home=home, rag_min_confidence=0.0))
    engine.store([Document("The ferry to Bergen sank in the storm. Nobody was hurt.", "Ferry", "file:///a")])
    sure, unsure = (ask(engine, Question(q)) for q in ("What sank in the storm?", "Who won the chess title?"))
    assert sure.confidence and unsure.confidence is not None and sure.confidence > 0.1 > unsure.confidence
    assert UNSURE in unsure.text
    assert UNSURE not in sure.text
    engine.close()


def test_two_versions_of_an_article_are_two_sources() -> None:
    composer = CitationBuilder()
    for version, text in ((1, "Twelve people died."), (2, "Thirteen people died.")):
        found = Hit(Passage("p", "a", version, 0, 0, len(text), text), Article("a", version, "Toll", text), 1.0)
        composer.add(UncitedClaim(text, (Evidence(found, 0, len(text)),)))
    assert [(s.number, s.version, s.excerpt.text) for s in composer.sources] == [
        (1, 1, "Twelve people died."),
        (2, 2, "Thirteen people died."),
    ]


def test_a_closed_engine_answers_no_more(home: Path) -> None:
    engine = connect(Settings(rag_home=home))
    engine.close()
    for asked in (lambda: ask(engine, Question("Who?")), lambda: engine.search("who", Filters(), 3)):
        with pytest.raises(LibraryError, match="closed"):
            asked()


# Slips of the hand


@pytest.mark.parametrize(
    ("question", "asked_as"),
    [
        ("What did Iran demand in Muskat?", "What did Iran demand in Muscat?"),
        ("what did Iran demand in Mucsat", "what did Iran demand in Muscat"),
    ],
)
def test_a_mistyped_name_is_answered_as_it_was_meant(
    corpus: Engine, seeds: Engine, question: str, asked_as: str
) -> None:
    for engine in (corpus, seeds):
        answer = ask(engine, Question(question))
        check(engine, answer)
        assert (answer.question, answer.asked_as) == (question, asked_as)
        assert "cease-fire" in answer.claims[0].text


@pytest.mark.parametrize("name", ["Muscar", "Muscate", "Muscow", "Tuscat"])
def test_a_name_that_may_be_another_is_declined(corpus: Engine, seeds: Engine, name: str) -> None:
    question = f"What did Iran demand in {name}?"
    for engine in (corpus, seeds):
        answer = ask(engine, Question(question))
        assert (answer.verdict, answer.asked_as) == ("no_evidence", question)
        assert answer.closest


def test_a_slip_in_the_question_before_is_mended_in_what_follows(seeds: Engine) -> None:
    history = (Message("user", "what did Iran demand in Muskat?"), Message("assistant", "A cease-fire in Gaza. [1]"))
    answer = ask(seeds, Question("What about the Americans?", history=history))
    assert {"americans", "demand", "muscat"} <= set(normal(answer.asked_as).split())
    assert any("rein in its proxies" in claim.text for claim in answer.claims)


# Follow-ups


def test_a_follow_up_is_searched_as_a_question_of_its_own(seeds: Engine) -> None:
    history = (Message("user", "what did Iran demand in Muscat?"), Message("assistant", "A cease-fire in Gaza. [1]"))
    answer = ask(seeds, Question("What about the Americans?", history=history))
    check(seeds, answer)
    assert answer.question == "What about the Americans?"
    assert {"americans", "demand", "muscat"} <= set(normal(answer.asked_as).split())
    assert any("rein in its proxies" in claim.text for claim in answer.claims)


def test_a_follow_up_about_another_place_is_declined(seeds: Engine) -> None:
    history = (Message("user", "what did Iran demand in Muscat?"),)
    answer = ask(seeds, Question("And in Geneva?", history=history))
    assert answer.verdict == "no_evidence"
    assert "Geneva" in answer.asked_as and "Iran" in answer.asked_as


def test_a_complete_question_is_left_alone(seeds: Engine) -> None:
    history = (Message("user", "what did Iran demand in Muscat?"),)
    question = "How many attacks on ships did the Pentagon count?"
    assert ask(seeds, Question(question, history=history)).asked_as == question


# Written answers, against an OpenAI-compatible server on a real socket


MUSCAT = "what did Iran demand in Muscat?"


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as server:
        yield server


def written(server: FakeOpenAI, home: Path, **settings: object) -> Engine:
    return connect(
        Settings(rag_home=home, openai_base_url=server.base_url, openai_api_key="sk-x", **settings)  # type: ignore[arg-type]
    )


def events(engine: Engine, question: str = MUSCAT) -> list[object]:
    return list(engine.answer(Question(question)))


def kinds(found: Sequence[object]) -> list[str]:
    return [type(event).__name__ for event in found]


def test_a_written_answer_rests_on_located_quotes(server: FakeOpenAI, seeded_copy: Path) -> None:
    server.quotes_sentences_with("cease-fire")
    engine = written(server, seeded_copy)
    found = events(engine)
    assert kinds(found)[:2] == ["SourcesShown", "ClaimShown"]
    assert isinstance(found[-1], Done)
    answer = found[-1].answer
    check(engine, answer)
    assert (answer.mode, answer.degraded, answer.verdict) == ("written", None, "answered")
    assert answer.model
    assert tuple(e.claim for e in found if isinstance(e, ClaimShown)) == answer.claims
    assert [e.sources for e in found if isinstance(e, SourcesShown)][-1] == answer.sources
    engine.close()


def test_a_claim_without_a_located_quote_is_dropped(server: FakeOpenAI, seeded_copy: Path) -> None:
    invented = {
        "claim": "Iran demanded the moon.",
        "quotes": [{"at": "1.1", "text": "Iran demanded the moon by Friday"}],
    }
    real = {
        "claim": "Iran demanded a cease-fire in Gaza.",
        "quotes": [
            {"at": "9.9", "text": "Iran demanded that the Biden administration bring about a cease-fire in Gaza"}
        ],
    }
    server.answers(json.dumps(invented), json.dumps(real), '{"done": true}')
    engine = written(server, seeded_copy)
    answer = ask(engine, Question(MUSCAT))
    check(engine, answer)
    assert [claim.text for claim in answer.claims] == ["Iran demanded a cease-fire in Gaza."]
    assert "moon" not in answer.text
    engine.close()


GOOD = json.dumps(
    {
        "claim": "Iran demanded a cease-fire in Gaza.",
        "quotes": [
            {"at": "1.1", "text": "Iran demanded that the Biden administration bring about a cease-fire in Gaza"}
        ],
    }
)


@pytest.mark.parametrize(
    ("reply", "degraded", "shown"),
    [
        (Reply(status=500), "server_error", False),
        (Reply(status=429), "rate_limited", False),
        (Reply(status=401), "unauthorized", False),
        (Reply("The answer is a cease-fire."), "bad_output", False),
        (Reply(GOOD + "\n", ending="silent"), "bad_output", True),
        (Reply(GOOD + "\n", finish_reason="length"), "length", True),
        (Reply(GOOD + "\n", ending="drop"), None, True),
        (Reply(GOOD + "\n", ending="hang"), "timeout", True),
        (Reply(ending="hang_first"), "timeout", False),
    ],
    ids=["500", "429", "401", "prose", "no last line", "length", "drop", "hang midway", "hang"],
)
def test_a_failing_model_ends_in_labelled_quotes(
    server: FakeOpenAI, seeded_copy: Path, reply: Reply, degraded: str | None, shown: bool
) -> None:
    server.replies(reply)
    engine = written(server, seeded_copy, openai_model="m", rag_deadline_s=4.0)
    found = events(engine)
    assert isinstance(found[-1], Done)
    answer = found[-1].answer
    check(engine, answer)
    assert (answer.mode, answer.verdict, answer.model) == ("quotes", "answered", None)
    assert answer.degraded if degraded is None else answer.degraded == degraded
    resets = [n for n, event in enumerate(found) if isinstance(event, Reset)]
    assert bool(resets) == shown
    after = found[resets[-1] + 1 :] if resets else found
    assert tuple(e.claim for e in after if isinstance(e, ClaimShown)) == answer.claims
    assert len(server.chats) <= 2
    engine.close()


def test_a_follow_up_is_rewritten_by_the_model_within_two_calls(server: FakeOpenAI, seeded_copy: Path) -> None:
    history = (Message("user", MUSCAT), Message("assistant", "A cease-fire in Gaza."))
    server.replies(Reply("What did the Americans demand from Iran in Muscat?"))
    server.quotes_sentences_with("proxies")
    engine = written(server, seeded_copy, openai_model="m")
    answer = ask(engine, Question("What about the Americans?", history=history))
    check(engine, answer)
    assert (answer.mode, answer.asked_as) == ("written", "What did the Americans demand from Iran in Muscat?")
    assert len(server.chats) == 2
    engine.close()


def test_the_model_is_asked_what_was_meant(server: FakeOpenAI, seeded_copy: Path) -> None:
    server.quotes_sentences_with("cease-fire")
    engine = written(server, seeded_copy, openai_model="m")
    answer = ask(engine, Question("What did Iran demand in Muskat?"))
    check(engine, answer)
    assert (answer.mode, answer.asked_as) == ("written", "What did Iran demand in Muscat?")
    sent = server.chats[-1].prompt
    assert "What did Iran demand in Muscat?" in sent and "Muskat" not in sent
    engine.close()


def test_the_model_may_decline(server: FakeOpenAI, seeded_copy: Path) -> None:
    server.answers(NO_EVIDENCE)
    engine = written(server, seeded_copy)
    answer = ask(engine, Question(MUSCAT))
    assert (answer.verdict, answer.mode, answer.claims) == ("no_evidence", "written", ())
    assert answer.closest
    engine.close()


def test_nothing_is_sent_when_nothing_is_near_or_quotes_are_wanted(server: FakeOpenAI, seeded_copy: Path) -> None:
    engine = written(server, seeded_copy)
    assert ask(engine, Question("Who is the chief executive of Apple?")).verdict == "no_evidence"
    quotes = ask(engine, replace(Question(MUSCAT), mode="quotes"))
    assert (quotes.mode, quotes.degraded) == ("quotes", None)
    assert server.received == []
    engine.close()


def test_markup_of_a_model_is_removed(server: FakeOpenAI, seeded_copy: Path) -> None:
    claim = "Iran <b>demanded</b> ![x](http://evil.example/a.png) a [cease-fire](http://evil.example) in Gaza."
    server.answers(json.dumps({**json.loads(GOOD), "claim": claim}), '{"done": true}')
    engine = written(server, seeded_copy)
    answer = ask(engine, Question(MUSCAT))
    assert "evil" not in answer.text + answer.claims[0].text
    assert answer.claims[0].text == "Iran demanded a cease-fire in Gaza."
    engine.close()
