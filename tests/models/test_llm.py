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

from rag.answering.generation.generate import generate_claims
from rag.answering.generation.prompt import build_prompt
from rag.english.sentences import sentences
from rag.errors import LanguageModelError
from rag.models.breaker import Breaker
from rag.models.deadline import Cancellable, Cancelled, Deadline, iterate_until
from rag.models.llm import DEFAULT_MODEL, LlamaIndexModel, OpenAIModel, connect_llm, has_json_mode
from rag.settings import Settings
from tests.fakes import hit
from tests.fakes.openai_server import DONE, FakeOpenAI, Reply, error_event, event

ROOT = Path(__file__).parents[2]
KEY, PROMPT = "sk-secret-key", "a prompt that nobody else may read"


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """The import takes seconds, which is not what these tests measure."""
    OpenAIModel(api_base="http://x/v1", context_window=1, max_output_tokens=1).prepare()


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as running:
        yield running


def writer_at(base_url: str, **options: Any) -> OpenAIModel:
    defaults: dict[str, Any] = {"api_key": KEY, "model": "m", "context_window": 8192, "max_output_tokens": 512}
    return OpenAIModel(api_base=base_url, **(defaults | options))


def written(writer: OpenAIModel | LlamaIndexModel, seconds: float = 10) -> str:
    return "".join(writer.stream("a system", PROMPT, Deadline.after(seconds)))


def reason_of(writer: OpenAIModel | LlamaIndexModel, seconds: float = 10) -> str:
    with pytest.raises(LanguageModelError) as failure:
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
    claims = iter(generate_claims(prompt, writer_at(server.base_url), Deadline.after(10)))
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


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        # llama.cpp
        (
            {"code": 400, "message": "request (4390 tokens) exceeds the available context size (4096 tokens)"},
            "context_overflow",
        ),
        ({"code": 500, "message": "Context size has been exceeded.", "type": "server_error"}, "context_overflow"),
        ({"code": 503, "message": "Loading model", "type": "unavailable_error"}, "server_error"),
        # vLLM
        (
            {"message": "This model's maximum context length is 1024 tokens.", "type": "BadRequestError", "code": 400},
            "context_overflow",
        ),
        # OpenRouter
        ({"code": 502, "message": "Provider disconnected"}, "server_error"),
        ({"code": 429, "message": "slow down"}, "rate_limited"),
        ({"code": "402", "message": "no credits"}, "quota"),
        # LM Studio
        ("Trying to keep the first 14538 tokens when context the overflows.", "context_overflow"),
        ("something else", "server_error"),
    ],
)
def test_an_error_inside_a_stream_has_the_right_reason(server: FakeOpenAI, error: Any, reason: str) -> None:
    server.replies(Reply(raw=event({"role": "assistant"}) + error_event(error)))
    assert reason_of(writer_at(server.base_url)) == reason


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (400, {"code": 400, "message": "the request exceeds the available context size"}, "context_overflow"),
        (500, {"code": 500, "message": "x", "type": "exceed_context_size_error"}, "context_overflow"),
        (400, {"code": 400, "message": "the model's context length is only 1024 tokens"}, "context_overflow"),
        (400, {"code": None, "message": 'model "llama9" not found, try pulling it first'}, "model_not_found"),
        (429, {"code": None, "type": "insufficient_quota", "message": "x"}, "quota"),
        (429, {"code": None, "message": "too many tokens for the context window of this minute"}, "rate_limited"),
    ],
)
def test_a_refusal_is_understood_in_every_dialect(server: FakeOpenAI, status: int, error: Any, reason: str) -> None:
    server.replies(Reply(status=status, error=error))
    assert reason_of(writer_at(server.base_url)) == reason


USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
LAST = event({}, "stop")


