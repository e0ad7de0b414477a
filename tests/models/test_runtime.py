"""Threads that run a model, until it is closed."""

import threading

import pytest

from rag.errors import EncoderError
from rag.models.runtime import Workers


def test_results_come_in_order_and_errors_as_they_are() -> None:
    workers = Workers("test-workers", 3)
    assert workers.map(lambda number: number * 2, range(20)) == [2 * number for number in range(20)]
    with pytest.raises(ZeroDivisionError):
        workers.map(lambda number: 1 // number, [1, 0])
    workers.close()


def test_an_error_of_the_work_is_not_taken_for_a_closed_pool() -> None:
    def fail(_: int) -> int:
        raise RuntimeError("of the work")

    workers = Workers("test-workers", 1)
    with pytest.raises(RuntimeError, match="of the work"):
        workers.map(fail, [1])
    workers.close()


def test_after_closing_no_thread_is_left_and_nothing_is_taken() -> None:
    workers = Workers("test-workers", 2)
    workers.map(str, range(4))
    workers.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("test-workers")]
    with pytest.raises(EncoderError, match="being closed"):
        workers.map(str, [1])
