"""What of Gradio's server is reachable: the routes that the page uses, and nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.page.routes import PAGE_ROUTES
from ui.page.sign_in import SIGN_IN_PATH

__all__ = ["Gate"]

# Gradio also brings uploads, a file server, a proxy, API documentation and an editor; the page uses none of them.
_EXACT = frozenset(
    {
        "/",
        "/config",
        "/favicon.ico",
        "/manifest.json",
        "/robots.txt",
        "/theme.css",
        "/gradio_api/cancel",
        "/gradio_api/queue/data",
        "/gradio_api/queue/join",
        "/gradio_api/reset",
        "/gradio_api/run/predict",
        "/gradio_api/startup-events",
        "/gradio_api/theme.css",
        SIGN_IN_PATH,
    }
)
_FOLDERS = (PAGE_ROUTES, "/assets/", "/static/", "/svelte/", "/gradio_api/heartbeat/")
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
# Gradio needs inline scripts and `new Function`; what the policy holds is that nothing comes from another host.
_HEADERS = {
    "content-security-policy": (
        "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Gate:
    """An ASGI application in front of Gradio's: unused paths are 404, and a policy keeps other hosts out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        elif not _served(scope["path"]):
            await PlainTextResponse("Not Found", status_code=404)(scope, receive, send)
        elif scope["method"] not in _READS and _foreign(Headers(scope=scope)):
            await PlainTextResponse("Requests from other web pages are refused.", status_code=403)(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send))


def _served(path: str) -> bool:
    return path in _EXACT or path.startswith(_FOLDERS)


def _foreign(headers: Headers) -> bool:
    """Whether another page sends this. Gradio lets any read its answers, and sends the reader's cookies along."""
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(_HEADERS)
            for name in [name for name in headers if name.lower().startswith("access-control-")]:
                del headers[name]
        await send(message)

    return send_with_headers
