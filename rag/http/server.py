"""`rag serve`: the chat page and the HTTP API in one process."""

from __future__ import annotations

import errno
import signal
import socket
import sys
import threading
from contextlib import suppress
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from rag.cli import output as terminal
from rag.engine import LocalEngine
from rag.errors import InvalidRequest
from rag.http.app import create_app
from rag.http.auth import is_loopback
from rag.ingestion.loading import IngestLimits
from rag.settings import Settings
from rag.storage.lock import LibraryLock
from rag.wiring import connect_server
from ui.page.app import mount_page
from ui.slack.face import SlackBot, connect_slack
from ui.slack.routes import slack_routes

_GRACE_S = 5
# Slack gives up after three seconds. With Python's 5 ms, forty threads that answer let the one that takes requests
# wait a fifth of a second each time it has something to do.
_SWITCH_S = 0.0005
_NO_MODEL = "Nothing leaves this server; set OPENAI_BASE_URL or OPENAI_API_KEY for written answers."


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until interrupted.

    Raises InvalidRequest for an address that cannot be used, LibraryError if the library cannot.
    """
    if settings.rag_api_key is None and not is_loopback(host):
        raise InvalidRequest(
            f"without a key the server listens on this machine only, not on {host}", "set RAG_API_KEY to open it"
        )
    listener = _listen(host, port)
    sys.setswitchinterval(_SWITCH_S)
    with listener:
        engine, hold = connect_server(settings)
        # uvicorn stops on SIGTERM, then raises it again: by default that would end the process before
        # the index is closed.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            # Where Ctrl-C is ignored, as in the background of a script, uvicorn stops on SIGINT and nothing is raised.
            with suppress(KeyboardInterrupt):
                _run(engine, hold, settings, listener)
            terminal.print_line("stopped")
        finally:
            engine.close()


def _run(engine: LocalEngine, hold: LibraryLock, settings: Settings, listener: socket.socket) -> None:
    engine.warm_up()
    threading.Thread(target=engine.prepare_writer, daemon=True).start()
    slack = connect_slack(engine, settings)
    server = uvicorn.Server(
        uvicorn.Config(
            _app(engine, settings, slack),
            log_level="critical",  # what goes wrong is logged where it is answered
            access_log=False,
            timeout_graceful_shutdown=_GRACE_S,
            server_header=False,
        )
    )
    address = _address(listener)
    hold.announce(address)
    terminal.print_greeting(address, engine.count(), str(settings.rag_home), _destination(settings))
    try:
        if slack:
            slack.start()
        server.run(sockets=[listener])
    finally:
        if slack:
            slack.close()


def _app(engine: LocalEngine, settings: Settings, slack: SlackBot | None) -> FastAPI:
    secret = settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else None
    app = create_app(engine, settings, slack_routes(slack, secret))
    key = settings.rag_api_key.get_secret_value() if settings.rag_api_key else None
    rules = IngestLimits(max_bytes=settings.max_article_bytes, allow_private=settings.rag_allow_private_urls)
    # Last: a page at / takes every path that no route before it has taken.
    return mount_page(
        app, engine, rules, notice=_destination(settings) or _NO_MODEL, auth_key=key, settings=settings.of_answers()
    )


def _destination(settings: Settings) -> str | None:
    """Where passages are sent, in a sentence; None when they stay here."""
    if settings.openai_base_url:
        # Without what may stand before an @ in the address: a name and a key.
        host = urlsplit(settings.openai_base_url).netloc.rpartition("@")[2]
        return f"Questions and passages are sent to {host}."
    if settings.openai_api_key:
        return "Questions and passages are sent to api.openai.com."
    return None


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise InvalidRequest(
            f"port {port} on {host} is in use" if in_use else f"{host}:{port} cannot be listened on ({error})",
            "stop what listens there, or choose another with --port" if in_use else "check --host and --port",
        ) from error
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
