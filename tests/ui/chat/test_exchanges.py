from __future__ import annotations

from functools import reduce

import pytest

from rag.records import (
    Answer,
    Claim,
    ClaimShown,
    Done,
    Event,
    Excerpt,
    Message,
    Quote,
    Reset,
    Source,
    SourcesShown,
    StoredExchange,
)
from ui.chat.exchanges import Exchange, fail, fold, history, kept, reopened, stop

SOURCE = Source(1, "a", 1, "t", None, None, None, Excerpt(0, 2, "No"))
CLAIM = Claim("No", (Quote(1, "a", 0, 2, "No"),))
ANSWER = Answer("x", "Why?", "Why?", "answered", "quotes", None, "No [1]", (CLAIM,), (SOURCE,))


def after(*events: Event) -> Exchange:
    return reduce(fold, events, Exchange("Why?", key="k"))


def test_events_add_up_to_the_answer() -> None:
    shown = after(SourcesShown((SOURCE,)), ClaimShown(CLAIM))
    assert (shown.status, shown.sources, shown.claims) == ("streaming", (SOURCE,), (CLAIM,))
    done = fold(shown, Done(ANSWER))
    assert (done.running, done.answer, done.key) == (False, ANSWER, shown.key)


def test_a_reset_takes_everything_back() -> None:
    shown = after(SourcesShown((SOURCE,)), ClaimShown(CLAIM), Reset("timeout"))
    assert (shown.sources, shown.claims, shown.reset) == ((), (), "timeout")


def test_a_failure_leaves_nothing_of_a_half_answer() -> None:
    failed = fail(after(SourcesShown((SOURCE,)), ClaimShown(CLAIM)), "Sorry.")
    assert (failed.status, failed.sources, failed.claims, failed.problem) == ("failed", (), (), "Sorry.")


def test_stopping_changes_only_what_still_runs() -> None:
    assert stop(Exchange("Why?")).status == "stopped"
    assert stop(fold(Exchange("Why?"), Done(ANSWER))).status == "done"


def test_history_holds_the_last_answered_exchanges_oldest_first() -> None:
    answered = [fold(Exchange(str(number)), Done(ANSWER)) for number in range(6)]
    turns = history([*answered, fail(Exchange("broken"), "Sorry."), stop(Exchange("stopped"))], last=2)
    assert turns == (
        Message("user", "4"),
        Message("assistant", "No [1]"),
        Message("user", "5"),
        Message("assistant", "No [1]"),
    )


def test_every_exchange_has_a_key_of_its_own() -> None:
    assert len({Exchange("Why?").key for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("exchange", "status"),
    [
        (fold(Exchange("Why?", key="k"), Done(ANSWER)), "done"),
        (fail(Exchange("Why?", key="k"), "Sorry."), "failed"),
        (stop(Exchange("Why?", key="k")), "stopped"),
    ],
)
def test_what_is_kept_is_shown_again_as_it_was(exchange: Exchange, status: str) -> None:
    again = reopened(kept(exchange))
    assert again == exchange
    assert again.status == status


def test_of_a_stopped_answer_only_the_question_is_kept() -> None:
    half = stop(after(SourcesShown((SOURCE,)), ClaimShown(CLAIM)))
    assert kept(half) == StoredExchange("k", "Why?")
    assert reopened(kept(half)).claims == ()


def test_an_opinion_and_what_was_removed_come_back_with_the_answer() -> None:
    again = reopened(StoredExchange("k", "Why?", ANSWER), good=False, removed=frozenset({1}))
    assert (again.good, again.removed, again.claims) == (False, frozenset({1}), (CLAIM,))


def test_judging_changes_nothing_but_the_opinion() -> None:
    done = fold(Exchange("Why?"), Done(ANSWER))
    judged = done.judged(True)
    assert judged.good is True
    assert (judged.key, judged.answer, done.good) == (done.key, ANSWER, None)
