"""Bringing something to Slack in spite of Slack: waits as it is told to, a few times, and no longer than it makes
sense."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

__all__ = ["REFUSED_BLOCKS", "WINDOW_S", "Persistence", "ResponseUrls", "SlackFailed", "wait_from"]

_LOG = logging.getLogger("rag.slack")

# How long Slack takes an answer at a `response_url`.
WINDOW_S = 1800.0
_ATTEMPTS = 5
_LONGEST_WAIT_S = 300.0
_TIMEOUT_S = 15.0
_SLACK = ("slack.com", "slack-gov.com")
# A message is then sent without its blocks: its text says the same, if less well.
REFUSED_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})

T = TypeVar("T")


class SlackFailed(Exception):
    """Slack refused or could not be reached. `code` is Slack's own (`channel_not_found`), `wait_s` how long it asks to
    wait; a `temporary` failure is worth another try."""

    def __init__(self, code: str, message: str, *, temporary: bool = False, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.temporary = temporary
        self.wait_s = wait_s


def wait_from(headers: Mapping[str, str]) -> float | None:
    """The seconds in Retry-After; the names of the headers are in small letters."""
    said = headers.get("retry-after", "").strip()
    return float(said) if said.isascii() and said.isdigit() else None


class Persistence:
    """Tries again after temporary failures, until it is stopped."""

    def __init__(self, attempts: int = _ATTEMPTS, first_wait_s: float = 1.0) -> None:
        self._attempts = attempts
        self._first_wait_s = first_wait_s
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Send nothing any more, wait for nothing any more."""
        self._stopped.set()

    def __call__(self, send: Callable[[], T], *, until: float | None = None) -> T:
        """What `send` returns; `until` is the time (time.monotonic) at which it makes no sense any more. Raises the
        last SlackFailed."""
        give_up = time.monotonic() + WINDOW_S if until is None else until
        attempt = 0
        while True:
            if self._stopped.is_set():
                raise SlackFailed("stopping", "the server is being stopped", temporary=True)
            try:
                return send()
            except SlackFailed as failure:
                attempt += 1
                wait = self._first_wait_s * 2 ** (attempt - 1) if failure.wait_s is None else failure.wait_s
                too_late = wait > _LONGEST_WAIT_S or time.monotonic() + wait > give_up
                if not failure.temporary or attempt >= self._attempts or too_late:
                    raise
                self._stopped.wait(wait)


class ResponseUrls:
    """Posts to the addresses that Slack gives out with commands and buttons."""

    def __init__(self, api_url: str) -> None:
        self._own = _origin(api_url)
        # A redirect would carry the answer to wherever it points.
        self._http = httpx.Client(follow_redirects=False, timeout=_TIMEOUT_S)

    def allowed(self, url: str) -> bool:
        """Whether the address is Slack's, or on the host and port of SLACK_API_URL."""
        try:
            parts = urlsplit(url)
            host, named_port = (parts.hostname or ""), parts.port
        except ValueError:
            return False
        if parts.username is not None or parts.password is not None or not url.isascii() or "\\" in url:
            return False
        is_slack = any(host == name or host.endswith(f".{name}") for name in _SLACK)
        if parts.scheme == "https" and is_slack and named_port in (None, 443):
            return True
        return _origin(url) == self._own

    def post(self, url: str, body: Mapping[str, Any]) -> None:
        """Raises SlackFailed."""
        if not self.allowed(url):
            raise SlackFailed("foreign_response_url", f"the response_url is not Slack's: {_shown(url)}")
        try:
            response = self._http.post(url, json=dict(body))
        except httpx.HTTPError as error:
            raise SlackFailed("unreachable", f"response_url: {error}", temporary=True) from error
        if response.status_code == 200:
            return
        status = response.status_code
        if body.get("blocks") and response.text.strip() in REFUSED_BLOCKS:
            _LOG.error("Slack refused the blocks of a message at a response_url (%s)", response.text.strip())
            self.post(url, {**body, "blocks": []})
            return
        code = response.text.strip()[:60] if response.is_client_error and status != 429 else ""
        raise SlackFailed(
            code or f"http_{status}",
            f"response_url: {code or status}",
            temporary=status == 429 or status >= 500,
            wait_s=wait_from(response.headers),
        )

    def close(self) -> None:
        self._http.close()


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _shown(url: str) -> str:
    """Without its path: whoever has that can post."""
    return "".join(character for character in urlsplit(url).netloc if character.isprintable())[:100]
