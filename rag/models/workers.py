"""Threads of a model, which runs several texts side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rag.errors import EncoderError

__all__ = ["Workers"]

T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """`count` threads, started when they are first needed, until they are closed. Safe to use from several threads."""

    def __init__(self, name: str, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)

    def map(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """What `work` makes of each item, in order. Raises what it raises, and EncoderError after `close`."""
        try:
            results = self._pool.map(work, items)
        except RuntimeError as error:  # the pool takes nothing any more; what `work` raises comes with the results
            raise EncoderError("the models are being closed", "try again when the server is back") from error
        return list(results)

    def close(self) -> None:
        """End the threads, once they have done what was given to them."""
        self._pool.shutdown()
