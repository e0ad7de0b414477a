"""Records as JSON and back: what the HTTP API and its client say to each other."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rag.errors import InvalidRequest
from rag.ingestion.documents import usable_id
from rag.records import (
    Article,
    ArticleSummary,
    Claim,
    ClaimShown,
    Diagnosis,
    Document,
    Done,
    Event,
    Feedback,
    Reset,
    SearchResult,
    SourcesShown,
)
from rag.storage.columns import ANSWER

ARTICLE = TypeAdapter(Article)
ARTICLES = TypeAdapter(list[ArticleSummary])
DIAGNOSIS = TypeAdapter(Diagnosis)
FEEDBACK = TypeAdapter(list[Feedback])
SEARCH_RESULTS = TypeAdapter(list[SearchResult])
_CLAIM = TypeAdapter(Claim)
_DRAFT = TypeAdapter(Document)
_RESET = TypeAdapter(Reset)
_SOURCES = TypeAdapter(SourcesShown)


def to_json(record: Any) -> dict[str, Any]:
    """A record as plain dicts and lists, ready for `json.dumps`; keys are the names of its fields."""
    return dataclasses.asdict(record)


def draft_from_json(record: dict[str, Any]) -> Document:
    """Raises InvalidRequest."""
    try:
        draft = _DRAFT.validate_python(record)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest(f"{where}: {first['msg']}", "send an article as a dump's line") from error
    if not draft.text.strip():
        raise InvalidRequest("text: it is empty", "send an article with text")
    if draft.id is not None:
        usable_id(draft.id, where="the article: 'id'")
    if draft.published is not None:
        try:
            datetime.fromisoformat(draft.published)
        except ValueError as error:
            raise InvalidRequest(f"published: {draft.published!r} is not a date", "write it as 2024-03-15") from error
    return draft


def event_to_json(event: Event) -> tuple[str, dict[str, Any]]:
    """Name and data of a server-sent event."""
    match event:
        case SourcesShown():
            return "sources", to_json(event)
        case ClaimShown(claim):
            return "claim", to_json(claim)
        case Reset():
            return "reset", to_json(event)
        case Done(answer):
            return "done", to_json(answer)


def event_from_json(name: str, data: dict[str, Any]) -> Event | None:
    """The event behind a name and its data; None for a name of a newer server."""
    match name:
        case "sources":
            return _SOURCES.validate_python(data)
        case "claim":
            return ClaimShown(_CLAIM.validate_python(data))
        case "reset":
            return _RESET.validate_python(data)
        case "done":
            return Done(ANSWER.validate_python(data))
    return None
