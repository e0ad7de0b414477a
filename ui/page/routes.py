"""The page's own plain routes beside Gradio's: an article to read, and a conversation to take along."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from rag.errors import RagError, UnknownArticle, UnknownConversation
from rag.records import Article, Span
from rag.storage.conversations import Conversations
from ui.chat.export import as_json, as_markdown, file_name
from ui.page.evidence import render_article, render_removed
from ui.page.session import owner_of

__all__ = ["PAGE_ROUTES", "Shelves", "page_routes"]

PAGE_ROUTES = "/page/"
_MARK = re.compile(r"(\d{1,9})-(\d{1,9})")
_MOST_MARKS = 200
_CLOSED = "The library cannot be read just now."
_EXPORTS = {"md": (as_markdown, "text/markdown"), "json": (as_json, "application/json")}


class Shelves(Protocol):
    """What these routes read."""

    @property
    def conversations(self) -> Conversations: ...

    def article(self, article_id: str, version: int | None = None) -> Article:
        """Raises UnknownArticle."""


def page_routes(engine: Shelves, more: Sequence[Route], page: ASGIApp) -> ASGIApp:
    """These routes and those of other parts, and `page` for every other path."""

    def article(request: Request) -> Response:
        query = request.query_params
        try:
            found = engine.article(query.get("id", ""), _version(query.get("version", "")))
            newer = engine.article(found.id).version > found.version
        except UnknownArticle:
            return HTMLResponse(render_removed(query.get("title", "")), 404)
        except RagError:
            return PlainTextResponse(_CLOSED, 503)
        return HTMLResponse(render_article(found, _marks(query.get("marks", "")), newer=newer))

    def export(request: Request) -> Response:
        conversation_id, owner = request.path_params["conversation"], owner_of(request.cookies) or ""
        try:
            conversation = engine.conversations.find(conversation_id, owner)
            asked = engine.conversations.asked(conversation_id, owner)
        except UnknownConversation:
            return PlainTextResponse("There is no such conversation.", 404)
        except RagError:
            return PlainTextResponse(_CLOSED, 503)
        kind = request.path_params["kind"]
        if kind not in _EXPORTS:
            return PlainTextResponse("A conversation is exported as md or json.", 404)
        write, media = _EXPORTS[kind]
        name = f"{file_name(conversation)}.{kind}"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(write(conversation, asked), media_type=media, headers=headers)

    return Starlette(
        routes=[
            Route("/page/article", article),
            Route("/page/conversations/{conversation}.{kind}", export),
            *more,
            Mount("/", page),
        ]
    )


def _version(said: str) -> int | None:
    return int(said) if said.isdecimal() and len(said) < 10 else None


def _marks(said: str) -> list[Span]:
    """Slices as `120-190 200-240`; what is none is left out."""
    found = [_MARK.fullmatch(part) for part in said.split()[:_MOST_MARKS]]
    return [Span(int(mark[1]), int(mark[2])) for mark in found if mark]
