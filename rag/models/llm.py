"""The language model that writes answers: any OpenAI-compatible server, or any LLM of llama-index.

A writer streams text and nothing else; what the text is worth is decided in `rag.answering.generation.generate`.
JSON mode holds a model to a single object and to valid JSON. OpenAI's servers are asked for it, and claims
still appear one by one, because each is read as soon as its own braces close. Other servers are not: many
refuse it, ignore it or slow down under a grammar, and the answer is read in whatever form it comes. Schemas
are asked of nobody: they differ from server to server.
"""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import httpx

from rag.errors import LanguageModelError
from rag.models.breaker import Breaker
from rag.models.deadline import Cancelled, Deadline, iterate_until
from rag.models.failures import failure, reason_of, refuses_json_mode, refuses_parameters, seconds_until_retry
from rag.settings import Settings

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

__all__ = [
    "DEFAULT_MODEL",
    "MOST_CALLS",
    "LanguageModel",
    "LlamaIndexModel",
    "OpenAIModel",
    "connect_llm",
    "has_json_mode",
]

logger = logging.getLogger(__name__)

DEFAULT_MODEL = "gpt-4o-mini"
OPENAI_API_BASE = "https://api.openai.com/v1"
# Requests one answer may cost, counting the one for the list of models.
MOST_CALLS = 2

# What a reasoning model thinks counts as output, though nobody sees it.
_THINKING_TOKENS = 4096
_REASONING = re.compile(r"(?:^|/)(?:o\d|gpt-5)", re.IGNORECASE)
# Local servers list everything they have, and often an embedding model first.
_NO_CHAT = re.compile(
    r"embed|rerank|whisper|moderation|transcri|minilm|mpnet|colbert|diffusion|dall-e"
    r"|(?<![a-z0-9])(?:bge|e5|gte|tts|asr|clip|sora|flux|kokoro|piper)(?![a-z])",
    re.IGNORECASE,
)


class LanguageModel(Protocol):
    """A language model that continues a prompt.

    `context_window` and `max_output_tokens` are counted in the model's tokens. `model` may be empty
    before the first answer, while a server has not been asked what it has. `json_mode` says that it can be
    held to one JSON object.
    """

    @property
    def model(self) -> str: ...
    @property
    def context_window(self) -> int: ...
    @property
    def max_output_tokens(self) -> int: ...
    @property
    def json_mode(self) -> bool: ...

    def stream(
        self, system: str, user: str, deadline: Deadline, *, calls: int = MOST_CALLS, json_mode: bool = False
    ) -> Generator[str, None, None]:
        """Pieces of the model's text as they arrive, for at most `calls` requests to a server.

        While `model` is empty, it takes two: the first asks the server what it has. With `json_mode` the
        text is one JSON object if the server can be held to that; the prompt has to ask for it too.

        Raises LanguageModelError, whose reason is `timeout`, `unreachable`, `unauthorized`, `model_not_found`,
        `rate_limited`, `quota`, `context_overflow`, `bad_request`, `content_filter`, `length`,
        `bad_output` or `server_error`; Cancelled when the deadline is cancelled. Closing the generator
        ends the request.
        """
        ...


class LlamaIndexModel:
    """A writer out of any llama-index LLM, built and configured by the caller.

    Its own timeouts and retries are the caller's business; the deadline holds all the same. What it is
    still doing when an answer is given up ends with its next piece of text.
    """

    def __init__(self, llm: LLM, *, breaker: Breaker | None = None) -> None:
        self._llm = llm
        self._breaker = breaker or Breaker()
        self.model: str = llm.metadata.model_name
        self.context_window: int = llm.metadata.context_window
        self.max_output_tokens: int = max(llm.metadata.num_output, 256)  # -1 means that it does not say
        self.json_mode = False  # every class has its own way, or none

    def stream(
        self, system: str, user: str, deadline: Deadline, *, calls: int = MOST_CALLS, json_mode: bool = False
    ) -> Generator[str, None, None]:
        """See Writer.stream; one call."""
        yield from _guarded(deadline, self._breaker, lambda: _deltas(self._llm, system, user), lambda: None)


