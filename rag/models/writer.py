"""The language model that writes answers: any OpenAI-compatible server, or any LLM of llama-index.

A writer streams text and nothing else; what the text is worth is decided in `rag.answering.writing`.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from rag.errors import WriterError
from rag.models.deadline import Deadline, held_to
from rag.settings import Settings

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

__all__ = ["DEFAULT_MODEL", "LLMWriter", "OpenAIWriter", "Writer", "connect_writer"]

logger = logging.getLogger(__name__)

DEFAULT_MODEL = "gpt-4o-mini"
OPENAI_API_BASE = "https://api.openai.com/v1"

_BY_CODE = {
    "insufficient_quota": "quota",
    "model_not_found": "model_not_found",
    "invalid_api_key": "unauthorized",
    "context_length_exceeded": "context_overflow",
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


class Writer(Protocol):
    """A language model that continues a prompt.

    `context_window` and `max_output_tokens` are counted in the model's tokens. `model` may be empty
    before the first answer, while a server has not been asked what it has.
    """

    @property
    def model(self) -> str: ...
    @property
    def context_window(self) -> int: ...
    @property
    def max_output_tokens(self) -> int: ...

    def stream(self, system: str, user: str, deadline: Deadline) -> Generator[str, None, None]:
        """Pieces of the model's text as they arrive.

        Raises WriterError, whose reason is `timeout`, `unreachable`, `unauthorized`, `model_not_found`,
        `rate_limited`, `quota`, `context_overflow`, `bad_request`, `content_filter`, `length`,
        `bad_output` or `server_error`. Closing the generator ends the request.
        """
        ...


class LLMWriter:
    """A writer out of any llama-index LLM, built and configured by the caller.

    Its own timeouts and retries are the caller's business; the deadline holds all the same. What it is
    still doing when an answer is given up ends with its next piece of text.
    """

    def __init__(self, llm: LLM) -> None:
        self._llm = llm
        self.model: str = llm.metadata.model_name
        self.context_window: int = llm.metadata.context_window
        self.max_output_tokens: int = max(llm.metadata.num_output, 256)  # -1 means that it does not say

    def stream(self, system: str, user: str, deadline: Deadline) -> Generator[str, None, None]:
        """See Writer.stream."""
        yield from _guarded(deadline, lambda: _deltas(self._llm, system, user), lambda: None)


class OpenAIWriter:
    """A writer on an OpenAI-compatible server, one connection and at most two requests an answer.

    Without a `model`, the server is asked for its list when the first answer is written, and the first
    of the list is taken. Nothing is imported or connected before that, because llama-index and the
    OpenAI SDK take seconds to import: a server that wants to spare its first reader calls `prepare`.
    """

    def __init__(
        self, *, api_base: str, api_key: str = "", model: str = "", context_window: int, max_output_tokens: int
    ) -> None:
        self.api_base = api_base
        self.model = model
        self.context_window = context_window
        self.max_output_tokens = max_output_tokens
        # The SDKs look for a key in the environment when they get none, and would send it anywhere.
        self._api_key = api_key or "not-needed"

    def prepare(self) -> None:
        """Import what the first answer needs (seconds)."""
        _openai_like()

    def reach(self, deadline: Deadline) -> str:
        """Ask the server which model will write; returns a sentence that says so. Raises WriterError."""
        with _Connection().client(deadline) as client:
            try:
                model = self.model or self._first_model(client, deadline)
            except WriterError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever an SDK raises is one of the reasons
                raise _failure(_reason(error)) from None
        return f"{model} at {self.api_base}"

    def stream(self, system: str, user: str, deadline: Deadline) -> Generator[str, None, None]:
        """See Writer.stream."""
        connection = _Connection()

        def produce() -> Generator[str, None, None]:
            with connection.client(deadline) as client:
                yield from _deltas(self._llm(client, deadline), system, user)

        yield from _guarded(deadline, produce, connection.cut)

    def _llm(self, client: httpx.Client, deadline: Deadline) -> LLM:
        llm_class = _openai_like()
        if not self.model:
            self.model = self._first_model(client, deadline)
        try:
            llm: LLM = llm_class(
                model=self.model,
                api_base=self.api_base,  # always: llama-index ignores OPENAI_BASE_URL
                api_key=self._api_key,
                is_chat_model=True,
                context_window=self.context_window,
                max_tokens=self.max_output_tokens,
                temperature=0.0,
                max_retries=0,
                timeout=deadline.remaining(),
                http_client=client,
            )
        except ValueError as error:  # a model that llama-index knows not to serve chats
            raise _failure("model_not_found") from error
        return llm

    def _first_model(self, client: httpx.Client, deadline: Deadline) -> str:
        import openai  # takes over a second, and answers made of quotes do without it

        sdk = openai.OpenAI(
            api_key=self._api_key,
            base_url=self.api_base,
            http_client=client,
            max_retries=0,
            timeout=deadline.remaining(),
        )
        for model in sdk.models.list():
            return model.id
        raise _failure("model_not_found")


def connect_writer(settings: Settings) -> OpenAIWriter | None:
    """The writer that the settings ask for; None when neither a key nor a base URL is set."""
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
    base = settings.openai_base_url or ""
    if not key and not base:
        return None
    return OpenAIWriter(
        api_base=base or OPENAI_API_BASE,
        api_key=key,
        model=settings.openai_model or ("" if base else DEFAULT_MODEL),
        context_window=settings.openai_context_window,
        max_output_tokens=settings.openai_max_output_tokens,
    )


class _Connection:
    """The network connection of one answer, which another thread can cut at any moment.

    Closing a file descriptor does not wake a thread that reads from it; shutting the socket down does.
    The socket is a duplicate, so that it stays valid when TLS takes the original over.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._cut = False

    def client(self, deadline: Deadline) -> httpx.Client:
        """A client for one answer; every wait of it ends at the deadline, if not all of them together."""
        return httpx.Client(timeout=deadline.remaining(), event_hooks={"request": [self._watch]})

    def cut(self) -> None:
        with self._lock:
            self._cut = True
            for connected in self._sockets:
                with suppress(OSError):  # the server may have been faster
                    connected.shutdown(socket.SHUT_RDWR)
                connected.close()
            self._sockets.clear()

    def _watch(self, request: httpx.Request) -> None:
        request.extensions["trace"] = self._trace

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event != "connection.connect_tcp.complete":
            return
        with self._lock:
            if self._cut:
                raise ConnectionAbortedError("given up while connecting")
            self._sockets.append(info["return_value"].get_extra_info("socket").dup())