@pytest.mark.parametrize(
    "stream",
    [
        event() + event({"content": "one"}) + LAST + event(usage=USAGE) + b"data: [DONE]\n\n",
        event({"role": "assistant"}) + event({"content": "one"}) + LAST,
        event({"role": "assistant", "content": None}) + event({"content": "one", "tool_calls": None}) + LAST,
        event({"reasoning_content": "two?"}) + event({"content": None, "reasoning": "no"}) + event({"content": "one"}),
        b": OPENROUTER PROCESSING\n\n" + event({"content": "one"}) + LAST,
        event({"content": "o"}).replace(b"\n", b"\r\n") + event({"content": "ne"}, usage=USAGE) + LAST,
    ],
    ids=["empty choices", "no [DONE]", "null content", "reasoning", "comments", "CRLF"],
)
def test_the_text_of_every_dialect_is_read(server: FakeOpenAI, stream: bytes) -> None:
    server.replies(Reply(raw=stream))
    assert written(writer_at(server.base_url)) == "one"


def test_a_provider_that_broke_off_is_a_failure(server: FakeOpenAI) -> None:
    server.replies(Reply(raw=event({"content": "one"}) + event({"content": ""}, "error")))
    assert reason_of(writer_at(server.base_url)) == "server_error"


# Asking again


@pytest.mark.parametrize(
    "first",
    [
        Reply(status=503),
        Reply(status=503, headers={"Retry-After": "0"}),
        Reply(status=429, headers={"Retry-After": "1"}),
        Reply(status=429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        Reply(ending="reset_first"),
    ],
)
def test_what_passes_is_asked_again_once(server: FakeOpenAI, first: Reply) -> None:
    server.replies(first, Reply("one"), first, first, Reply("never"))
    writer = writer_at(server.base_url)
    assert written(writer) == "one"
    reason_of(writer)
    assert len(server.received) == 4


@pytest.mark.parametrize(
    ("first", "seconds"),
    [
        (Reply(status=429, headers={"Retry-After": "2"}), 3),
        (Reply(status=429, headers={"Retry-After": "soon"}), 10),
        (Reply(status=429, error={"code": "insufficient_quota"}, headers={"Retry-After": "0"}), 10),
        (Reply(status=500), 10),
        (Reply("one", ending="reset"), 10),
        (Reply("", ending="reset"), 10),
    ],
)
def test_what_does_not_pass_in_time_is_not_asked_again(server: FakeOpenAI, first: Reply, seconds: float) -> None:
    server.replies(first, Reply("two"))
    reason_of(writer_at(server.base_url), seconds=seconds)
    assert len(server.received) == 1


def test_the_list_of_models_is_one_of_two_calls(server: FakeOpenAI) -> None:
    server.replies(Reply(status=503), Reply("two"))
    assert reason_of(writer_at(server.base_url, model="")) == "server_error"
    assert len(server.received) == 2


def test_a_caller_may_allow_a_single_call(server: FakeOpenAI) -> None:
    server.replies(Reply(status=503), Reply("two"))
    with pytest.raises(LanguageModelError):
        list(writer_at(server.base_url).stream("s", "u", Deadline.after(5), calls=1))
    assert len(server.received) == 1


@pytest.mark.parametrize("refused", [{"max_tokens", "temperature"}, {"max_tokens"}, {"temperature"}])
def test_a_model_that_wants_other_parameters_gets_them(server: FakeOpenAI, refused: set[str]) -> None:
    server.refused_parameters = refused
    server.replies(Reply("one"), Reply("two"))
    writer = writer_at(server.base_url)
    assert written(writer) == "one"
    first, second = server.chats
    assert first.body.keys() >= {"max_tokens", "temperature"}
    assert not second.body.keys() & {"max_tokens", "temperature"}
    assert second.body["max_completion_tokens"] > 512
    assert written(writer) == "two"
    assert len(server.chats) == 3


@pytest.mark.parametrize("model", ["o3-mini", "gpt-5", "gpt-5.9-nano", "openai/gpt-5-mini"])
def test_models_that_are_known_to_reason_get_them_at_once(server: FakeOpenAI, model: str) -> None:
    server.refused_parameters = {"max_tokens", "temperature"}
    server.replies(Reply("one"))
    assert written(writer_at(server.base_url, model=model)) == "one"
    assert len(server.chats) == 1


def test_parameters_that_stay_refused_are_a_bad_request(server: FakeOpenAI) -> None:
    error = {"message": "'temperature' is wrong", "param": "temperature", "code": "unsupported_value"}
    server.replies(*[Reply(status=400, error=error)] * 3)
    assert reason_of(writer_at(server.base_url)) == "bad_request"
    assert len(server.chats) == 2


# JSON mode


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.openai.com/v1", True),
        ("https://API.openai.com:443/v1/", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://api.openai.com.example/v1", False),
        ("https://notapi.openai.com/v1", False),
        ("https://openrouter.ai/api.openai.com/v1", False),
        ("http://127.0.0.1:11434/v1", False),
        ("x", False),
        ("http://[::1", False),
    ],
)
def test_json_mode_is_for_openai_itself(base_url: str, expected: bool) -> None:
    assert has_json_mode(base_url) is expected
    writer = connect_llm(settings(openai_base_url=base_url))
    assert writer is not None
    assert writer.json_mode is expected


