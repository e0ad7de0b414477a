from __future__ import annotations

import threading

import pytest

from rag.errors import LanguageModelError
from rag.models.breaker import Breaker

DEAD = ("unreachable", "timeout", "server_error", "unauthorized", "quota", "rate_limited", "model_not_found")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fail(breaker: Breaker, reason: str = "unreachable", times: int = 1) -> None:
    for _ in range(times):
        with breaker.attempt() as attempt:
            attempt.failure = reason


def answer(breaker: Breaker) -> None:
    with breaker.attempt() as attempt:
        attempt.answered = True


def refused(breaker: Breaker) -> str | None:
    """The reason why an attempt is refused; None if one went through, whose outcome stays untold."""
    try:
        with breaker.attempt():
            return None
    except LanguageModelError as error:
        return error.reason


@pytest.mark.parametrize("reason", DEAD)
def test_five_failures_in_a_row_stop_the_asking(clock: Clock, reason: str) -> None:
    breaker = Breaker(clock=clock)
    fail(breaker, reason, times=4)
    assert refused(breaker) is None
    fail(breaker, reason)
    assert refused(breaker) == reason


@pytest.mark.parametrize("reason", ["bad_output", "length", "content_filter", "context_overflow", "bad_request"])
def test_a_server_that_answers_badly_is_not_dead(clock: Clock, reason: str) -> None:
    breaker = Breaker(clock=clock)
    fail(breaker, reason, times=20)
    assert refused(breaker) is None
    fail(breaker, times=4)
    fail(breaker, reason)
    fail(breaker, times=4)
    assert refused(breaker) is None


def test_an_answer_starts_the_count_again_but_a_reader_who_left_does_not(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    fail(breaker, times=4)
    answer(breaker)
    fail(breaker, times=4)
    assert refused(breaker) is None
    fail(breaker)
    assert refused(breaker) == "unreachable"


def test_it_is_tried_again_after_a_time_that_doubles(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    fail(breaker, times=5)
    for cool_down in (30, 60, 120, 240, 300, 300):
        clock.now += cool_down - 0.1
        assert refused(breaker) == "unreachable"
        clock.now += 0.1
        fail(breaker)
    clock.now += 300
    answer(breaker)
    fail(breaker, times=4)
    assert refused(breaker) is None
    fail(breaker)
    clock.now += 30
    assert refused(breaker) is None


def test_one_at_a_time_tries(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    fail(breaker, times=5)
    clock.now = 30
    with breaker.attempt() as probe:
        assert refused(breaker) == "unreachable"
        probe.answered = True
    assert refused(breaker) is None


def test_a_try_that_was_left_lets_the_next_one_try(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    fail(breaker, times=5)
    clock.now = 30
    assert refused(breaker) is None
    assert refused(breaker) is None
    fail(breaker)
    assert refused(breaker) == "unreachable"


def test_what_was_under_way_when_it_opened_does_not_prolong_the_wait(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    with breaker.attempt() as late:
        fail(breaker, times=5)
        clock.now = 29
        late.failure = "timeout"
    clock.now = 30
    assert refused(breaker) is None


def test_many_threads_agree(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    fail(breaker, times=5)
    clock.now = 30
    through: list[bool] = []
    start, end = threading.Barrier(8), threading.Event()

    def ask() -> None:
        start.wait()
        try:
            with breaker.attempt():
                through.append(True)
                end.wait(5)
        except LanguageModelError:
            through.append(False)
            if len(through) == 8:
                end.set()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(through) == [False] * 7 + [True]
