"""What readers leave in a library: conversations, what was asked in them, and what was thought of answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rag.records import Answer, Filters, Turn


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as it is listed. `filters` narrow its questions; a shared one may be read by whoever has its
    id; `updated` is ISO 8601, in UTC."""

    id: str
    title: str
    updated: str
    filters: Filters = Filters()
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a conversation with its answer, which is None if it was stopped or failed. `key` is unique
    in the conversation; `problem` is the sentence that stood in for an answer. `filters` narrowed it."""

    key: str
    question: str
    answer: Answer | None = None
    problem: str | None = None
    filters: Filters = Filters()


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a reader thought of an answer. `expected` are words that the right answer holds, where they gave any;
    `settings` are those that the answer was made with, by name; `given` is ISO 8601, in UTC."""

    id: str
    answer: Answer
    history: tuple[Turn, ...]
    good: bool
    comment: str = ""
    expected: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    face: Literal["page", "slack"] = "page"
    given: str = ""
