from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from rag.errors import (
    DiskFull,
    EncoderError,
    InvalidRequest,
    LibraryDamaged,
    LibraryError,
    RagError,
    TooBusy,
    UnknownArticle,
    UnknownConversation,
)
from rag.records import Answer, Article, Event, Filters, Message, Question
from rag.storage.conversations import Conversations
from rag.storage.database import Database
from rag.storage.feedback import FeedbackStore
from tests.ui.conftest import ScriptedEngine, ScriptedSuggester
from ui.chat.conversations import ConversationService, explain
from ui.chat.exchanges import Exchange, fail, history, stop

MINE, THEIRS = "my secret", "their secret"
NARROW = Filters(date(2024, 1, 1), None, ("The Gull",))
ALL = Filters()


class Broken(ScriptedEngine):
    """Fails with whatever it is given, after the first claim."""

    failure: Exception = RagError("")

    def answer(self, question: Question) -> Iterator[Event]:
        yield from list(super().answer(question))[:2]
        raise self.failure


class Listening(ScriptedSuggester):
    """Remembers what it was asked with."""

    def __init__(self) -> None:
        self.heard: list[tuple[Answer, Sequence[Message], Filters]] = []

    def follow_ups(
        self, answer: Answer, history: Sequence[Message] = (), count: int = 3, *, filters: Filters = ALL
    ) -> list[str]:
        self.heard.append((answer, history, filters))
        return ["And then?"]


def filed(desk: ConversationService, id_: str, owner: str, exchange: Exchange, *, instead_of: str = "") -> str:
    """An exchange kept where it belongs; the conversation's id."""
    id_ = desk.begin(id_, owner, exchange.question, exchange.filters)
    desk.keep(id_, owner, exchange, instead_of=instead_of)
    return id_


@pytest.fixture
def engine(tmp_path: Path) -> ScriptedEngine:
    return ScriptedEngine(tmp_path)


@pytest.fixture
def desk(engine: ScriptedEngine) -> ConversationService:
    return ConversationService(engine, {"model": "m-1", "encoder": "local"})


def answered(desk: ConversationService, question: str = "When did it leave?", narrowing: Filters = ALL) -> Exchange:
    *_, last = desk.answer(Exchange(question, filters=narrowing))
    return last


def kept(desk: ConversationService, *questions: str, owner: str = MINE) -> str:
    id_ = ""
    for question in questions:
        id_ = filed(desk, id_, owner, answered(desk, question, NARROW))
    return id_


def questions(desk: ConversationService, conversation_id: str, owner: str = MINE) -> list[str]:
    return [exchange.question for exchange in desk.open(conversation_id, owner).exchanges]


# Answering


def test_an_answer_grows_claim_by_claim_under_one_key(desk: ConversationService) -> None:
    begun = Exchange("When did it leave?")
    states = list(desk.answer(begun))
    assert [len(state.claims) for state in states] == [0, 1, 1, 2, 2]
    assert {state.key for state in states} == {begun.key}
    assert (states[-1].status, states[-1].running) == ("done", False)


def test_the_engine_is_asked_with_what_went_before_and_what_narrows(
    desk: ConversationService, engine: ScriptedEngine
) -> None:
    turns = (Message("user", "Who was hurt?"), Message("assistant", "Nobody."))
    list(desk.answer(Exchange("And when?", filters=NARROW), turns, all_dates=True))
    assert engine.asked[-1] == Question("And when?", turns, NARROW, True)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (
            InvalidRequest("the question is too long", "ask in fewer words"),
            "The question is too long (ask in fewer words).",
        ),
        (TooBusy(), "Too many questions are asked at once (ask again in a minute)."),
        (
            LibraryDamaged("/srv/secret/library.sqlite3 is damaged", "repair it"),
            "The library cannot be used just now; ",
        ),
        (EncoderError("/srv/secret/weights are missing"), "The library cannot be used just now; "),
        (
            RagError("https://secret.example refused the key", "see the key"),
            "This question could not be answered just now",
        ),
        (RuntimeError("/srv/secret"), "Something went wrong while answering."),
    ],
)
def test_whatever_fails_is_one_sentence_without_internals(tmp_path: Path, failure: Exception, said: str) -> None:
    engine = Broken(tmp_path)
    engine.failure = failure
    *_, last = ConversationService(engine, {}).answer(Exchange("When?"))
    assert (last.status, last.claims, last.answer) == ("failed", (), None)
    assert last.problem is not None
    assert last.problem.startswith(said)
    assert "secret" not in last.problem
    assert "\n" not in last.problem


