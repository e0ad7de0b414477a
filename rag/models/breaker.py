"""A circuit breaker: after several failures in a row a server is left alone for a while."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rag.models.failures import failure

__all__ = ["Attempt", "Breaker"]

logger = logging.getLogger(__name__)

# What says that the next request will fail as well. A prompt that is too long, a held back answer or
# one that cannot be read says nothing about the next.
_DEAD = frozenset(
    {"model_not_found", "quota", "rate_limited", "server_error", "timeout", "unauthorized", "unreachable"}
)


@dataclass(slots=True)
class Attempt:
    """How asking went, told by whoever asks: `answered`, or the reason of a `failure`, or neither."""

    answered: bool = False
    failure: str | None = None


class Breaker:
    """Counts failures in a row; safe to share between threads.

    After `failures` of them the server is left alone for `cool_down_s` seconds. Then one attempt goes
    through, the others still not; if it fails too, the time doubles, up to `longest_s`.
    """

    def __init__(
        self,
        *,
        failures: int = 5,
        cool_down_s: float = 30.0,
        longest_s: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowed = failures
        self._first_cool_down = cool_down_s
        self._longest = longest_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._reason = ""
        self._cool_down = cool_down_s
        self._open_until: float | None = None  # None: every attempt goes through
        self._probing = False

    @contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """One attempt, whose outcome is noted at the end.

        Raises LanguageModelError at once, with the reason of the last failure, while the server is left alone.
        """
        probe = self._admit()
        attempt = Attempt()
        try:
            yield attempt
        finally:
            self._note(attempt, probe)

    def _admit(self) -> bool:
        with self._lock:
            if self._open_until is None:
                return False
            if self._probing or self._clock() < self._open_until:
                raise failure(self._reason)
            self._probing = True
            return True

    def _note(self, attempt: Attempt, probe: bool) -> None:
        with self._lock:
            if probe:
                self._probing = False
            if attempt.failure in _DEAD:
                self._failed(attempt.failure, probe)
            elif attempt.answered or attempt.failure:
                self._failures, self._cool_down, self._open_until = 0, self._first_cool_down, None

    def _failed(self, reason: str, probe: bool) -> None:
        self._failures += 1
        self._reason = reason
        if probe:
            self._cool_down = min(2 * self._cool_down, self._longest)
        elif self._open_until is not None or self._failures < self._allowed:
            return  # what was under way when the others failed does not prolong the wait
        self._open_until = self._clock() + self._cool_down
        logger.warning("the language model is left alone for %.0f s: %s", self._cool_down, reason)
