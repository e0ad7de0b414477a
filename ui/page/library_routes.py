"""What the library tab asks of the server: the list, a removal, and what is added, told as it goes."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from rag.errors import DiskFull, EncoderError, LibraryError, RagError, UnknownArticle
from rag.ingestion.loading import IngestLimits, SourceRef, from_paste, from_upload, from_web
from rag.ingestion.pipeline import take_in
from rag.records import ArticleSummary, Document, IngestReport, StoreResult
from ui.page.library import render_count, render_nothing, render_result, render_rows

__all__ = ["PATHS", "Engine", "shelf_routes"]

_LOG = logging.getLogger(__name__)
_LIST, _REMOVE = "/page/shelf", "/page/shelf/remove"
_UPLOAD, _FETCH, _PASTE = "/page/shelf/upload", "/page/shelf/fetch", "/page/shelf/paste"
PATHS = frozenset({_LIST, _REMOVE, _UPLOAD, _FETCH, _PASTE})

_MOST_ROWS = 1000
_LONGEST_NAME = 300
_ROOM = 1_000_000  # bytes that a text may grow by on its way here
# Neither is sent by a form: a page elsewhere would have to ask first, and is not answered.
_JSON, _BYTES = "application/json", "application/octet-stream"


class Engine(Protocol):
    """What the tab needs of the engine."""

    def listed(self, words: str, limit: int, offset: int) -> tuple[list[ArticleSummary], int]:
        """A page of the articles that hold these words, those added last first, and how many there are."""

    def knows(self, fingerprint: str) -> bool:
        """Whether bytes of this fingerprint were taken in and need not be read again."""

    def store(self, drafts: Sequence[Document]) -> list[StoreResult]:
        """Take drafts in, all or none."""

    def remove(self, article_id: str) -> None:
        """Raises UnknownArticle."""


def shelf_routes(engine: Engine, rules: IngestLimits) -> list[Route]:
    """The routes of the tab, for whatever asks readers to sign in to stand before them."""
    routes = _Routes(engine, rules)
    return [
        Route(_LIST, routes.articles),
        Route(_REMOVE, routes.remove, methods=["POST"]),
        Route(_UPLOAD, routes.upload, methods=["POST"]),
        Route(_FETCH, routes.fetch, methods=["POST"]),
        Route(_PASTE, routes.paste, methods=["POST"]),
    ]


class _Routes:
    def __init__(self, engine: Engine, rules: IngestLimits) -> None:
        self._engine = engine
        self._rules = rules

    def articles(self, request: Request) -> Response:
        """`rows` and `count` as HTML, and whether there are `more`."""
        words = request.query_params.get("words", "").strip()
        limit = _whole(request.query_params.get("limit"), 50, _MOST_ROWS)
        offset = _whole(request.query_params.get("offset"), 0, 10**9)
        try:
            articles, total = self._engine.listed(words, limit, offset)
        except Exception as error:  # noqa: BLE001 - a face: whatever went wrong, the reader gets one sentence
            return JSONResponse({"problem": _explain(error)}, 503)
        rows = render_rows(articles) if total else render_nothing(words)
        more = offset + len(articles) < total
        return _fresh({"rows": rows, "count": render_count(total, words) if total else "", "more": more})

    async def remove(self, request: Request) -> Response:
        asked = await _read_json(request, _ROOM)
        if asked is None:
            return _refused()
        return await run_in_threadpool(self._remove, _string(asked, "id"))

    def _remove(self, article_id: str) -> Response:
        try:
            self._engine.remove(article_id)
        except UnknownArticle:
            return _fresh({"removed": False})
        except Exception as error:  # noqa: BLE001 - a face, as above
            return JSONResponse({"problem": _explain(error)}, 503)
        return _fresh({"removed": True})

    async def upload(self, request: Request) -> Response:
        """One file as the body; its name stands in the query."""
        name = request.query_params.get("name", "").strip()[-_LONGEST_NAME:] or "upload.txt"
        data = await _read(request, _BYTES, self._rules.max_bytes + 1)
        return _refused() if data is None else self._taking(name, lambda: from_upload(name, data, self._rules))

    async def fetch(self, request: Request) -> Response:
        """One web address, of an article or of a feed."""
        asked = await _read_json(request, _ROOM)
        if asked is None:
            return _refused()
        address = _string(asked, "address").strip()
        return self._taking(address[:_LONGEST_NAME], lambda: from_web(address, self._rules))

    async def paste(self, request: Request) -> Response:
        asked = await _read_json(request, self._rules.max_bytes + _ROOM)
        if asked is None:
            return _refused()
        title, text = _string(asked, "title")[:_LONGEST_NAME].strip(), _string(asked, "text")
        return self._taking(title or "Pasted text", lambda: from_paste(text, title, self._rules))

    def _taking(self, name: str, origins: Callable[[], Iterator[SourceRef]]) -> Response:
        return StreamingResponse(
            self._told(name, origins), media_type="application/x-ndjson", headers={"cache-control": "no-store"}
        )

    def _told(self, name: str, origins: Callable[[], Iterator[SourceRef]]) -> Iterator[str]:
        """Lines of JSON: how many `articles` are done, and at last the `row` that tells what became of them.

        A reader who leaves ends it between two batches; what was stored stays.
        """
        report, told, problem = IngestReport(), 0, None
        try:
            for report in take_in([(name, origins())], self._engine):
                if (seen := report.taken + len(report.failed)) > told:
                    told = seen
                    yield _line({"articles": seen})
        except Exception as error:  # noqa: BLE001 - a face, as above
            problem = f"{_explain(error)} What was taken in before is kept."
        yield _line({"row": render_result(name, report, problem), "broken": problem is not None})


def _explain(error: Exception) -> str:
    """One sentence for a reader: messages of the library may name paths of the server."""
    if not isinstance(error, RagError):
        _LOG.error("the library tab failed", exc_info=error)
        return "Something went wrong on the server; its log says what."
    _LOG.warning("the library tab failed: %s", error)
    match error:
        case DiskFull():
            return "The server’s disk is full; nothing more can be taken in."
        case EncoderError():
            return "The encoder failed, so nothing can be taken in just now; `rag doctor` on the server says why."
        case LibraryError():
            return "The library cannot be used just now; `rag doctor` on the server says why."
    return "The library could not do this just now; the server’s log says why."


async def _read(request: Request, kind: str, most: int) -> bytes | None:
    """The body, cut off once it is larger than `most` bytes; None if it is not of this kind."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != kind:
        return None
    body = bytearray()
    async for chunk in request.stream():
        # The rest is read and dropped: an answer before the end of a request would not be seen.
        body += chunk[: most - len(body)]
    return bytes(body)


async def _read_json(request: Request, most: int) -> dict[str, Any] | None:
    body = await _read(request, _JSON, most)
    try:
        asked = json.loads(body) if body is not None else None
    except (ValueError, RecursionError):
        return None
    return asked if isinstance(asked, dict) else None


def _string(asked: dict[str, Any], key: str) -> str:
    value = asked.get(key)
    return value if isinstance(value, str) else ""


def _whole(given: str | None, otherwise: int, most: int) -> int:
    return min(int(given), most) if given and given.isascii() and given.isdigit() and len(given) < 10 else otherwise


def _refused() -> Response:
    return PlainTextResponse("This was not sent by the page.", status_code=415)


def _fresh(data: dict[str, Any]) -> Response:
    return JSONResponse(data, headers={"cache-control": "no-store"})


def _line(data: dict[str, Any]) -> str:
    return json.dumps(data) + "\n"