def test_a_request_without_a_remedy_is_still_a_sentence() -> None:
    assert explain(InvalidRequest("the question is empty")) == "The question is empty."


# Keeping


def test_the_first_question_begins_a_conversation_under_its_words(desk: ConversationService) -> None:
    id_ = kept(desk, "When did it leave?", "Who was hurt?")
    (listed,) = desk.conversations(MINE)
    assert (listed.id, listed.title, listed.filters, listed.shared) == (id_, "When did it leave?", NARROW, False)
    assert questions(desk, id_) == ["When did it leave?", "Who was hurt?"]


def test_an_exchange_comes_back_as_it_was_kept(desk: ConversationService) -> None:
    exchange = answered(desk)
    opened = desk.open(filed(desk, "", MINE, exchange), MINE)
    assert opened.exchanges == (exchange,)
    assert opened.own


def test_what_failed_or_was_stopped_is_kept_too(desk: ConversationService) -> None:
    id_ = filed(desk, "", MINE, fail(Exchange("One?"), "Sorry."))
    filed(desk, id_, MINE, stop(Exchange("Two?")))
    assert [(each.status, each.problem) for each in desk.open(id_, MINE).exchanges] == [
        ("failed", "Sorry."),
        ("stopped", None),
    ]


def test_a_question_asked_anew_takes_the_place_of_the_last(desk: ConversationService) -> None:
    id_ = kept(desk, "One?", "Two?")
    last = desk.open(id_, MINE).exchanges[-1]
    assert filed(desk, id_, MINE, answered(desk, "Two, better?"), instead_of=last.key) == id_
    assert questions(desk, id_) == ["One?", "Two, better?"]


def test_who_goes_on_in_somebody_elses_gets_a_copy(desk: ConversationService) -> None:
    theirs = kept(desk, "One?", "Two?", owner=THEIRS)
    desk.share(theirs, THEIRS, True)
    last = desk.open(theirs, MINE).exchanges[-1]
    mine = filed(desk, theirs, MINE, answered(desk, "Two, better?"), instead_of=last.key)
    assert mine != theirs
    assert questions(desk, mine) == ["One?", "Two, better?"]
    assert questions(desk, theirs, THEIRS) == ["One?", "Two?"]
    assert desk.open(mine, MINE).own
    with pytest.raises(UnknownConversation):
        desk.open(mine, THEIRS)


def test_what_is_asked_in_a_conversation_deleted_in_another_window_begins_a_new_one(desk: ConversationService) -> None:
    gone = kept(desk, "One?")
    desk.delete(gone, MINE)
    assert desk.earlier(gone, MINE) == ()
    new = filed(desk, gone, MINE, answered(desk, "Two?", NARROW), instead_of="whatever")
    assert new != gone
    assert questions(desk, new) == ["Two?"]
    assert [each.filters for each in desk.conversations(MINE)] == [NARROW]


def test_nobody_gets_into_somebody_elses_private_conversation_by_asking_in_it(desk: ConversationService) -> None:
    theirs = kept(desk, "A secret?", owner=THEIRS)
    mine = filed(desk, theirs, MINE, answered(desk, "Two?"))
    assert questions(desk, mine) == ["Two?"]
    assert questions(desk, theirs, THEIRS) == ["A secret?"]


