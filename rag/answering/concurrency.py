"""How many answers may be worked out at once: more than the machine has cores only keep each other waiting."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from rag.errors import TooBusy
from rag.models.deadline import Cancelled, Deadline

__all__ = ["FairSemaphore"]

_PATIENCE_S = 60.0  # what waits in front of a server (a proxy, a browser's fetch) seldom waits longer


class FairSemaphore:
    """Lets `most` in at once and the others in the order in which they came. Safe to use from several threads.

    A waiting answer that is cancelled leaves the queue at once, and one that has waited for `patience_s` too.
    """

    def __init__(self, most: int, *, patience_s: float = _PATIENCE_S) -> None:
        self.most = most
        self._free = most
        self._patience_s = patience_s
        self._waiting: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def slot(self, deadline: Deadline) -> Iterator[None]:
        """Hold one of the slots. Raises TooBusy if none came in time, Cancelled once the deadline is cancelled.

        The deadline itself ends no waiting: an answer after it is made of quotes, and better than none.
        """
        self._acquire(deadline)
        try:
            if deadline.is_cancelled:
                raise Cancelled
            yield
        finally:
            self._release()

    def _acquire(self, deadline: Deadline) -> None:
        called = threading.Event()
        with self._lock:
            if self._free:
                self._free -= 1
                return
            self._waiting.append(called)
        with deadline.on_cancel(called.set):
            called.wait(self._patience_s)
        with self._lock:
            if called not in self._waiting:  # it was handed a slot, whatever else woke it
                return
            self._waiting.remove(called)
        if deadline.is_cancelled:
            raise Cancelled
        raise TooBusy

    def _release(self) -> None:
        """Hand the slot to the answer that has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
