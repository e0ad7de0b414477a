"""The page's sign-in: whoever has the server's key gets a cookie, everybody else a form that asks for it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["SIGN_IN_PATH", "SignIn"]

SIGN_IN_PATH = "/sign-in"
_COOKIE = "dateline"
_THIRTY_DAYS = 30 * 24 * 3600
_LARGEST_FORM = 4096
_CONVERSATION = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Slows down guessing without keeping an account of who guessed.
_PAUSE_S = 0.5

_FORM = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Dateline</title><style>
:root { color-scheme: light dark; }
body { margin: 18vh auto 0; padding: 0 20px; max-width: 360px; font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 16px; font: 700 26px/1.2 Charter, Georgia, serif; }
label { display: block; margin-bottom: 6px; }
input, button { box-sizing: border-box; width: 100%%; padding: 11px 14px; border-radius: 10px; font: inherit; }
input { border: 1px solid #88837a; }
button { margin-top: 12px; border: 0; background: #1f4e79; color: #fff; font-weight: 600; cursor: pointer; }
p { margin: 12px 0 0; }
</style></head><body><h1>Dateline</h1>
<form method="post" action="/sign-in%s"><label for="key">This server’s key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<button type="submit">Sign in</button>%s</form></body></html>"""
_WRONG = '<p role="alert">That is not the key.</p>'


class SignIn:
    """An ASGI application in front of the page's.

    The cookie is derived from the key, so that it survives a restart and ends when the key changes.
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key.encode()
        self._pass = hmac.new(self._key, b"dateline page", hashlib.sha256).hexdigest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = scope["path"]
        if path == SIGN_IN_PATH and request.method == "POST":
            await (await self._answer(request))(scope, receive, send)
        elif hmac.compare_digest(request.cookies.get(_COOKIE, "").encode(), self._pass.encode()):
            await self._app(scope, receive, send)
        elif path in ("/", SIGN_IN_PATH):
            await HTMLResponse(_FORM % (_link(request), ""))(scope, receive, send)
        else:
            await PlainTextResponse("Sign in at / first.", status_code=401)(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if not hmac.compare_digest(await _given_key(request), self._key):
            await asyncio.sleep(_PAUSE_S)
            return HTMLResponse(_FORM % (_link(request), _WRONG), status_code=403)
        response = RedirectResponse(f"/{_link(request)}", status_code=303)
        response.set_cookie(
            _COOKIE,
            self._pass,
            max_age=_THIRTY_DAYS,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response


def _link(request: Request) -> str:
    """The conversation of the link that was followed, as the end of an address; nothing else is carried along."""
    conversation = request.query_params.get("conversation", "")
    return f"?conversation={conversation}" if _CONVERSATION.fullmatch(conversation) else ""


async def _given_key(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            return b""
    return parse_qs(body.decode("utf-8", "replace")).get("key", [""])[0].encode()
