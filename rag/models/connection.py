"""The network connection of one written answer, which another thread can cut at any moment."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import suppress
from typing import Any

import httpx

from rag.models.deadline import Deadline

__all__ = ["Connection"]


class Connection:
    """Hands out one client and can end whatever that client waits for.

    Closing a file descriptor does not wake a thread that reads from it; shutting the socket down does.
    The socket is a duplicate, so that it stays valid when TLS takes the original over.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._cut = threading.Event()

    def client(self, deadline: Deadline) -> httpx.Client:
        """A client for one answer; every wait of it ends at the deadline, if not all of them together."""
        for library in ("openai._base_client", "httpx"):
            # They write out whole prompts (at DEBUG) and addresses (at INFO), in which a key may stand.
            logging.getLogger(library).setLevel(logging.WARNING)
        return httpx.Client(timeout=deadline.remaining(), event_hooks={"request": [self._watch]})

    def cut(self) -> None:
        """End what is being waited for, now and from now on. Does not block."""
        with self._lock:
            self._cut.set()
            for connected in self._sockets:
                with suppress(OSError):  # the server may have been faster
                    connected.shutdown(socket.SHUT_RDWR)
                connected.close()
            self._sockets.clear()

    def pause(self, seconds: float) -> None:
        """Sleep. Raises ConnectionAbortedError if the connection is cut meanwhile."""
        if self._cut.wait(seconds):
            raise ConnectionAbortedError("given up while waiting")

    def _watch(self, request: httpx.Request) -> None:
        request.extensions["trace"] = self._trace

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event != "connection.connect_tcp.complete":
            return
        with self._lock:
            if self._cut.is_set():
                raise ConnectionAbortedError("given up while connecting")
            self._sockets.append(info["return_value"].get_extra_info("socket").dup())