def test_a_key_alone_means_json_mode() -> None:
    writer = connect_llm(settings(openai_api_key=SecretStr(KEY)))
    assert writer is not None
    assert writer.json_mode


def in_json(writer: OpenAIModel) -> str:
    return "".join(writer.stream("answer in JSON", PROMPT, Deadline.after(10), json_mode=True))


@pytest.mark.parametrize("model", ["m", "o3-mini"])
def test_json_mode_is_asked_for_where_the_server_has_it_and_the_text_is_json(server: FakeOpenAI, model: str) -> None:
    server.replies(*[Reply("one")] * 3)
    writer = writer_at(server.base_url, model=model, json_mode=True)
    in_json(writer)
    written(writer)  # a rewritten question is no JSON
    in_json(writer_at(server.base_url, model=model))
    assert [request.json_mode for request in server.chats] == [True, False, False]
    assert ["response_format" in request.body for request in server.chats] == [True, False, False]


def test_a_server_that_refuses_json_mode_is_asked_without_it_from_then_on(server: FakeOpenAI) -> None:
    server.refused_parameters = {"response_format"}
    server.replies(Reply("one"), Reply("two"))
    writer = writer_at(server.base_url, json_mode=True)
    assert in_json(writer) == "one"
    assert not writer.json_mode
    assert in_json(writer) == "two"
    assert [request.json_mode for request in server.chats] == [True, False, False]


def test_what_is_refused_at_the_last_call_is_remembered_for_the_next_answer(server: FakeOpenAI) -> None:
    server.refused_parameters = {"response_format", "max_tokens", "temperature"}
    server.replies(Reply("one"))
    writer = writer_at(server.base_url, json_mode=True)
    with pytest.raises(LanguageModelError, match="does not accept"):
        in_json(writer)
    assert len(server.chats) == 2
    assert in_json(writer) == "one"
    assert len(server.chats) == 3


def test_a_refusal_of_something_else_leaves_json_mode_on(server: FakeOpenAI) -> None:
    server.fails(400)
    writer = writer_at(server.base_url, json_mode=True)
    with pytest.raises(LanguageModelError):
        in_json(writer)
    assert writer.json_mode
    assert len(server.chats) == 1


@pytest.mark.parametrize("refused", [set(), {"response_format"}])
def test_an_answer_is_the_same_with_json_mode_and_without(server: FakeOpenAI, refused: set[str]) -> None:
    server.refused_parameters = refused
    server.quotes_sentences_with("said", "wrote")
    prompt = build_prompt(
        "?", [hit("All of it was said. Some was sung. The rest they wrote.")],
        sentences=sentences, budget_tokens=9**6, today=date.today(),
    )  # fmt: skip
    plain, wrapped = writer_at(server.base_url), writer_at(server.base_url, json_mode=True)
    expected = list(generate_claims(prompt, plain, Deadline.after(10)))
    assert len(expected) == 2
    for _ in range(2):
        assert list(generate_claims(prompt, wrapped, Deadline.after(10))) == expected
    said = [(request.json_mode, '"claims"' in request.prompt) for request in server.chats]
    lines, one_object, fallen_back = (False, False), (True, True), (False, True)
    assert said == ([lines, one_object, fallen_back, lines] if refused else [lines, one_object, one_object])


