"""Threads of Slack's own: what is asked there must not take those of the other faces.

Handing something over never waits, not even for a thread to start: on a busy server that alone takes its time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

__all__ = ["Alarms", "Lanes", "Work"]

_LOG = logging.getLogger("rag.slack")

Task = Callable[[], object]


class Work:
    """`threads` tasks run at once, up to `waiting` wait; whatever a task raises is logged."""

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self._name = name
        self._waiting = waiting
        self._queue: deque[Task] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Task) -> bool:
        """Take a task; False if there is no room for it, or no time any more. Never blocks."""
        with self._changed:
            if self._closed or len(self._queue) >= self._waiting:
                return False
            self._queue.append(task)
            self._changed.notify()
            return True

    def close(self, patience_s: float, *, drain: bool = False) -> None:
        """Take nothing more; wait as long for all that is under way, with `drain` for what waits as well."""
        until = time.monotonic() + patience_s
        with self._changed:
            self._closed = True
            if not drain:
                self._queue.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        with self._changed:
            self._queue.clear()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    return
                task = self._queue.popleft()
            try:
                task()
            except Exception:  # noqa: BLE001 - the last resort of a thread that others' questions need
                _LOG.exception("a task of %s failed", self._name)


class Lanes:
    """Work in which what has one key is done one after the other."""

    def __init__(self, name: str, *, lanes: int, waiting: int) -> None:
        self._lanes = [Work(f"{name}-{number}", threads=1, waiting=waiting) for number in range(lanes)]

    def submit(self, task: Task, key: str) -> bool:
        """As Work.submit."""
        return self._lanes[hash(key) % len(self._lanes)].submit(task)

    def close(self, patience_s: float) -> None:
        """Take nothing more; wait as long for all that was taken."""
        until = time.monotonic() + patience_s
        for lane in self._lanes:
            lane.close(max(0.0, until - time.monotonic()), drain=True)


class Alarms:
    """Calls tasks when their time has come, all on one thread."""

    def __init__(self, name: str) -> None:
        self._pending: dict[object, tuple[float, Task]] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def set(self, seconds: float, task: Task) -> Task:
        """Call the task in so many seconds; what is returned takes that back."""
        key = object()
        with self._changed:
            self._pending[key] = (time.monotonic() + seconds, task)
            self._changed.notify()

        def cancel() -> None:
            with self._changed:
                self._pending.pop(key, None)

        return cancel

    def close(self) -> None:
        """Call nothing any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                key, (at, task) = min(
                    self._pending.items(), key=lambda each: each[1][0], default=(None, (0.0, _nothing))
                )
                left = at - time.monotonic()
                if key is None or left > 0:
                    self._changed.wait(None if key is None else left)
                    continue
                del self._pending[key]
            try:
                task()
            except Exception:  # noqa: BLE001 - the last resort of a thread that others' questions need
                _LOG.exception("what was due in Slack failed")


def _nothing() -> None: ...
