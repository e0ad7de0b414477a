"""The other end of Socket Mode: a WebSocket on which a fake Slack sends events and hears what they are answered.

with FakeSlack() as slack, FakeSocket() as socket:
    slack.socket_url = socket.url
    socket.connected.wait(5)
    socket.send("events_api", {...})
    assert socket.acknowledged("e1")
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve


class FakeSocket:
    """Listens on a free port of 127.0.0.1 between `__enter__` and `__exit__`."""

    def __init__(self) -> None:
        self.connected = threading.Event()
        self.heard: list[dict[str, Any]] = []
        self._connections: list[ServerConnection] = []
        self._sent = 0
        self._server = serve(self._talk, "127.0.0.1", 0)
        self._thread = threading.Thread(target=self._server.serve_forever, name="fake-slack-socket", daemon=True)

    def __enter__(self) -> FakeSocket:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self.hang_up()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/link"

    def send(self, kind: str, payload: dict[str, Any]) -> str:
        """Send an envelope on the newest connection; its id."""
        self._sent += 1
        envelope = {"type": kind, "envelope_id": f"e{self._sent}", "payload": payload, "accepts_response_payload": True}
        self._connections[-1].send(json.dumps(envelope))
        return f"e{self._sent}"

    def acknowledgement(self, envelope: str, timeout_s: float = 5.0) -> dict[str, Any]:
        """What this envelope was answered."""
        give_up = time.monotonic() + timeout_s
        while time.monotonic() < give_up:
            for each in self.heard:
                if each.get("envelope_id") == envelope:
                    return each
            time.sleep(0.02)
        raise AssertionError(f"{envelope} was not acknowledged: {self.heard}")

    def hang_up(self) -> None:
        self.connected.clear()
        for connection in self._connections:
            with suppress(ConnectionClosed, OSError):
                connection.close()

    def _talk(self, connection: ServerConnection) -> None:
        self._connections.append(connection)
        connection.send(json.dumps({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}}))
        self.connected.set()
        for message in _messages(connection):
            self.heard.append(json.loads(message))


def _messages(connection: ServerConnection) -> Iterator[str | bytes]:
    with suppress(ConnectionClosed):
        yield from connection