def test_in_json_mode_too_a_claim_arrives_while_the_server_is_still_writing(server: FakeOpenAI) -> None:
    claim = '{"claim": "A claim.", "quotes": [{"at": "1.1", "text": "All of it was said."}]}'
    server.replies(Reply('{"claims": [' + claim, ending="hang"))
    prompt = build_prompt(
        "?", [hit("All of it was said.")], sentences=sentences, budget_tokens=9**6, today=date.today()
    )
    claims = iter(generate_claims(prompt, writer_at(server.base_url, json_mode=True), Deadline.after(10)))
    assert next(claims).text == "A claim."
    claims.close()


# Giving up


def test_five_failures_leave_the_server_alone(server: FakeOpenAI) -> None:
    now = [0.0]
    writer = writer_at(server.base_url, breaker=Breaker(clock=lambda: now[0]))
    server.replies(*[Reply(status=500)] * 6, Reply("one"))
    assert [reason_of(writer) for _ in range(6)] == ["server_error"] * 6
    assert len(server.chats) == 5
    now[0] = 31
    assert reason_of(writer) == "server_error"
    now[0] = 61
    reason_of(writer)
    assert len(server.chats) == 6
    now[0] = 92
    assert written(writer) == "one"


@pytest.mark.parametrize("reply", [Reply(ending="hang_first"), Reply(status=503, headers={"Retry-After": "10"})])
def test_whoever_waits_for_a_silent_model_may_leave(server: FakeOpenAI, reply: Reply) -> None:
    server.replies(*[reply] * 6, Reply("one"))
    writer = writer_at(server.base_url)
    for _ in range(6):  # and the breaker holds nothing against the server
        deadline = Deadline.after(30)
        deltas = Cancellable(writer.stream("s", "u", deadline), deadline)
        outcome: list[BaseException] = []

        def read(deltas: Cancellable[str] = deltas, outcome: list[BaseException] = outcome) -> None:
            try:
                next(deltas)
            except BaseException as error:  # noqa: BLE001
                outcome.append(error)

        reader = threading.Thread(target=read)
        asked = len(server.chats)
        reader.start()
        while len(server.chats) == asked:
            time.sleep(0.01)
        start = time.monotonic()
        deltas.close()
        assert time.monotonic() - start < 0.2
        reader.join(1)
        assert isinstance(outcome[0], Cancelled)
        if reply.ending == "hang_first":
            assert server.chats[-1].disconnected.wait(1)
    assert written(writer) == "one"


def test_nothing_is_asked_for_whoever_has_left(server: FakeOpenAI) -> None:
    deadline = Deadline.after(5)
    part = deadline.within(60)
    assert part.remaining() <= 5
    assert deadline.within(1).remaining() <= 1
    deadline.cancel()
    deadline.cancel()
    with pytest.raises(Cancelled):
        next(writer_at(server.base_url).stream("s", "u", part))
    assert server.received == []


def test_a_listener_is_called_once_however_late_it_comes() -> None:
    deadline = Deadline.after(5)
    heard: list[str] = []
    with deadline.on_cancel(lambda: heard.append("gone before")):
        pass
    with deadline.on_cancel(lambda: heard.append("early")):
        deadline.cancel()
        deadline.cancel()
    with deadline.on_cancel(lambda: heard.append("late")):
        assert heard == ["early", "late"]


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


