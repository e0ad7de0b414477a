"""What a chat page knows about one exchange: a frozen state that events are folded into."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rag.records import (
    Answer,
    Claim,
    ClaimShown,
    Done,
    Event,
    Filters,
    Message,
    Reset,
    Source,
    SourcesShown,
    StoredExchange,
)

__all__ = ["Exchange", "fail", "fold", "history", "kept", "named", "reopened", "stop"]

Status = Literal["searching", "streaming", "done", "stopped", "failed"]


def _new_key() -> str:
    return secrets.token_hex(6)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and what has been shown for it so far.

    `key` is unique in a conversation. `reset` is the reason why a first attempt was taken back, and
    `problem` the sentence that stands in for an answer when `status` is `failed`. `good` is what its reader
    said of the answer, `removed` the numbers of its sources that are no longer in the library. `filters`
    narrow the question.
    """

    question: str
    status: Status = "searching"
    sources: tuple[Source, ...] = ()
    claims: tuple[Claim, ...] = ()
    reset: str | None = None
    answer: Answer | None = None
    problem: str | None = None
    key: str = field(default_factory=_new_key)
    good: bool | None = None
    removed: frozenset[int] = frozenset()
    filters: Filters = Filters()

    @property
    def running(self) -> bool:
        return self.status in ("searching", "streaming")

    def judged(self, good: bool) -> Exchange:
        return replace(self, good=good)


def fold(exchange: Exchange, event: Event) -> Exchange:
    """The exchange after one more event; `Done` replaces all that was streamed before it."""
    match event:
        case SourcesShown(sources):
            return replace(exchange, status="streaming", sources=sources)
        case ClaimShown(claim):
            return replace(exchange, status="streaming", claims=(*exchange.claims, claim))
        case Reset(degraded):
            return replace(exchange, status="streaming", sources=(), claims=(), reset=degraded)
        case Done(answer):
            return replace(exchange, status="done", sources=answer.sources, claims=answer.claims, answer=answer)


def fail(exchange: Exchange, problem: str) -> Exchange:
    """The exchange after an error; nothing that was streamed is left standing as if it were whole."""
    return replace(exchange, status="failed", sources=(), claims=(), problem=problem)


def stop(exchange: Exchange) -> Exchange:
    """The exchange as its reader stopped it: what was checked and shown stays."""
    return replace(exchange, status="stopped") if exchange.running else exchange


def kept(exchange: Exchange) -> StoredExchange:
    """The exchange as it is stored. Of one without a whole answer the question is: half an answer is none."""
    return StoredExchange(exchange.key, exchange.question, exchange.answer, exchange.problem, exchange.filters)


def reopened(asked: StoredExchange, *, good: bool | None = None, removed: frozenset[int] = frozenset()) -> Exchange:
    """A stored exchange as the page shows it again."""
    begun = Exchange(asked.question, key=asked.key, good=good, removed=removed, filters=asked.filters)
    if asked.answer is not None:
        return fold(begun, Done(asked.answer))
    return fail(begun, asked.problem) if asked.problem else stop(begun)


def history(exchanges: Sequence[Exchange], last: int = 4) -> tuple[Message, ...]:
    """The last answered exchanges as turns, oldest first, for a question that refers back to them."""
    answered = [(each.question, each.answer.text) for each in exchanges if each.answer is not None]
    return tuple(
        turn for said, told in answered[-last:] for turn in (Message("user", said), Message("assistant", told))
    )


def named(filters: Filters) -> dict[str, str]:
    """What narrowed a question, by name."""
    found = {"since": filters.since, "until": filters.until, "publishers": ", ".join(filters.publishers)}
    return {name: str(value) for name, value in found.items() if value}