class OpenAIModel:
    """A writer on an OpenAI-compatible server, over one connection an answer.

    A request is made a second time where that helps, before any text has come: the server was busy and
    says when it will not be, the connection was lost before the first byte, or the model wants its
    parameters named otherwise or has no JSON mode (which is remembered).

    Without a `model`, the server is asked for its list when the first answer is written, and the first
    that can chat is taken. Nothing is imported or connected before that, because llama-index and the
    OpenAI SDK take seconds to import: a server that wants to spare its first reader calls `prepare`.
    """

    def __init__(
        self,
        *,
        api_base: str,
        api_key: str = "",
        model: str = "",
        context_window: int,
        max_output_tokens: int,
        json_mode: bool = False,
        breaker: Breaker | None = None,
    ) -> None:
        self.api_base = api_base
        self.model = model
        self.context_window = context_window
        self.max_output_tokens = max_output_tokens
        self.json_mode = json_mode
        # The SDKs look for a key in the environment when they get none, and would send it anywhere.
        self._api_key = api_key or "not-needed"
        self._breaker = breaker or Breaker()
        self._reasons = bool(_REASONING.search(model))

    def prepare(self) -> None:
        """Import what the first answer needs (seconds)."""
        _openai_like()

    def reach(self, deadline: Deadline) -> str:
        """Ask the server which model will write; returns a sentence that says so. Raises LanguageModelError."""
        with Connection().client(deadline) as client:
            try:
                model = self.model or self._first_model(client, deadline)
            except LanguageModelError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever an SDK raises is one of the reasons
                raise failure(reason_of(error)) from None
        return f"{model} at {httpx.URL(self.api_base).copy_with(username='', password='')}"

    def stream(
        self, system: str, user: str, deadline: Deadline, *, calls: int = MOST_CALLS, json_mode: bool = False
    ) -> Generator[str, None, None]:
        """See Writer.stream."""
        connection = Connection()

        def produce() -> Generator[str, None, None]:
            with connection.client(deadline) as client:
                left = calls
                if not self.model:
                    self._take(self._first_model(client, deadline))
                    left -= 1

                def send() -> Generator[str, None, None]:
                    return _deltas(self._llm(client, deadline, json_mode), system, user)

                yield from self._attempts(connection, deadline, left, send)

        yield from _guarded(deadline, self._breaker, produce, connection.cut)

    def _attempts(
        self, connection: Connection, deadline: Deadline, calls: int, send: Callable[[], Generator[str, None, None]]
    ) -> Generator[str, None, None]:
        import openai  # takes over a second, and answers made of quotes do without it

        while True:
            began = False
            calls -= 1
            try:
                for delta in send():
                    began = True
                    yield delta
                return
            except openai.APIError as error:
                wait = self._wait(error)
                # What is left must suffice for the answer.
                if began or calls < 1 or wait is None or wait > deadline.remaining() / 2:
                    raise
                reason = reason_of(error)
            connection.pause(wait)
            logger.info("the language model is asked again: %s", reason)

    def _wait(self, error: Exception) -> float | None:
        """Seconds before the second request; None if it would not help. What the model refuses is remembered."""
        if refuses_json_mode(error) and self.json_mode:
            self.json_mode = False
            return 0.0
        if refuses_parameters(error) and not self._reasons:
            self._reasons = True
            return 0.0
        return seconds_until_retry(error)

    def _take(self, model: str) -> None:
        self.model = model
        self._reasons = bool(_REASONING.search(model))

    def _llm(self, client: httpx.Client, deadline: Deadline, json_mode: bool) -> LLM:
        import openai  # as above

        options: dict[str, Any] = {}
        if self._reasons:
            # A model that reasons wants its limit under another name and takes no temperature.
            limit = self.max_output_tokens + _THINKING_TOKENS
            options = {"max_completion_tokens": limit, "temperature": openai.omit}
        if json_mode and self.json_mode:
            options["response_format"] = {"type": "json_object"}
        try:
            llm: LLM = _openai_like()(
                model=self.model,
                api_base=self.api_base,  # always: llama-index ignores OPENAI_BASE_URL
                api_key=self._api_key,
                is_chat_model=True,
                context_window=self.context_window,
                max_tokens=None if self._reasons else self.max_output_tokens,
                temperature=0.0,
                additional_kwargs=options,
                max_retries=0,
                timeout=deadline.remaining(),
                http_client=client,
            )
        except ValueError as error:  # a model that llama-index knows not to serve chats
            raise failure("model_not_found") from error
        return llm

    def _first_model(self, client: httpx.Client, deadline: Deadline) -> str:
        import openai  # as above

        sdk = openai.OpenAI(
            api_key=self._api_key,
            base_url=self.api_base,
            http_client=client,
            max_retries=0,
            timeout=deadline.remaining(),
        )
        names = [model.id for model in sdk.models.list().data or ()]  # Ollama without a model lists null
        if not names:
            raise failure("model_not_found")
        return next((name for name in names if not _NO_CHAT.search(name)), names[0])


def connect_llm(settings: Settings) -> OpenAIModel | None:
    """The writer that the settings ask for; None when neither a key nor a base URL is set."""
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
    base = settings.openai_base_url or (OPENAI_API_BASE if key else "")
    if not base:
        return None
    # OpenAI's own list begins with anything, and is long.
    usual = DEFAULT_MODEL if base.rstrip("/") == OPENAI_API_BASE else ""
    return OpenAIModel(
        api_base=base,
        api_key=key,
        model=settings.openai_model or usual,
        context_window=settings.openai_context_window,
        max_output_tokens=settings.openai_max_output_tokens,
        json_mode=has_json_mode(base),
    )


def has_json_mode(api_base: str) -> bool:
    """Whether the server at this address is OpenAI's own, whose JSON mode can be relied on."""
    try:
        host = urlsplit(api_base).hostname or ""
    except ValueError:
        return False
    return host == "api.openai.com" or host.endswith(".api.openai.com")  # the second: its regions


def _openai_like() -> Any:
    from llama_index.llms.openai_like import OpenAILike  # type: ignore[import-untyped]  # lazy: it takes 1.5 to 5 seconds

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
            ending = getattr(choice, "finish_reason", None)
            if ending in ("length", "content_filter"):
                raise failure(ending)
            if ending == "error":  # OpenRouter's word for a provider that broke off
                raise failure("server_error")


def _guarded(
    deadline: Deadline,
    breaker: Breaker,
    produce: Callable[[], Generator[str, None, None]],
    cut: Callable[[], None],
) -> Generator[str, None, None]:
    with breaker.attempt() as attempt:
        try:
            with closing(iterate_until(deadline, produce, cut)) as deltas:
                for delta in deltas:
                    attempt.answered = True
                    yield delta
            attempt.answered = True
        except Cancelled:
            raise
        except LanguageModelError as error:
            attempt.failure = error.reason
            raise
        except Exception as error:  # noqa: BLE001 - whatever a vendor's class raises, the reader gets the quotes
            attempt.failure = reason_of(error)
            # Neither logged nor chained: the message of an SDK may hold the prompt or the key.
            logger.warning("the language model failed: %s (%s)", attempt.failure, type(error).__name__)
            raise failure(attempt.failure) from None


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
