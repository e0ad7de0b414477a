"""Holding work to a wall clock, whatever the work itself thinks of time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TypeVar

__all__ = ["Deadline", "held_to"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, in seconds."""

    moment: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.moment - time.monotonic())

    @property
    def expired(self) -> bool:
        return time.monotonic() >= self.moment


@dataclass(frozen=True, slots=True)
class _Ended:
    error: BaseException | None


def held_to(
    deadline: Deadline, produce: Callable[[], Generator[T, None, None]], cut: Callable[[], None]
) -> Generator[T, None, None]:
    """Yield what `produce()` yields, but nothing after the deadline.

    The producer runs in a thread of its own, because a blocking read can be left behind but not
    interrupted. `cut` is called once reading has ended for whatever reason (the end, an error, the
    deadline, a closed generator); it should unblock the producer and must not block itself.

    Raises TimeoutError at the deadline, and whatever the producer raises.
    """
    arrived: SimpleQueue[tuple[T] | _Ended] = SimpleQueue()
    unwanted = threading.Event()

    def pump() -> None:
        error: BaseException | None = None
        try:
            with closing(produce()) as items:
                for item in items:
                    if unwanted.is_set():
                        break
                    arrived.put((item,))
        except BaseException as raised:  # noqa: BLE001 - raised again in the reader's thread
            error = raised
        arrived.put(_Ended(error))

    # A daemon: a look-up of a host's name cannot be unblocked and must not keep the program from ending.
    threading.Thread(target=pump, name="writer", daemon=True).start()
    try:
        while not deadline.expired:
            try:
                item = arrived.get(timeout=deadline.remaining())
            except Empty:
                break
            if isinstance(item, _Ended):
                if item.error is not None:
                    raise item.error
                return
            yield item[0]
        raise TimeoutError("the deadline has passed")
    finally:
        unwanted.set()
        cut()
