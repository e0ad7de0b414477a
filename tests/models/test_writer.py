from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from rag.answering.prompt import build_prompt
from rag.answering.writing import Writing
from rag.errors import WriterError
from rag.models.deadline import Deadline, held_to
from rag.models.writer import DEFAULT_MODEL, LLMWriter, OpenAIWriter, connect_writer
from rag.settings import Settings
from rag.text.sentences import sentences
from tests.fakes import hit
from tests.fakes.openai_server import DONE, FakeOpenAI, Reply

ROOT = Path(__file__).parents[2]
KEY, PROMPT = "sk-secret-key", "a prompt that nobody else may read"


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """The import takes seconds, which is not what these tests measure."""
    OpenAIWriter(api_base="http://x/v1", context_window=1, max_output_tokens=1).prepare()


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as running:
        yield running


def writer_at(base_url: str, **options: Any) -> OpenAIWriter:
    defaults: dict[str, Any] = {"api_key": KEY, "model": "m", "context_window": 8192, "max_output_tokens": 512}
    return OpenAIWriter(api_base=base_url, **(defaults | options))


def written(writer: OpenAIWriter | LLMWriter, seconds: float = 10) -> str:
    return "".join(writer.stream("a system", PROMPT, Deadline.after(seconds)))


def reason_of(writer: OpenAIWriter | LLMWriter, seconds: float = 10) -> str:
    with pytest.raises(WriterError) as failure:
        written(writer, seconds)
    return failure.value.reason


def test_text_arrives_piece_by_piece_from_the_configured_server(
    server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/v1")
    server.answers("one line", DONE)
    assert written(writer_at(server.base_url)) == f"one line\n{DONE}\n"
    (request,) = server.received
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body["messages"] == [
        {"role": "system", "content": "a system"},
        {"role": "user", "content": PROMPT},
    ]
    assert (request.body["model"], request.body["max_tokens"], request.body["stream"]) == ("m", 512, True)


def test_the_first_claim_arrives_while_the_server_is_still_writing(server: FakeOpenAI) -> None:
    server.answers('{"claim": "A claim.", "quotes": [{"at": "1.1", "text": "All of it was said."}]}', ending="hang")
    prompt = build_prompt(
        "?", [hit("All of it was said.")], sentences=sentences, budget_tokens=9**6, today=date.today()
    )
    claims = iter(Writing(prompt, writer_at(server.base_url), Deadline.after(10)))
    assert next(claims).evidence[0].text == "All of it was said."
    assert not server.chats[0].answered.is_set()
    claims.close()
    assert server.chats[0].disconnected.wait(2)


def test_closing_the_stream_ends_the_request(server: FakeOpenAI) -> None:
    server.replies(Reply(content="x" * 10_000, pause=0.05))
    deltas = writer_at(server.base_url).stream("s", "u", Deadline.after(30))
    assert next(deltas)
    deltas.close()
    assert server.chats[0].disconnected.wait(2)


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (400, None, "bad_request"),
        (400, "context_length_exceeded", "context_overflow"),
        (400, "content_filter", "content_filter"),
        (401, "invalid_api_key", "unauthorized"),
        (403, None, "unauthorized"),
        (404, "model_not_found", "model_not_found"),
        (404, None, "model_not_found"),
        (429, "rate_limit_exceeded", "rate_limited"),
        (429, None, "rate_limited"),
        (429, "insufficient_quota", "quota"),
        (500, None, "server_error"),
        (503, None, "server_error"),
        (307, None, "server_error"),
    ],
)
def test_a_refusal_has_a_reason_and_is_not_repeated(
    server: FakeOpenAI, status: int, code: str | None, reason: str
) -> None:
    server.fails(status, code=code, Retry_After="30", Location="/v1/elsewhere")
    start = time.monotonic()
    assert reason_of(writer_at(server.base_url)) == reason
    assert time.monotonic() - start < 2
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("one", finish_reason="length"), "length"),
        (Reply("one", finish_reason="content_filter"), "content_filter"),
        (Reply("one", ending="drop"), "server_error"),
        (Reply(raw=b'data: {"choices": [{"del\n\n'), "bad_output"),
        (Reply(raw=b'data: {"error": {"message": "overloaded", "code": "rate_limit_exceeded"}}\n\n'), "rate_limited"),
        (Reply(raw=b'data: {"choices": 7}\n\n'), "server_error"),
    ],
)
def test_a_stream_that_goes_wrong_has_a_reason(server: FakeOpenAI, reply: Reply, reason: str) -> None:
    server.replies(reply)
    assert reason_of(writer_at(server.base_url)) == reason


def test_a_stream_that_ends_too_early_is_left_to_the_reader_of_the_lines(server: FakeOpenAI) -> None:
    server.answers("half", ending="silent")
    assert written(writer_at(server.base_url)) == "half\n"


@pytest.mark.parametrize(
    "reply", [Reply("one " * 500, byte_pause=0.2), Reply(ending="hang_first"), Reply("one", ending="hang")]
)
def test_the_deadline_holds_and_hangs_up(server: FakeOpenAI, reply: Reply) -> None:
    server.replies(reply)
    start = time.monotonic()
    assert reason_of(writer_at(server.base_url), seconds=1.5) == "timeout"
    assert 1.4 < time.monotonic() - start < 2.5
    assert server.chats[0].disconnected.wait(2)
    assert not [thread for thread in threading.enumerate() if thread.name == "writer" and _outlives(thread)]


