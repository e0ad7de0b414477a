"""Whose conversations these are: a random id in a cookie that no script can read.

One shared key has no users of its own, so a browser is the owner. Whoever clears its cookies leaves the
conversations behind; links that were shared go on working.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["OwnerCookie", "owner_of"]

_COOKIE = "dateline_owner"
_ID = re.compile(r"[A-Za-z0-9_-]{43}")
_A_YEAR_S = 365 * 24 * 3600


def owner_of(cookies: Mapping[str, str]) -> str | None:
    """The owner's id, or None where there is no usable one."""
    found = cookies.get(_COOKIE, "")
    return found if _ID.fullmatch(found) else None


class OwnerCookie:
    """An ASGI application that gives the page's first visit an id, and at every later one the same for another year.
    The page itself carries it, nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/":
            owner = owner_of(Request(scope).cookies) or secrets.token_urlsafe(32)
            send = _with_cookie(send, owner, secure=scope["scheme"] == "https")
        await self._app(scope, receive, send)


def _with_cookie(send: Send, owner: str, *, secure: bool) -> Send:
    cookie = Response()
    cookie.set_cookie(_COOKIE, owner, max_age=_A_YEAR_S, httponly=True, samesite="lax", secure=secure)

    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append("set-cookie", cookie.headers["set-cookie"])
        await send(message)

    return send_with_cookie
