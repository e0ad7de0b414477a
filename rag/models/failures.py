"""What an error of a language model's server means: its reason, and whether asking again may help.

Servers that call themselves compatible agree on the shape of an error, not on its codes: llama.cpp, vLLM
and OpenRouter put the HTTP status into `code`, LM Studio sends a bare string, and an error that comes
after the first byte travels as an event of a stream that began with 200.
"""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from rag.errors import LanguageModelError

__all__ = ["failure", "reason_of", "refuses_json_mode", "refuses_parameters", "seconds_until_retry"]

_BY_CODE = {
    "insufficient_quota": "quota",
    "model_not_found": "model_not_found",
    "invalid_api_key": "unauthorized",
    "context_length_exceeded": "context_overflow",
    "exceed_context_size_error": "context_overflow",
    "content_filter": "content_filter",
    "rate_limit_exceeded": "rate_limited",
}
_BY_STATUS = {
    400: "bad_request",
    401: "unauthorized",
    402: "quota",
    403: "unauthorized",
    404: "model_not_found",
    408: "timeout",
    413: "context_overflow",
    422: "bad_request",
    429: "rate_limited",
    504: "timeout",
}
# For servers whose code says no more than that the request was bad.
_BY_TEXT = (
    (
        re.compile(r"context (?:size|length|window)|context the overflows|maximum input length", re.I),
        "context_overflow",
    ),
    (re.compile(r"\bmodel\b.{0,99}\b(?:not found|does not exist|not loaded)", re.I), "model_not_found"),
)
_MESSAGES = {
    "timeout": "the language model did not finish in time",
    "unreachable": "the language model's server cannot be reached",
    "unauthorized": "the language model's server refuses the key",
    "model_not_found": "the language model's server does not have this model",
    "rate_limited": "the language model's server asks to slow down",
    "quota": "the account with the language model's server is used up",
    "context_overflow": "the prompt is longer than the language model can read",
    "bad_request": "the language model's server does not accept the request",
    "content_filter": "the language model's server held the answer back",
    "length": "the language model wrote more than it may",
    "bad_output": "the language model's server sent what cannot be read",
    "server_error": "the language model's server failed",
}
_OVERLOAD_PAUSE_S = 0.5


def failure(reason: str) -> LanguageModelError:
    """The error of a reason, in words of our own: those of a server may hold the prompt or the key."""
    return LanguageModelError(reason, _MESSAGES[reason])


def reason_of(error: Exception) -> str:
    """The reason of whatever the OpenAI SDK, httpx or another vendor's class raised."""
    cause = error.__cause__ or error  # the OpenAI SDK wraps what httpx raises
    if isinstance(cause, TimeoutError | httpx.TimeoutException):
        return "timeout"
    if isinstance(cause, httpx.ConnectError | httpx.ProxyError | httpx.UnsupportedProtocol | httpx.InvalidURL):
        return "unreachable"
    for name in (getattr(error, "code", None), getattr(error, "type", None)):
        if isinstance(name, str) and name in _BY_CODE:
            return _BY_CODE[name]
    status = _status(error)
    if status in (400, 404, 422, 500) or (status is None and hasattr(error, "body")):
        text = f"{error} {getattr(error, 'body', '')}"
        for pattern, reason in _BY_TEXT:
            if pattern.search(text):
                return reason
    if status is not None:
        return _BY_STATUS.get(status, "server_error")
    return "bad_output" if isinstance(error, ValueError) else "server_error"


def refuses_parameters(error: Exception) -> bool:
    """Whether the model wants `max_completion_tokens` or takes no temperature, as OpenAI's newer ones do."""
    text = str(error)
    named = getattr(error, "param", None) in ("max_tokens", "temperature")
    return _status(error) in (400, 422) and (named or "max_completion_tokens" in text or "'temperature'" in text)


def refuses_json_mode(error: Exception) -> bool:
    """Whether the server or the model does not take `response_format`."""
    named = getattr(error, "param", None) == "response_format" or "response_format" in str(error)
    return _status(error) in (400, 422) and named


def seconds_until_retry(error: Exception) -> float | None:
    """After how many seconds the same request may succeed; None when it would fail again, or half began."""
    if error.__cause__ is not None:  # the SDK wraps what happens before the first byte, and nothing else
        lost = isinstance(error.__cause__, httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError)
        return 0.0 if lost else None
    asked = _retry_after(error)
    if _status(error) == 503:
        return _OVERLOAD_PAUSE_S if asked is None else asked
    return asked if reason_of(error) == "rate_limited" else None


def _status(error: Exception) -> int | None:
    for status in (getattr(error, "status_code", None), getattr(error, "code", None)):
        if isinstance(status, int):
            return status
        if isinstance(status, str) and status.isdecimal():
            return int(status)
    return None


def _retry_after(error: Exception) -> float | None:
    response: Any = getattr(error, "response", None)
    if not isinstance(response, httpx.Response):
        return None
    said = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", said):
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except ValueError:
        return None
