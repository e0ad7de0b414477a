"""Who may work out an answer, and when."""

from __future__ import annotations

import threading
import time

import pytest

from rag.answering.concurrency import FairSemaphore
from rag.errors import TooBusy
from rag.models.deadline import Cancelled, Deadline

SOON = 5.0


class Asker:
    """Takes a turn on a thread of its own and keeps it until let go."""

    def __init__(self, semaphore: FairSemaphore, came: list[str], name: str) -> None:
        self.deadline = Deadline.after(SOON)
        self.go = threading.Event()
        self.error: BaseException | None = None
        self._semaphore, self._came, self._name = semaphore, came, name
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            with self._semaphore.slot(self.deadline):
                self._came.append(self._name)
                self.go.wait(SOON)
        except (TooBusy, Cancelled) as error:
            self.error = error

    def finish(self) -> None:
        self.go.set()
        self.thread.join(SOON)


def queued(semaphore: FairSemaphore, names: str) -> tuple[list[str], dict[str, Asker]]:
    """Askers that came one after the other, and the names of those whose turn came."""
    came: list[str] = []
    askers = {}
    for name in names:
        askers[name] = Asker(semaphore, came, name)
        time.sleep(0.02)
    return came, askers


def until(came: list[str], expected: str) -> None:
    give_up = time.monotonic() + SOON
    while "".join(came) != expected and time.monotonic() < give_up:
        time.sleep(0.005)
    assert "".join(came) == expected


def test_as_many_as_may_are_let_in_and_the_others_in_their_order() -> None:
    came, askers = queued(FairSemaphore(2), "abcde")
    until(came, "ab")
    for finished, expected in (("b", "abc"), ("a", "abcd"), ("c", "abcde")):
        askers[finished].finish()
        until(came, expected)
    for asker in askers.values():
        asker.finish()


def test_whoever_leaves_gives_up_the_place_at_once() -> None:
    came, askers = queued(FairSemaphore(1), "abc")
    askers["b"].deadline.cancel()
    askers["b"].thread.join(SOON)
    assert isinstance(askers["b"].error, Cancelled)
    askers["a"].finish()
    until(came, "ac")
    askers["c"].finish()


def test_a_turn_of_somebody_who_has_left_goes_on_to_the_next() -> None:
    semaphore = FairSemaphore(1)
    gone = Deadline.after(SOON)
    gone.cancel()
    with pytest.raises(Cancelled), semaphore.slot(gone):
        pytest.fail("nobody waits for this")
    with semaphore.slot(Deadline.after(SOON)):
        pass


def test_waiting_ends_and_leaves_no_place_behind() -> None:
    semaphore = FairSemaphore(1, patience_s=0.05)
    with (
        semaphore.slot(Deadline.after(SOON)),
        pytest.raises(TooBusy, match="ask again"),
        semaphore.slot(Deadline.after(SOON)),
    ):
        pytest.fail("it is somebody else's turn")
    with semaphore.slot(Deadline.after(SOON)):
        pass


def test_a_deadline_that_has_passed_ends_no_waiting() -> None:
    with FairSemaphore(1).slot(Deadline.after(0)):
        pass


def test_an_error_in_a_turn_ends_the_turn() -> None:
    semaphore = FairSemaphore(1)
    with pytest.raises(ZeroDivisionError), semaphore.slot(Deadline.after(SOON)):
        raise ZeroDivisionError
    with semaphore.slot(Deadline.after(SOON)):
        pass


def test_many_at_once_all_come_and_never_more_than_may() -> None:
    semaphore = FairSemaphore(3)
    inside = most = done = 0
    lock = threading.Lock()

    def work(leaves: bool) -> None:
        nonlocal inside, most, done
        deadline = Deadline.after(SOON)
        if leaves:
            threading.Timer(0.01, deadline.cancel).start()
        try:
            with semaphore.slot(deadline):
                with lock:
                    inside += 1
                    most = max(most, inside)
                time.sleep(0.005)
                with lock:
                    inside -= 1
        except Cancelled:
            pass
        with lock:
            done += 1

    threads = [threading.Thread(target=work, args=(number % 4 == 0,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert (done, most, inside) == (60, 3, 0)
    came, askers = queued(semaphore, "abc")  # all three semaphore are free again
    until(came, "abc")
    for asker in askers.values():
        asker.finish()
