"""The HTTP API: a thin face over the engine."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Body, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from rag.engine import Engine
from rag.errors import (
    DiskFull,
    EncoderError,
    InvalidRequest,
    LibraryError,
    NotBuilt,
    RagError,
    SourceError,
    SourceTooLarge,
    TooBusy,
    UnknownArticle,
)
from rag.http.auth import AccessControl, BodyLimit
from rag.http.openai_chat import chat_routes
from rag.http.sse import last_event, stream_response
from rag.ingestion.documents import draft_from_bytes, draft_from_record
from rag.records import Document, Done, Event, Filters, Message, Mode, Question, Role
from rag.serialization import draft_from_json, event_to_json, to_json
from rag.settings import Settings

logger = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[RagError], int], ...] = (
    (UnknownArticle, 404),
    (InvalidRequest, 422),
    (SourceTooLarge, 413),
    (SourceError, 422),
    (NotBuilt, 501),
    (DiskFull, 503),
    (LibraryError, 503),
    (EncoderError, 503),
    (TooBusy, 503),
)
_CLIENT_LEFT = 499  # for the log alone: nobody reads the response
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid_request",
    429: "too_many_requests",
    500: "internal_error",
    501: "not_built",
    503: "unavailable",
}


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")


class MessageBody(_Body):
    role: Role
    content: str


class _Narrowing(_Body):
    since: date | None = None
    until: date | None = None
    publishers: list[str] | None = Field(None, max_length=100)

    def filters(self) -> Filters:
        return Filters(self.since, self.until, tuple(self.publishers or ()))


class AnswerRequest(_Narrowing):
    question: str
    history: list[MessageBody] = Field(default_factory=list, max_length=100)
    all_dates: bool = False
    mode: Mode = "auto"
    stream: bool = False

    def question_record(self) -> Question:
        return Question(
            self.question,
            tuple(Message(turn.role, turn.content) for turn in self.history),
            self.filters(),
            self.all_dates,
            self.mode,
        )


class SearchRequest(_Narrowing):
    query: str
    top_k: int = Field(10, ge=1, le=100)


class DoctorRequest(_Body):
    repair: bool = False


def create_app(engine: Engine, settings: Settings, *others: APIRouter) -> FastAPI:
    """The API on an engine, with its guards and the routes of other faces; the page is mounted by the caller, last."""
    app = FastAPI(title="Dateline", docs_url=None, redoc_url=None, openapi_url=None)
    routers = [
        _health_routes(engine),
        _answer_routes(engine),
        chat_routes(engine),
        _article_routes(engine, settings),
        *others,
        _unbuilt_routes(),
    ]
    for router in (*routers, _unknown_routes(routers)):
        app.include_router(router)
    app.add_exception_handler(RagError, _rag_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _internal_error)
    app.add_middleware(BodyLimit, limit=settings.max_article_bytes + 1_000_000, refuse=error_response)
    app.add_middleware(AccessControl, key=_key(settings), refuse=error_response)
    return app


def _key(settings: Settings) -> str | None:
    return settings.rag_api_key.get_secret_value() if settings.rag_api_key else None


def _health_routes(engine: Engine) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    def readyz() -> Response:
        try:
            articles = engine.count()
            engine.search("ready", Filters(), 1)
        except RagError as error:
            return error_response(503, str(error), error.code)
        return JSONResponse({"status": "ready", "articles": articles})

    return router


def _answer_routes(engine: Engine) -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.post("/answer")
    async def answer(body: AnswerRequest, request: Request) -> Response:
        # A question that is refused answers with a status of its own, not inside the stream.
        events = await run_in_threadpool(engine.answer, body.question_record())
        if body.stream:
            return stream_response(events, _ServerSent())
        last = await last_event(events, request)
        return JSONResponse(to_json(last.answer)) if isinstance(last, Done) else Response(status_code=_CLIENT_LEFT)

    @router.post("/search")
    def search(body: SearchRequest) -> dict[str, Any]:
        return {"passages": [to_json(found) for found in engine.search(body.query, body.filters(), body.top_k)]}

    @router.get("/feedback")
    def feedback() -> dict[str, Any]:
        return {"feedback": [to_json(opinion) for opinion in engine.feedback()]}

    @router.post("/doctor")
    def doctor(body: DoctorRequest) -> dict[str, Any]:
        diagnosis = engine.diagnose(repair=body.repair)
        return {"sound": diagnosis.sound, **to_json(diagnosis)}

    return router


def _article_routes(engine: Engine, settings: Settings) -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.post("/articles")
    async def add(request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            draft = await _uploaded(request, settings)
        elif kind == "application/json" or kind.endswith("+json"):
            draft = await run_in_threadpool(_posted, await request.body(), settings)
        else:
            raise HTTPException(415, "send one article as application/json, or a file as multipart/form-data")
        return await run_in_threadpool(_stored, engine, draft)

    @router.post("/drafts")
    def add_draft(body: Annotated[dict[str, Any], Body()]) -> Response:
        """For the command line, which has read and cleaned the article on this machine."""
        draft = draft_from_json(body)
        _check_size(len(draft.text.encode("utf-8", "replace")), settings)
        return _stored(engine, draft)

    @router.get("/articles")
    def articles(limit: Annotated[int, Query(ge=1, le=1000)] = 100, after: str | None = None) -> dict[str, Any]:
        # One more than asked for tells whether there is a next page.
        found = engine.articles(limit + 1, after)
        more = found[limit - 1].id if len(found) > limit else None
        return {"articles": [to_json(article) for article in found[:limit]], "next": more}

    @router.get("/articles/{article_id:path}")
    def article(article_id: str, version: Annotated[int | None, Query(ge=1)] = None) -> dict[str, Any]:
        return to_json(engine.article(article_id, version))

    @router.delete("/articles/{article_id:path}")
    def remove(article_id: str) -> dict[str, str]:
        engine.remove(article_id)
        return {"id": article_id, "status": "removed"}

    return router


def _stored(engine: Engine, draft: Document) -> Response:
    (stored,) = engine.store([draft])
    body = {"id": stored.id, "status": stored.status, "passages": stored.passages, "warnings": draft.warnings}
    return JSONResponse(body, 201 if stored.status == "added" else 200)


async def _uploaded(request: Request, settings: Settings) -> Document:
    form = await request.form()
    try:
        upload = form.get("file")
        if upload is None or isinstance(upload, str):
            raise InvalidRequest("the upload has no field named file", "send the article in the field `file`")
        data = await upload.read()
        _check_size(len(data), settings)
        return await run_in_threadpool(draft_from_bytes, upload.filename or "upload.txt", data, source=None)
    finally:
        await form.close()


def _posted(body: bytes, settings: Settings) -> Document:
    try:
        record = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the body is not JSON") from error
    if not isinstance(record, dict):
        raise InvalidRequest("the body is not one JSON object", 'send {"text": "...", "title": "..."}')
    draft = draft_from_record(record, where="the article")
    _check_size(len(draft.text.encode()), settings)
    return draft


def _check_size(size: int, settings: Settings) -> None:
    if size > settings.max_article_bytes:
        raise SourceTooLarge(
            f"the article has {size / 1e6:.1f} MB, the limit is {settings.rag_max_article_mb:g} MB",
            "raise RAG_MAX_ARTICLE_MB to take it in",
        )


def _unbuilt_routes() -> APIRouter:
    router = APIRouter()

    @router.api_route("/metrics", methods=["GET"])
    def unbuilt(request: Request) -> None:
        raise NotBuilt(f"{request.url.path} is not in this version", "POST /v1/answer answers questions")

    return router


def _unknown_routes(routers: Sequence[APIRouter]) -> APIRouter:
    """The page at / would answer unknown paths, and known ones with a wrong method, its own way."""
    rest = APIRouter()

    @rest.api_route("/v1/{path:path}", methods=_METHODS)
    @rest.api_route("/slack/{path:path}", methods=_METHODS)
    def unknown(request: Request, path: str) -> None:
        known = {
            method
            for router in routers
            for route in router.routes
            if isinstance(route, APIRoute) and route.path_regex.match(request.url.path)
            for method in route.methods or ()
        }
        if known:
            message = f"{request.url.path} does not take {request.method}"
            raise HTTPException(405, message, headers={"Allow": ", ".join(sorted(known))})
        raise HTTPException(404, f"there is no {request.url.path}")

    return rest


# Streaming


class _ServerSent:
    """The contract's events: `sources`, `claim`, `reset`, `done`, `error`."""

    def start(self) -> Iterator[str]:
        yield from ()

    def event(self, event: Event) -> Iterator[str]:
        name, data = event_to_json(event)
        yield f"event: {name}\ndata: {json.dumps(data)}\n\n"

    def error(self, code: str, message: str) -> Iterator[str]:
        yield f"event: error\ndata: {json.dumps({'error': {'code': code, 'message': message}})}\n\n"

    def end(self) -> Iterator[str]:
        yield from ()


# Errors


def error_response(status: int, message: str, code: str | None = None) -> JSONResponse:
    """The error object of the contract."""
    said = {"code": code or _CODES.get(status, "error"), "message": message}
    return JSONResponse({"error": said}, status)


def _rag_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RagError)
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    return error_response(status, str(error), error.code)


def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return error_response(400, "the body is not JSON")
    where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))
    return error_response(422, f"{where or 'the body'}: {first['msg']}")


def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = error_response(error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response


def _internal_error(request: Request, error: Exception) -> Response:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return error_response(500, "something went wrong on the server: its log says what")