def test_a_reader_without_a_name_cannot_keep_anything(desk: ConversationService) -> None:
    with pytest.raises(InvalidRequest, match="cookies"):
        filed(desk, "", "", answered(desk))


def test_what_cannot_be_stored_is_a_library_error(tmp_path: Path) -> None:
    engine = ScriptedEngine(tmp_path)
    database = Database(tmp_path / "closed.sqlite3")
    engine.conversations, engine.opinions = Conversations(database), FeedbackStore(database)
    desk = ConversationService(engine, {})
    exchange = answered(desk)
    database.close()
    with pytest.raises(LibraryError):
        filed(desk, "", MINE, exchange)


def test_what_would_be_replaced_stays_when_there_is_no_room_for_the_new(tmp_path: Path) -> None:
    engine = ScriptedEngine(tmp_path)
    desk = ConversationService(engine, {})
    id_ = kept(desk, "One?")
    (only,) = desk.open(id_, MINE).exchanges
    with sqlite3.connect(tmp_path / "library.sqlite3") as connection:
        full = "SELECT RAISE(ABORT, 'database or disk is full')"
        connection.execute(f"CREATE TRIGGER full BEFORE INSERT ON exchanges BEGIN {full}; END")
    with pytest.raises(DiskFull):
        filed(desk, id_, MINE, answered(desk, "One, better?"), instead_of=only.key)
    assert questions(desk, id_) == ["One?"]


def test_an_exchange_that_is_kept_twice_stands_once(desk: ConversationService) -> None:
    begun = Exchange("One?")
    id_ = filed(desk, "", MINE, stop(begun))
    *_, done = desk.answer(begun)
    assert filed(desk, id_, MINE, done, instead_of=begun.key) == id_
    assert desk.open(id_, MINE).exchanges == (done,)


# Opening


def test_earlier_questions_leave_out_the_one_that_is_replaced(desk: ConversationService) -> None:
    id_ = kept(desk, "One?", "Two?")
    last = desk.open(id_, MINE).exchanges[-1]
    assert [each.question for each in desk.earlier(id_, MINE)] == ["One?", "Two?"]
    assert [each.question for each in desk.earlier(id_, MINE, but=last.key)] == ["One?"]
    assert desk.earlier("", MINE) == ()
    assert desk.earlier(id_, THEIRS) == ()


def test_sources_that_were_removed_are_told_by_their_numbers(desk: ConversationService, engine: ScriptedEngine) -> None:
    id_ = kept(desk, "One?", "Two?")
    assert [each.removed for each in desk.open(id_, MINE).exchanges] == [frozenset(), frozenset()]
    engine.remove("ferry")
    opened = desk.open(id_, MINE)
    assert [each.removed for each in opened.exchanges] == [frozenset({1}), frozenset({1})]
    assert opened.exchanges[0].claims[0].quotes[0].text == "The ferry left at noon."


def test_only_the_quoted_version_counts_as_there(tmp_path: Path) -> None:
    class Rewritten(ScriptedEngine):
        def article(self, article_id: str, version: int | None = None) -> Article:
            if version == 1:
                raise UnknownArticle(article_id)
            return replace(super().article(article_id), version=2)

    desk = ConversationService(Rewritten(tmp_path), {})
    assert desk.open(kept(desk, "One?"), MINE).exchanges[0].removed == {1}


def test_another_text_under_the_same_id_is_not_what_was_quoted(
    desk: ConversationService, engine: ScriptedEngine
) -> None:
    id_ = kept(desk, "One?")
    engine.text = engine.text + " It rained."
    assert desk.open(id_, MINE).exchanges[0].removed == frozenset()
    engine.text = "It rained. " + engine.text
    assert desk.open(id_, MINE).exchanges[0].removed == {1}


