"""Holding work to a wall clock, whatever the work itself thinks of time, and calling it off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

__all__ = ["Cancellable", "Cancelled", "Deadline", "iterate_until"]

T = TypeVar("T")


class Cancelled(Exception):
    """Nobody waits for the result any more. It ends the work and is answered by nobody."""


class _Cancellation:
    def __init__(self) -> None:
        self.called = False
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    def call(self) -> None:
        with self._lock:
            self.called = True
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener()

    def add(self, listener: Callable[[], None]) -> None:
        with self._lock:
            if not self.called:
                self._listeners.append(listener)
                return
        listener()

    def discard(self, listener: Callable[[], None]) -> None:
        with self._lock, suppress(ValueError):  # it was called, and is gone
            self._listeners.remove(listener)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, in seconds, until which somebody waits for a result.

    Any thread may cancel it: whoever waited has gone.
    """

    moment: float
    _cancellation: _Cancellation = field(default_factory=_Cancellation, repr=False, compare=False)

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    def within(self, seconds: float) -> Deadline:
        """The deadline of a part of the work: at most `seconds` from now, and cancelled with this one."""
        return replace(self, moment=min(self.moment, time.monotonic() + seconds))

    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.moment - time.monotonic())

    @property
    def is_expired(self) -> bool:
        return time.monotonic() >= self.moment

    @property
    def is_cancelled(self) -> bool:
        return self._cancellation.called

    def cancel(self) -> None:
        """End what is held to this deadline at once. Does not block; a second time does nothing."""
        self._cancellation.call()

    @contextmanager
    def on_cancel(self, listener: Callable[[], None]) -> Iterator[None]:
        """Inside, `listener` is called as soon as the deadline is cancelled, in the thread that does it."""
        self._cancellation.add(listener)
        try:
            yield
        finally:
            self._cancellation.discard(listener)


class Cancellable(Generic[T]):
    """What a generator yields, for a reader that may leave while `next` still runs in another thread.

    A generator that runs cannot be closed from outside. `close` cancels its deadline instead, which
    wakes it from whatever is held to that deadline, so that it ends in its own thread.
    """

    def __init__(self, items: Generator[T, None, None], deadline: Deadline) -> None:
        self._items = items
        self._deadline = deadline

    def __iter__(self) -> Cancellable[T]:
        return self

    def __next__(self) -> T:
        return next(self._items)

    def close(self) -> None:
        self._deadline.cancel()
        with suppress(ValueError):  # it runs, and ends by itself now
            self._items.close()


@dataclass(frozen=True, slots=True)
class _Ended:
    error: BaseException | None


def iterate_until(
    deadline: Deadline, produce: Callable[[], Generator[T, None, None]], cut: Callable[[], None]
) -> Generator[T, None, None]:
    """Yield what `produce()` yields, but nothing after the deadline.

    The producer runs in a thread of its own, because a blocking read can be left behind but not
    interrupted. `cut` is called once reading has ended for whatever reason (the end, an error, the
    deadline, a closed generator); it should unblock the producer and must not block itself.

    Raises TimeoutError at the deadline, Cancelled once it is cancelled, and whatever the producer raises.
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

    if deadline.is_cancelled:
        raise Cancelled
    # A daemon: a look-up of a host's name cannot be unblocked and must not keep the program from ending.
    threading.Thread(target=pump, name="writer", daemon=True).start()
    try:
        with deadline.on_cancel(lambda: arrived.put(_Ended(Cancelled()))):
            yield from _until(deadline, arrived)
    finally:
        unwanted.set()
        cut()


def _until(deadline: Deadline, arrived: SimpleQueue[tuple[T] | _Ended]) -> Generator[T, None, None]:
    while not deadline.is_expired:
        try:
            item = arrived.get(timeout=deadline.remaining())
        except Empty:
            break
        if deadline.is_cancelled:
            raise Cancelled
        if isinstance(item, _Ended):
            if item.error is not None:
                raise item.error
            return
        yield item[0]
    raise TimeoutError("the deadline has passed")
