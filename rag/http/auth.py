"""Who may call: the API key, or without one nobody but this machine. Plain ASGI, so that streams stay streams."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Refuse = Callable[[int, str], Response]

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN = frozenset({"/healthz", "/readyz"})
_API = ("/v1/", "/metrics")
_SLACK = "/slack/"  # checks Slack's signature instead


class AccessControl:
    """With a key, the API asks for it. Without one, a foreign Host or, on writes, a foreign Origin is
    refused: a web page elsewhere must not reach a server on this machine through its reader's browser.
    """

    def __init__(self, app: ASGIApp, *, key: str | None, refuse: Refuse) -> None:
        self._app = app
        self._key = key
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers, path = Headers(scope=scope), scope["path"]
        if self._key is not None:
            # The page has a sign-in of its own.
            if path.startswith(_API) and not self._has_key(headers):
                response = self._refuse(401, "this server asks for its key: send it as Authorization: Bearer")
                response.headers["WWW-Authenticate"] = "Bearer"
                return response
            return None
        if path in _OPEN or path.startswith(_SLACK):
            return None
        if not is_loopback(host_name(headers.get("host", ""))):
            return self._refuse(403, "this server answers on this machine only: set RAG_API_KEY to open it")
        origin = headers.get("origin")
        writes = scope["type"] == "websocket" or scope["method"] not in _READS
        if writes and origin is not None and origin != f"http://{headers.get('host', '')}":
            return self._refuse(403, "requests from other web pages are refused")
        return None

    def _has_key(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        assert self._key is not None
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._key.encode())


# Elsewhere nothing larger than a question is sent.
_TAKE_ARTICLES = ("/v1/", "/page/shelf/")
_SMALL = 1_000_000


class BodyLimit:
    """Refuses bodies above `limit` bytes, whatever their headers say, before they fill the memory."""

    def __init__(self, app: ASGIApp, *, limit: int, refuse: Refuse) -> None:
        self._app = app
        self._limit = limit
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit if scope["path"].startswith(_TAKE_ARTICLES) else _SMALL
        refusal = self._refuse(413, f"the body is larger than {limit / 1e6:.0f} MB: raise RAG_MAX_ARTICLE_MB")
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdigit() and int(declared) > limit:
            await refusal(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _TooLarge
            return message

        async def watched(message: Message) -> None:
            # Whoever reads the body may have taken the exception for a fault of its own.
            if received <= limit:
                await send(message)

        with suppress(_TooLarge):
            await self._app(scope, counted, watched)
        if received > limit:
            await refusal(scope, receive, send)


class _TooLarge(Exception):
    pass


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_name(host: str) -> str:
    """The name in a Host header, without its port: `[::1]:8000` -> `::1`."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
