"""The OpenAI-compatible route: existing chat clients ask, and get citations as `url_citation` annotations.

What was streamed to such a client cannot be taken back: when the model breaks off, the text says so and
goes on with the articles' words.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from rag.answering.citations import escape
from rag.engine import Engine
from rag.errors import InvalidRequest
from rag.http.sse import stream_response
from rag.records import Answer, Claim, ClaimShown, Done, Event, Message, Question, Reset, Source, SourcesShown
from rag.wording import UNSURE, degraded_because, unsure

MODEL = "dateline"


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")
    type: str
    text: str = ""


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[_Part] | None = None

    def said(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class ChatRequest(BaseModel):
    """The fields that matter here; whatever else a client sends is ignored."""

    model_config = ConfigDict(extra="ignore")
    messages: list[_Message] = Field(min_length=1, max_length=200)
    stream: bool = False

    def question(self) -> Question:
        """The last message is the question, what users and assistants said before it the history."""
        *before, last = self.messages
        if last.role != "user":
            raise InvalidRequest("the last message is not the user's", "end with the question")
        turns = [
            Message("user" if message.role == "user" else "assistant", message.said())
            for message in before
            if message.role in ("user", "assistant")
        ]
        return Question(last.said(), tuple(turns))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the reply's text, with annotations whose offsets count from its beginning."""

    text: str
    annotations: tuple[tuple[int, int, Source], ...] = ()


@dataclass(slots=True)
class _Reply:
    """The text so far, as pieces come in."""

    base: str  # address of this server, for sources that have none of their own
    text: str = ""
    annotations: list[dict[str, Any]] = field(default_factory=list)

    def add(self, piece: _Piece) -> list[dict[str, Any]]:
        offset = len(self.text)
        self.text += piece.text
        new = [
            {
                "type": "url_citation",
                "url_citation": {
                    "start_index": offset + start,
                    "end_index": offset + end,
                    "title": source.title,
                    "url": source.url or f"{self.base}v1/articles/{source.article_id}",
                },
            }
            for start, end, source in piece.annotations
        ]
        self.annotations += new
        return new


def chat_routes(engine: Engine) -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.get("/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "dateline"}]}

    @router.post("/chat/completions")
    def completions(body: ChatRequest, request: Request) -> Response:
        events = engine.answer(body.question())
        base = str(request.base_url)
        if body.stream:
            return stream_response(events, _Chunks(base))
        reply = _Reply(base)
        for piece in _pieces(_after_last_reset(events)):
            reply.add(piece)
        message = {"role": "assistant", "content": reply.text, "annotations": reply.annotations}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return JSONResponse({**_envelope("chat.completion"), "choices": [choice], "usage": _USAGE})

    return router


# No model's tokens are counted here; clients expect the numbers all the same.
_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


class _Chunks:
    """Turns events into the server-sent chunks of one completion."""

    def __init__(self, base: str) -> None:
        self._reply = _Reply(base)
        self._telling = _Telling()
        self._envelope = _envelope("chat.completion.chunk")

    def start(self) -> Iterator[str]:
        yield self._chunk({"role": "assistant", "content": ""})

    def event(self, event: Event) -> Iterator[str]:
        for piece in self._telling.tell(event):
            annotations = self._reply.add(piece)
            yield self._chunk({"content": piece.text, **({"annotations": annotations} if annotations else {})})

    def error(self, code: str, message: str) -> Iterator[str]:
        yield f"data: {json.dumps({'error': {'code': code, 'message': message}})}\n\n"

    def end(self) -> Iterator[str]:
        yield self._chunk({}, "stop")
        yield "data: [DONE]\n\n"

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return f"data: {json.dumps({**self._envelope, 'choices': [choice]})}\n\n"


class _Telling:
    """Turns events into pieces of text: claims with their numbers, then the sources with their quotes."""

    def __init__(self) -> None:
        self._sources: dict[int, Source] = {}
        self._claims = 0

    def tell(self, event: Event) -> Iterator[_Piece]:
        match event:
            case SourcesShown(sources):
                self._sources = {source.number: source for source in sources}
            case ClaimShown(claim):
                self._claims += 1
                yield self._claim(claim)
            case Reset(degraded):
                yield _Piece(f"\n\n({degraded_because(degraded)}; what follows is the articles' own words.)\n\n")
                self._claims = 0
            case Done(answer):
                yield from self._end(answer)

    def _claim(self, claim: Claim) -> _Piece:
        before = "\n\n" if self._claims > 1 else ""
        numbers = list(dict.fromkeys(quote.source for quote in claim.quotes))
        flags = f" ({escape('; '.join(claim.flags))})" if claim.flags else ""
        sentence = f"{escape(claim.text)} {''.join(f'[{number}]' for number in numbers)}"
        start, end = len(before), len(before) + len(sentence)
        return _Piece(f"{before}{sentence}{flags}", tuple((start, end, self._sources[n]) for n in numbers))

    def _end(self, answer: Answer) -> Iterator[_Piece]:
        if answer.verdict == "no_evidence":
            yield _Piece(answer.text)
            return
        lines = []
        for source in answer.sources:
            about = [source.title, source.publisher, source.published or "date unknown", source.url]
            lines.append(f"[{source.number}] {escape(', '.join(part for part in about if part))}")
            quotes = (quote.text for claim in answer.claims for quote in claim.quotes if quote.source == source.number)
            lines += [f"    “{escape(' '.join(quote.split()))}”" for quote in dict.fromkeys(quotes)]
        if answer.mode == "quotes":
            why = f" ({degraded_because(answer.degraded)})" if answer.degraded else ""
            doubt = f" {UNSURE}" if unsure(answer.confidence) else ""
            lines.append(f"\nThese are quotes from the articles; no answer was written{why}.{doubt}")
        lines += [f"\n{note.text}" for note in answer.notes]
        yield _Piece("\n\nSources:\n" + "\n".join(lines))


def _pieces(events: Iterable[Event]) -> Iterator[_Piece]:
    telling = _Telling()
    for event in events:
        yield from telling.tell(event)


def _after_last_reset(events: Iterable[Event]) -> list[Event]:
    """What stands in the end: a reply that is sent as a whole can leave out what was taken back."""
    kept: list[Event] = []
    for event in events:
        kept = [] if isinstance(event, Reset) else [*kept, event]
    return kept


def _envelope(kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": MODEL}
