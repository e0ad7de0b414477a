"""Slack's two addresses. They check its signature and answer at once, on no thread that others wait for."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from ui.slack.signature import is_signed

__all__ = ["Face", "slack_routes"]


class Face(Protocol):
    """What answers Slack; neither may wait for anything."""

    def command(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The acknowledgement of a slash command."""

    def dispatch(self, body: str, headers: Mapping[str, str]) -> tuple[int, str, str | None]:
        """Status, body and content type for anything else that Slack sends."""


def slack_routes(face: Face | None, secret: str | None, now: Callable[[], float] = time.time) -> APIRouter:
    """404 as long as Slack is not set up, 401 to whoever is not Slack."""
    router = APIRouter(prefix="/slack")

    async def signed(request: Request) -> tuple[Face, str]:
        if face is None or secret is None:
            raise HTTPException(404, "Slack is not set up here: set SLACK_SIGNING_SECRET")
        body = await request.body()
        if not is_signed(secret, request.headers, body, now()):
            raise HTTPException(401, "this is not signed by Slack, or more than five minutes old")
        return face, body.decode("utf-8", "replace")

    @router.post("/command")
    async def command(request: Request) -> Response:
        answers, body = await signed(request)
        form = dict(parse_qsl(body, keep_blank_values=True, errors="replace", max_num_fields=100))
        if form.get("ssl_check"):  # Slack asks now and then whether the certificate is good
            return Response()
        return JSONResponse(answers.command(form))

    @router.post("/events")
    async def events(request: Request) -> Response:
        answers, body = await signed(request)
        if not _is_payload(body):
            raise HTTPException(400, "this is no payload of Slack's")
        status, content, kind = answers.dispatch(body, request.headers)
        return Response(content, status, media_type=kind)

    return router


def _is_payload(body: str) -> bool:
    """Whether it is an object in JSON, or a form: Bolt raises on anything else."""
    try:
        form = dict(parse_qsl(body, max_num_fields=100)) if not body.startswith("{") else {}
        said = json.loads(form.get("payload", "{}") if form else body)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and isinstance(said.get("event", {}), dict)
