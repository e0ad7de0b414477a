from __future__ import annotations

from functools import reduce

from rag.records import Answer, Claim, ClaimShown, Done, Excerpt, Quote, Reset, Source, SourcesShown, Turn
from ui.conversation import Exchange, fail, fold, history, stop

SOURCE = Source(1, "a", 1, "t", None, None, None, Excerpt(0, 2, "No"))
CLAIM = Claim("No", (Quote(1, "a", 0, 2, "No"),))
ANSWER = Answer("x", "Why?", "Why?", "answered", "quotes", None, "No [1]", (CLAIM,), (SOURCE,))


def test_events_add_up_to_the_answer() -> None:
    shown = reduce(fold, [SourcesShown((SOURCE,)), ClaimShown(CLAIM)], Exchange("Why?"))
    assert (shown.status, shown.sources, shown.claims) == ("streaming", (SOURCE,), (CLAIM,))
    done = fold(shown, Done(ANSWER))
    assert (done.running, done.answer, done.key) == (False, ANSWER, shown.key)


def test_a_reset_takes_everything_back() -> None:
    shown = reduce(fold, [SourcesShown((SOURCE,)), ClaimShown(CLAIM), Reset("timeout")], Exchange("Why?"))
    assert (shown.sources, shown.claims, shown.reset) == ((), (), "timeout")


def test_stopping_changes_only_what_still_runs() -> None:
    assert stop(Exchange("Why?")).status == "stopped"
    assert stop(fold(Exchange("Why?"), Done(ANSWER))).status == "done"


def test_history_holds_the_last_answered_exchanges_oldest_first() -> None:
    answered = [fold(Exchange(str(number)), Done(ANSWER)) for number in range(6)]
    turns = history([*answered, fail(Exchange("broken"), "Sorry."), stop(Exchange("stopped"))], last=2)
    assert turns == (
        Turn("user", "4"),
        Turn("assistant", "No [1]"),
        Turn("user", "5"),
        Turn("assistant", "No [1]"),
    )
