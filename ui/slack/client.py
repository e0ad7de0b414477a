"""Slack's Web API: one call, one failure. slack_sdk lives here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from ui.slack.delivery import REFUSED_BLOCKS, SlackFailed, wait_from

__all__ = ["SlackClient"]

_LOG = logging.getLogger("rag.slack")
# What the SDK would log is told by who called.
_QUIET = logging.getLogger("rag.slack.sdk")
_QUIET.setLevel(logging.CRITICAL)

_TIMEOUT_S = 15
# These take no JSON.
_READS = frozenset({"users.info", "conversations.replies"})
_TEMPORARY = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"})


class SlackClient:
    """Safe to use from several threads; `base_url` is SLACK_API_URL."""

    def __init__(self, token: str, base_url: str) -> None:
        # Retries are ours: the SDK's own would wait in a worker without asking whether the server is stopping.
        self._web = WebClient(token=token, base_url=base_url, timeout=_TIMEOUT_S, retry_handlers=[], logger=_QUIET)
        # The SDK takes a proxy from the environment and does not know NO_PROXY.
        if proxy_bypass(urlsplit(base_url).netloc):
            self._web.proxy = None

    @property
    def web(self) -> WebClient:
        return self._web

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """What Slack answers to `chat.postMessage` and the like. Raises SlackFailed."""
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            if method in _READS:
                response = self._web.api_call(method, http_verb="GET", params=given)
            else:
                response = self._web.api_call(method, json=given)
        except SlackClientError as error:
            failure = _failed(method, getattr(error, "response", None))
            if failure.code in REFUSED_BLOCKS and given.get("blocks"):
                _LOG.error("Slack refused the blocks of a message (%s)", failure)
                return self.call(method, **{**given, "blocks": []})
            raise failure from error
        except (OSError, HTTPException) as error:
            raise SlackFailed("unreachable", f"{method}: {error}", temporary=True) from error
        data = response.data
        return data if isinstance(data, dict) else {}


def _failed(method: str, response: Any) -> SlackFailed:
    """The SDK's error carries its own response or, for what is not JSON, a plain mapping."""
    if isinstance(response, Mapping):
        status, headers, data = response.get("status"), response.get("headers"), None
    else:
        status, headers, data = (getattr(response, name, None) for name in ("status_code", "headers", "data"))
    code = str(data.get("error") or "") if isinstance(data, Mapping) else ""
    status = status if isinstance(status, int) else 0
    details = data.get("response_metadata") if isinstance(data, Mapping) else None
    why = "; ".join(str(each) for each in details.get("messages") or ()) if isinstance(details, Mapping) else ""
    return SlackFailed(
        code or f"http_{status}",
        f"{method}: {code or status}{f' ({why})' if why else ''}",
        temporary=status == 429 or status >= 500 or code in _TEMPORARY,
        wait_s=wait_from({str(name).lower(): str(value) for name, value in (headers or {}).items()}),
    )
