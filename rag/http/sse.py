"""Events of an answer for a client that may leave: as server-sent events, whatever their form, or the last alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Protocol, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi import Request
from fastapi.responses import StreamingResponse

from rag.errors import RagError
from rag.records import Event

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Answers wait: for their turn, for a language model. What else is asked must not wait for their threads.
_MOST_ANSWERS = 200
_answers: RunVar[CapacityLimiter] = RunVar("answers")
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Form(Protocol):
    """How events are put on the wire."""

    def start(self) -> Iterator[str]: ...
    def event(self, event: Event) -> Iterator[str]: ...
    def error(self, code: str, message: str) -> Iterator[str]: ...
    def end(self) -> Iterator[str]: ...


def stream_response(events: Iterator[Event], form: Form) -> StreamingResponse:
    """Stream events as they come; when the client goes away, the engine's work on them ends."""
    return StreamingResponse(_messages(events, form), media_type="text/event-stream", headers=_HEADERS)


async def _messages(events: Iterator[Event], form: Form) -> AsyncIterator[str]:
    try:
        for message in form.start():
            yield message
        while (event := await _on_a_thread(lambda: next(events, None))) is not None:
            for message in form.event(event):
                yield message
        for message in form.end():
            yield message
    except RagError as error:
        for message in form.error(error.code, str(error)):
            yield message
    except Exception:
        logger.exception("an answer broke off")
        for message in form.error("internal_error", "the answer broke off: ask again"):
            yield message
    finally:
        _close(events)


async def last_event(events: Iterator[Event], request: Request) -> Event | None:
    """The last of the events; None when the client goes away first, which ends the engine's work on them.

    The body of the request has to be read already. Raises what the engine raises.
    """
    leaving = asyncio.create_task(_left(request))
    working = asyncio.create_task(_on_a_thread(lambda: _last(events)))
    try:
        await asyncio.wait((leaving, working), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        leaving.cancel()
        working.cancel()
        _close(events)  # ends what the abandoned thread waits for


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _last(events: Iterator[Event]) -> Event | None:
    last = None
    for event in events:
        last = event
    return last


async def _on_a_thread(work: Callable[[], T]) -> T:
    """Abandoned when the client goes away: closing the events ends what the thread waits for."""
    try:
        limiter = _answers.get()
    except LookupError:
        limiter = CapacityLimiter(_MOST_ANSWERS)
        _answers.set(limiter)
    return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=limiter)


def _close(events: Iterator[Event]) -> None:
    close = getattr(events, "close", None)
    if close is not None:
        close()