@pytest.mark.parametrize(
    "change",
    [
        lambda desk, id_: desk.open(id_, THEIRS),
        lambda desk, id_: desk.rename(id_, THEIRS, "Taken"),
        lambda desk, id_: desk.share(id_, THEIRS, True),
        lambda desk, id_: desk.delete(id_, THEIRS),
        lambda desk, id_: desk.judge(id_, THEIRS, "key", {"good": "yes"}),
    ],
)
def test_another_reader_can_do_nothing_with_it(
    desk: ConversationService, change: Callable[[ConversationService, str], object]
) -> None:
    id_ = kept(desk, "One?")
    with pytest.raises(UnknownConversation):
        change(desk, id_)
    desk.narrow(id_, THEIRS, ALL)
    (still,) = desk.conversations(MINE)
    assert (still.id, still.title, still.filters, still.shared) == (id_, "One?", NARROW, False)
    assert desk.conversations(THEIRS) == []


def test_a_shared_one_can_be_read_and_not_changed_by_another(desk: ConversationService) -> None:
    id_ = kept(desk, "One?")
    desk.share(id_, MINE, True)
    opened = desk.open(id_, THEIRS)
    assert ([each.question for each in opened.exchanges], opened.own) == (["One?"], False)
    with pytest.raises(UnknownConversation):
        desk.rename(id_, THEIRS, "Taken")
    with pytest.raises(UnknownConversation):
        desk.delete(id_, THEIRS)
    desk.share(id_, MINE, False)
    with pytest.raises(UnknownConversation):
        desk.open(id_, THEIRS)


def test_the_owner_can_rename_narrow_and_delete(desk: ConversationService) -> None:
    id_ = kept(desk, "One?")
    desk.rename(id_, MINE, "  About the   ferry ")
    desk.narrow(id_, MINE, ALL)
    (changed,) = desk.conversations(MINE)
    assert (changed.title, changed.filters) == ("About the ferry", ALL)
    with pytest.raises(InvalidRequest):
        desk.rename(id_, MINE, " ")
    desk.delete(id_, MINE)
    assert desk.conversations(MINE) == []
    with pytest.raises(UnknownConversation):
        desk.open(id_, MINE)


def test_narrowing_what_is_not_kept_yet_is_no_error(desk: ConversationService) -> None:
    desk.narrow("", MINE, NARROW)
    assert desk.conversations(MINE) == []


# Opinions


def test_an_opinion_is_kept_with_the_answer_what_went_before_and_the_settings(
    desk: ConversationService, engine: ScriptedEngine
) -> None:
    id_ = kept(desk, "One?", "Two?")
    first, second = desk.open(id_, MINE).exchanges
    said = {"good": "no", "comment": "Too short.", "expected": "at noon"}
    judged = desk.judge(id_, MINE, second.key, said)
    assert [each.good for each in judged] == [None, False]
    assert desk.open(id_, MINE).exchanges == judged
    (feedback,) = engine.opinions.all()
    assert first.answer is not None
    assert feedback.answer == second.answer
    assert feedback.history == (Message("user", "One?"), Message("assistant", first.answer.text))
    assert (feedback.good, feedback.comment, feedback.expected, feedback.face) == (
        False,
        "Too short.",
        "at noon",
        "page",
    )
    narrowed = {"since": "2024-01-01", "publishers": "The Gull"}
    assert feedback.settings == {"model": "m-1", "encoder": "local", **narrowed}


def test_an_opinion_says_what_narrowed_its_question_whatever_narrows_the_next(
    desk: ConversationService, engine: ScriptedEngine
) -> None:
    id_ = kept(desk, "One?")
    desk.narrow(id_, MINE, Filters(publishers=("AP",)))
    (only,) = desk.open(id_, MINE).exchanges
    desk.judge(id_, MINE, only.key, {"good": "yes"})
    assert engine.opinions.all()[0].settings["publishers"] == "The Gull"