def _openai_like() -> Any:
    from llama_index.llms.openai_like import OpenAILike  # type: ignore[import-untyped]  # lazy: it takes 1.5 to 5 seconds

    # At DEBUG this logger writes out whole prompts.
    logging.getLogger("openai._base_client").setLevel(logging.INFO)
    return OpenAILike


def _deltas(llm: LLM, system: str, user: str) -> Generator[str, None, None]:
    from llama_index.core.llms import ChatMessage, MessageRole  # lazy: it takes seconds

    messages = [
        ChatMessage(role=MessageRole.SYSTEM, content=system),
        ChatMessage(role=MessageRole.USER, content=user),
    ]
    for response in llm.stream_chat(messages):
        if response.delta:
            yield response.delta
        for choice in getattr(response.raw, "choices", None) or ():
            if getattr(choice, "finish_reason", None) in ("length", "content_filter"):
                raise _failure(choice.finish_reason)


def _guarded(
    deadline: Deadline, produce: Callable[[], Generator[str, None, None]], cut: Callable[[], None]
) -> Generator[str, None, None]:
    try:
        with closing(held_to(deadline, produce, cut)) as deltas:
            yield from deltas
    except WriterError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a vendor's class raises, the reader gets the quotes
        reason = _reason(error)
        # Neither logged nor chained: the message of an SDK may hold the prompt or the key.
        logger.warning("the language model failed: %s (%s)", reason, type(error).__name__)
        raise _failure(reason) from None


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error  # the OpenAI SDK wraps what httpx raises
    if isinstance(cause, TimeoutError | httpx.TimeoutException):
        return "timeout"
    if isinstance(cause, httpx.ConnectError | httpx.ProxyError | httpx.UnsupportedProtocol | httpx.InvalidURL):
        return "unreachable"
    code, status = getattr(error, "code", None), getattr(error, "status_code", None)
    if isinstance(code, str) and code in _BY_CODE:
        return _BY_CODE[code]
    if isinstance(status, int):
        return _BY_STATUS.get(status, "server_error")
    return "bad_output" if isinstance(error, ValueError) else "server_error"


def _failure(reason: str) -> WriterError:
    return WriterError(reason, _MESSAGES[reason])
