"""Suggested questions on real libraries: each has an answer there, and none repeats what was shown."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from rag.engine import LocalEngine, ask
from rag.records import Answer, Document, Filters, Message, Question, Quote
from rag.settings import Settings
from rag.suggesting.suggester import Suggester
from rag.wiring import connect
from tests.conftest import new_home

MUSCAT = "what did Iran demand in Muscat?"


@pytest.fixture(scope="module")
def seeds(seeded: Path) -> Iterator[LocalEngine]:
    engine = connect(Settings(rag_home=seeded))
    assert isinstance(engine, LocalEngine)
    yield engine
    engine.close()


Filled = Callable[..., LocalEngine]


@pytest.fixture
def filled(tmp_path: Path, model_cache: Path) -> Iterator[Filled]:
    """A library of its own with these texts, one article each."""
    engine = connect(Settings(rag_home=new_home(tmp_path / "filled", model_cache)))
    assert isinstance(engine, LocalEngine)

    def fill(*texts: str) -> LocalEngine:
        engine.store([Document(text=text, title=f"Report {n}", publisher=f"Paper {n}") for n, text in enumerate(texts)])
        return engine

    yield fill
    engine.close()


def quotes(answer: Answer) -> list[Quote]:
    return [quote for claim in answer.claims for quote in claim.quotes]


def conversation(*turns: str) -> tuple[Message, ...]:
    return tuple(Message("assistant" if n % 2 else "user", text) for n, text in enumerate(turns))


def is_shown(quote: Quote, shown: Sequence[Quote]) -> bool:
    return any(
        quote.article_id == other.article_id and quote.start < other.end and other.start < quote.end for other in shown
    )


def test_every_example_is_answered_and_each_by_another_article(seeds: LocalEngine) -> None:
    examples = Suggester(seeds.pipeline).examples()
    assert len(examples) == 4
    answers = [ask(seeds, Question(question)) for question in examples]
    assert all(answer.verdict == "answered" for answer in answers)
    assert len({quotes(answer)[0].article_id for answer in answers}) == 4


def test_examples_are_not_all_of_one_form(seeds: LocalEngine) -> None:
    openings = [question.split()[0] for question in Suggester(seeds.pipeline).examples()]
    assert len(set(openings)) > 1


def test_every_follow_up_is_answered_by_words_that_were_not_shown(seeds: LocalEngine) -> None:
    answer = ask(seeds, Question(MUSCAT))
    found = Suggester(seeds.pipeline).follow_ups(answer)
    assert found
    shown = quotes(answer)
    history = conversation(MUSCAT, answer.text)
    for question in found:
        following = ask(seeds, Question(question, history))
        assert following.asked_as == question  # it stands by itself
        best = quotes(following)[0]
        assert not is_shown(best, shown)
        shown.append(best)


def test_follow_ups_do_not_repeat_the_conversation(seeds: LocalEngine) -> None:
    suggester = Suggester(seeds.pipeline)
    answer = ask(seeds, Question(MUSCAT))
    first = suggester.follow_ups(answer)[0]
    told = ask(seeds, Question(first))
    assert first not in suggester.follow_ups(answer, conversation(first, told.text))


def test_an_answer_that_was_declined_leads_to_what_the_library_has(seeds: LocalEngine) -> None:
    answer = ask(seeds, Question("What did Iran demand in Geneva?"))
    assert answer.verdict == "no_evidence"
    found = Suggester(seeds.pipeline).follow_ups(answer)
    assert found
    assert all(ask(seeds, Question(question)).verdict == "answered" for question in found)


def test_an_empty_library_gives_no_examples(filled: Filled) -> None:
    assert Suggester(filled().pipeline).examples() == []


def test_articles_without_fitting_sentences_give_no_examples(filled: Filled) -> None:
    engine = filled("It rained all day. Nobody was surprised by that.", "Bread 2.55\nMilk 1.35\nEggs 0.75\n")
    assert Suggester(engine.pipeline).examples() == []


def test_one_article_gives_one_example_and_a_new_one_another(filled: Filled) -> None:
    engine = filled("Norway demanded that the fleet stay in port until the herring have spawned. Nobody objected.")
    suggester = Suggester(engine.pipeline)
    assert suggester.examples() == ["What did Norway demand?"]
    engine.store([Document(text="The Bergen Museum will open a new wing on 4 May, its director said.", title="A wing")])
    assert set(suggester.examples()) == {"What did Norway demand?", "When will the Bergen Museum open a new wing?"}


def test_follow_ups_stay_within_the_filters(filled: Filled) -> None:
    engine = filled(
        "Norway demanded that the fleet stay in port. The quota is 300 tonnes.",
        "Norway accused Iceland of dumping herring on the market. The talks ended without a result.",
    )
    answer = ask(engine, Question("What did Norway demand?"))
    suggester = Suggester(engine.pipeline)
    assert suggester.follow_ups(answer) == ["What did Norway accuse Iceland of?"]
    assert suggester.follow_ups(answer, filters=Filters(publishers=("Paper 0",))) == []


def test_an_article_that_is_gone_leads_nowhere(filled: Filled) -> None:
    engine = filled(
        "Norway demanded that the fleet stay in port until May. Norway accused Iceland of dumping herring. "
        "Norway will send four inspectors to the quays."
    )
    answer = ask(engine, Question("What did Norway demand?"))
    for source in answer.sources:
        engine.remove(source.article_id)
    assert Suggester(engine.pipeline).follow_ups(answer) == []