def test_a_second_opinion_takes_the_place_of_the_first(desk: ConversationService, engine: ScriptedEngine) -> None:
    id_ = kept(desk, "One?")
    (only,) = desk.open(id_, MINE).exchanges
    for good in ("no", "yes"):
        desk.judge(id_, MINE, only.key, {"good": good})
    assert [each.good for each in engine.opinions.all()] == [True]
    assert desk.open(id_, MINE).exchanges[0].good is True


def test_an_opinion_is_its_readers_own(desk: ConversationService) -> None:
    id_ = kept(desk, "One?")
    (only,) = desk.open(id_, MINE).exchanges
    desk.judge(id_, MINE, only.key, {"good": "yes"})
    desk.share(id_, MINE, True)
    assert desk.open(id_, THEIRS).exchanges[0].good is None


@pytest.mark.parametrize("said", [{}, {"good": "perhaps"}, {"good": ""}, {"comment": "Only words."}])
def test_what_is_no_opinion_is_not_kept(
    desk: ConversationService, engine: ScriptedEngine, said: dict[str, str]
) -> None:
    id_ = kept(desk, "One?")
    exchanges = desk.open(id_, MINE).exchanges
    assert desk.judge(id_, MINE, exchanges[0].key, said) == exchanges
    assert engine.opinions.all() == []


def test_only_an_answer_can_be_judged(desk: ConversationService, engine: ScriptedEngine) -> None:
    id_ = filed(desk, "", MINE, fail(Exchange("One?", key="k"), "Sorry."))
    for key in ("k", "unknown"):
        assert desk.judge(id_, MINE, key, {"good": "yes"})[0].good is None
    assert engine.opinions.all() == []


# The library


def test_questions_to_go_on_with_follow_from_the_answer_what_went_before_and_what_narrows(
    desk: ConversationService, engine: ScriptedEngine
) -> None:
    suggester = engine.suggester = Listening()
    first = answered(desk, "Who was hurt?")
    done = answered(desk, "And when?")
    id_ = filed(desk, filed(desk, "", MINE, first), MINE, done)
    before = desk.turns(id_, MINE, but=done.key)
    assert before == history((first,))
    assert desk.turns(id_, THEIRS, but=done.key) == ()
    assert done.answer is not None
    assert desk.follow_ups(done.answer, before, NARROW) == ["And then?"]
    assert suggester.heard == [(done.answer, before, NARROW)]


def test_a_stop_that_comes_too_late_takes_no_answer_away(desk: ConversationService) -> None:
    begun = Exchange("When?")
    done = answered(desk, "When?")
    whole = replace(done, key=begun.key)
    id_ = filed(desk, "", MINE, whole)
    filed(desk, id_, MINE, stop(begun))
    (kept,) = desk.open(id_, MINE).exchanges
    assert kept.answer == done.answer
    assert len(desk.conversations(MINE)) == 1


def test_an_exchange_of_a_conversation_that_was_deleted_meanwhile_brings_it_not_back(desk: ConversationService) -> None:
    exchange = answered(desk, "When?")
    id_ = desk.begin("", MINE, "When?", ALL)
    desk.delete(id_, MINE)
    with pytest.raises(UnknownConversation):
        desk.keep(id_, MINE, exchange)
    assert desk.conversations(MINE) == []


def test_a_copy_is_narrowed_as_its_reader_asks(desk: ConversationService) -> None:
    theirs = filed(desk, "", THEIRS, answered(desk, "One?", NARROW))
    desk.share(theirs, THEIRS, True)
    mine = filed(desk, theirs, MINE, answered(desk, "Two?"))
    assert desk.open(mine, MINE).conversation.filters == ALL


def test_the_library_is_described_by_the_engine(desk: ConversationService) -> None:
    assert desk.articles() == 1
    assert desk.publishers() == ["The Gull", "Harbour <b>News</b>"]
    assert desk.examples() == ["When did the ferry leave?"]