def _outlives(thread: threading.Thread) -> bool:
    thread.join(2)
    return thread.is_alive()


def test_a_server_that_never_stops_is_held_to_the_deadline_too(server: FakeOpenAI) -> None:
    server.replies(Reply("x" * 10**6, piece=1))
    start = time.monotonic()
    assert reason_of(writer_at(server.base_url), seconds=1) == "timeout"
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:{port}/v1", "http://no-such-host.invalid/v1", "ftp://x/v1", "x"]
)
def test_a_server_that_is_not_there_is_unreachable(base_url: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert reason_of(writer_at(base_url.format(port=port))) == "unreachable"
    assert reason_of(writer_at(base_url.format(port=port), model="")) == "unreachable"


def test_a_plain_server_behind_https_is_unreachable(server: FakeOpenAI) -> None:
    assert reason_of(writer_at(server.base_url.replace("http:", "https:"))) == "unreachable"


def test_a_base_url_alone_takes_the_first_model_and_asks_once(
    server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-this-server")
    server.models = ["first", "second"]
    server.quotes_sentences_with("x")
    writer = writer_at(server.base_url, api_key="", model="")
    assert writer.model == ""
    written(writer)
    written(writer)
    assert writer.model == "first"
    assert [request.path for request in server.received] == ["/v1/models", *["/v1/chat/completions"] * 2]
    assert server.chats[0].body["model"] == "first"
    assert "sk-not-for-this-server" not in str([request.headers for request in server.received])


@pytest.mark.parametrize(("status", "models", "reason"), [(200, [], "model_not_found"), (500, ["m"], "server_error")])
def test_without_a_list_of_models_nothing_is_asked(
    server: FakeOpenAI, status: int, models: list[str], reason: str
) -> None:
    server.models_status, server.models = status, models
    assert reason_of(writer_at(server.base_url, model="")) == reason
    assert server.chats == []


def test_a_model_that_serves_no_chats_is_said_to_be_missing(server: FakeOpenAI) -> None:
    assert reason_of(writer_at(server.base_url, model="gpt-5.2-pro")) == "model_not_found"


def test_neither_key_nor_prompt_is_logged_or_raised(server: FakeOpenAI, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers("one", DONE)
    server.fails(401, message=f"wrong key {KEY} for {PROMPT}")
    written(writer_at(server.base_url))
    with pytest.raises(WriterError) as failure:
        written(writer_at(server.base_url))
    assert "unauthorized" in caplog.text
    assert failure.value.__cause__ is None
    for secret in (KEY, PROMPT):
        assert secret not in caplog.text
        assert secret not in str(failure.value)


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


def test_settings_decide_on_the_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    assert connect_writer(settings()) is None
    assert connect_writer(settings(openai_model="m")) is None
    keyed = connect_writer(settings(openai_api_key=SecretStr(KEY)))
    assert keyed is not None
    assert (keyed.api_base, keyed.model) == ("https://api.openai.com/v1", DEFAULT_MODEL)
    local = connect_writer(settings(openai_base_url="http://127.0.0.1:1/v1", openai_context_window=2048))
    assert local is not None
    assert (local.api_base, local.model, local.context_window) == ("http://127.0.0.1:1/v1", "", 2048)
    named = connect_writer(settings(openai_base_url="http://127.0.0.1:1/v1", openai_model="m"))
    assert named is not None
    assert named.model == "m"


def test_connecting_imports_no_sdk() -> None:
    code = (
        "import sys; from rag.models.writer import connect_writer; from rag.settings import Settings;"
        "connect_writer(Settings(_env_file=None, openai_base_url='http://127.0.0.1:1/v1'));"
        "sys.exit(any(name in sys.modules for name in ('openai', 'llama_index')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_any_llm_of_llama_index_can_write() -> None:
    from llama_index.core.llms.mock import MockLLM

    writer = LLMWriter(MockLLM(max_tokens=5))
    assert written(writer)
    assert writer.context_window > 0
    assert writer.max_output_tokens >= 256


def test_what_an_unknown_llm_raises_becomes_a_reason() -> None:
    from llama_index.core.llms.mock import MockLLM

    class Broken(MockLLM):
        def stream_complete(self, *args: Any, **kwargs: Any) -> Any:
            raise KeyError("vendor")

    class Slow(MockLLM):
        def stream_complete(self, *args: Any, **kwargs: Any) -> Any:
            time.sleep(3)
            return super().stream_complete(*args, **kwargs)

    assert reason_of(LLMWriter(Broken(max_tokens=5))) == "server_error"
    start = time.monotonic()
    assert reason_of(LLMWriter(Slow(max_tokens=5)), seconds=0.5) == "timeout"
    assert time.monotonic() - start < 1.5


def test_what_is_held_to_a_deadline_is_cut_once_it_ends() -> None:
    cuts: list[str] = []

    def produce() -> Generator[int, None, None]:
        yield from (1, 2)
        raise httpx.ReadError("gone")

    items = held_to(Deadline.after(5), produce, lambda: cuts.append("cut"))
    assert [next(items), next(items)] == [1, 2]
    assert cuts == []
    with pytest.raises(httpx.ReadError):
        next(items)
    assert cuts == ["cut"]


def test_a_deadline_counts_down() -> None:
    assert 9 < Deadline.after(10).remaining() <= 10
    assert not Deadline.after(10).expired
    assert Deadline.after(-1).expired
    assert Deadline.after(-1).remaining() == 0