@pytest.mark.parametrize(
    ("models", "taken"),
    [
        (["text-embedding-nomic-embed-text-v1.5", "qwen2.5-7b-instruct"], "qwen2.5-7b-instruct"),
        (["bge-m3:latest", "BAAI/bge-reranker-v2-m3", "intfloat/e5-large", "llama3.2:3b"], "llama3.2:3b"),
        (["whisper-1", "tts-1-hd", "dall-e-3", "gpt-4o"], "gpt-4o"),
        (["mattsson/tts5-chat"], "mattsson/tts5-chat"),
        (["nomic-embed-text"], "nomic-embed-text"),
        (["gemma-e5b", "other"], "gemma-e5b"),
    ],
)
def test_the_first_model_that_can_chat_is_taken(server: FakeOpenAI, models: list[str], taken: str) -> None:
    server.models = models
    assert writer_at(server.base_url, model="").reach(Deadline.after(5)) == f"{taken} at {server.base_url}"


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
    with pytest.raises(LanguageModelError) as failure:
        written(writer_at(server.base_url))
    assert "unauthorized" in caplog.text
    assert failure.value.__cause__ is None
    for secret in (KEY, PROMPT):
        assert secret not in caplog.text
        assert secret not in str(failure.value)


def test_a_key_in_the_address_is_neither_logged_nor_told(server: FakeOpenAI, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers("one", DONE)
    writer = writer_at(server.base_url.replace("http://", f"http://me:{KEY}@"), api_key="")
    written(writer)
    assert writer.reach(Deadline.after(5)) == f"m at {server.base_url}"
    assert KEY not in caplog.text


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


def test_settings_decide_on_the_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    assert connect_llm(settings()) is None
    assert connect_llm(settings(openai_model="m")) is None
    keyed = connect_llm(settings(openai_api_key=SecretStr(KEY)))
    assert keyed is not None
    assert (keyed.api_base, keyed.model) == ("https://api.openai.com/v1", DEFAULT_MODEL)
    local = connect_llm(settings(openai_base_url="http://127.0.0.1:1/v1", openai_context_window=2048))
    assert local is not None
    assert (local.api_base, local.model, local.context_window) == ("http://127.0.0.1:1/v1", "", 2048)
    openai = connect_llm(settings(openai_base_url="https://api.openai.com/v1/", openai_api_key=SecretStr(KEY)))
    assert openai is not None
    assert openai.model == DEFAULT_MODEL
    named = connect_llm(settings(openai_base_url="http://127.0.0.1:1/v1", openai_model="m"))
    assert named is not None
    assert named.model == "m"


def test_connecting_imports_no_sdk() -> None:
    code = (
        "import sys; from rag.models.llm import connect_llm; from rag.settings import Settings;"
        "connect_llm(Settings(_env_file=None, openai_base_url='http://127.0.0.1:1/v1'));"
        "sys.exit(any(name in sys.modules for name in ('openai', 'llama_index')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_any_llm_of_llama_index_can_write() -> None:
    from llama_index.core.llms.mock import MockLLM

    writer = LlamaIndexModel(MockLLM(max_tokens=5))
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

    assert reason_of(LlamaIndexModel(Broken(max_tokens=5))) == "server_error"
    start = time.monotonic()
    assert reason_of(LlamaIndexModel(Slow(max_tokens=5)), seconds=0.5) == "timeout"
    assert time.monotonic() - start < 1.5


def test_what_is_held_to_a_deadline_is_cut_once_it_ends() -> None:
    cuts: list[str] = []

    def produce() -> Generator[int, None, None]:
        yield from (1, 2)
        raise httpx.ReadError("gone")

    items = iterate_until(Deadline.after(5), produce, lambda: cuts.append("cut"))
    assert [next(items), next(items)] == [1, 2]
    assert cuts == []
    with pytest.raises(httpx.ReadError):
        next(items)
    assert cuts == ["cut"]


def test_a_deadline_counts_down() -> None:
    assert 9 < Deadline.after(10).remaining() <= 10
    assert not Deadline.after(10).is_expired
    assert Deadline.after(-1).is_expired
    assert Deadline.after(-1).remaining() == 0
