from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from rag.errors import EncoderError
from rag.models.remote_encoder import RemoteEncoder

KEY = "sk-test-0123456789-secret"

Reply = tuple[int, bytes]


class Endpoint:
    """An embeddings server on a real socket; `reply` answers a request's body, `requests` keeps them."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: list[str | None] = []
        self.reply: Callable[[dict[str, Any]], Reply] = vectors_of_lengths
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.requests.append(body)
                endpoint.paths.append(self.path)
                endpoint.keys.append(self.headers["Authorization"])
                status, data = endpoint.reply(body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                with contextlib.suppress(BrokenPipeError):  # the client gave up
                    self.end_headers()
                    self.wfile.write(data)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"


def vectors_of_lengths(body: dict[str, Any]) -> Reply:
    """For a text of n characters the direction (n, 1, 0), in reversed order, at length five."""
    rows = [{"index": place, "embedding": direction(text, 5)} for place, text in enumerate(body["input"])]
    return 200, json.dumps({"object": "list", "model": body["model"], "data": rows[::-1]}).encode()


def direction(text: str, length: float = 1) -> list[float]:
    vector = np.array([len(text), 1, 0])
    scaled: list[float] = (vector / np.linalg.norm(vector) * length).tolist()
    return scaled


def data(*rows: dict[str, Any]) -> Reply:
    return 200, json.dumps({"object": "list", "data": rows}).encode()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    thread = threading.Thread(target=endpoint.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield endpoint
    endpoint.server.shutdown()
    thread.join()
    endpoint.server.server_close()


def connect(url: str, timeout_s: float = 5, retries: int = 0) -> RemoteEncoder:
    return RemoteEncoder("some-model", api_key=KEY, base_url=url, timeout_s=timeout_s, retries=retries)


def test_vectors_are_normalised_and_in_the_order_of_the_texts(endpoint: Endpoint) -> None:
    texts = ["ferry", "a longer text", "x"]
    vectors = connect(endpoint.url).encode(texts)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [direction(text) for text in texts], atol=1e-6)


def test_what_is_sent(endpoint: Endpoint) -> None:
    encoder = connect(endpoint.url)
    encoder.encode(["ferry"])
    assert endpoint.requests == [{"model": "some-model", "input": ["ferry"], "encoding_format": "float"}]
    assert endpoint.paths == ["/v1/embeddings"]
    assert endpoint.keys == [f"Bearer {KEY}"]
    assert encoder.name == "openai-some-model"


def test_many_texts_go_in_batches(endpoint: Endpoint) -> None:
    texts = ["x" * number for number in range(1, 301)]
    vectors = connect(endpoint.url).encode(texts)
    assert [len(request["input"]) for request in endpoint.requests] == [128, 128, 44]
    np.testing.assert_allclose(vectors, [direction(text) for text in texts], atol=1e-6)


def test_texts_a_server_would_refuse_are_made_fit(endpoint: Endpoint) -> None:
    connect(endpoint.url).encode(["", "caf\udce9", "x" * 50_000])
    empty, undecodable, long = endpoint.requests[0]["input"]
    assert (empty, undecodable, len(long)) == (" ", "caf?", 8000)


def test_dimension_is_asked_for_once_and_not_at_construction(endpoint: Endpoint) -> None:
    encoder = connect(endpoint.url)
    assert not endpoint.requests
    assert encoder.encode([]).shape == (0, 3)
    assert encoder.dimension == 3
    assert len(endpoint.requests) == 1


def test_the_environment_does_not_redirect_texts(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
    encoder = RemoteEncoder("some-model", api_key=KEY, base_url=None)
    assert str(encoder._client.base_url) == "https://api.openai.com/v1/"


def test_a_server_without_a_key_is_enough(endpoint: Endpoint) -> None:
    RemoteEncoder("some-model", api_key=None, base_url=endpoint.url).encode(["x"])
    assert len(endpoint.requests) == 1
    with pytest.raises(EncoderError, match="OPENAI_API_KEY or OPENAI_BASE_URL"):
        RemoteEncoder("some-model", api_key=None, base_url=None)


def test_a_busy_server_is_asked_again(endpoint: Endpoint) -> None:
    endpoint.reply = lambda body: (503, b"{}") if len(endpoint.requests) == 1 else vectors_of_lengths(body)
    assert connect(endpoint.url, retries=1).encode(["x"]).shape == (1, 3)
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(401, "OPENAI_API_KEY"), (404, "OPENAI_EMBEDDING_MODEL"), (429, "limits"), (500, "later"), (400, "later")],
)
def test_a_refusal_is_one_line_without_the_key(endpoint: Endpoint, status: int, remedy: str) -> None:
    echo = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}).encode()
    endpoint.reply = lambda body: (status, echo)
    with pytest.raises(EncoderError) as caught:
        connect(endpoint.url).encode(["x"])
    line = str(caught.value)
    assert f"127.0.0.1 answered {status}" in line
    assert remedy in line
    assert "\n" not in line
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "reply",
    [
        (200, b"<html>a proxy's page</html>"),
        (200, b"[]"),
        (200, b'{"data": null}'),
        (200, b'{"data": []}'),
        data({"index": 0, "embedding": [1, 0]}),
        data({"index": 0, "embedding": [1, 0]}, {"index": 0, "embedding": [0, 1]}),
        data({"index": 0, "embedding": [1, 0]}, {"index": 1, "embedding": [0, 1, 2]}),
        data({"index": 0, "embedding": [1, 0]}, {"index": 1, "embedding": ["a", "b"]}),
        data({"index": 0, "embedding": [1, 0]}, {"index": 1, "embedding": [float("nan"), 1]}),
        data({"index": 0, "embedding": []}, {"index": 1, "embedding": []}),
        data({"index": 0}, {"index": 1}),
        data({"index": 0, "embedding": 1}, {"index": 1, "embedding": 2}),
    ],
)
def test_nonsense_is_an_error(endpoint: Endpoint, reply: Reply) -> None:
    endpoint.reply = lambda body: reply
    with pytest.raises(EncoderError, match="did not answer with one vector per text"):
        connect(endpoint.url).encode(["x", "y"])


def test_a_dimension_that_changes_is_an_error(endpoint: Endpoint) -> None:
    encoder = connect(endpoint.url)
    encoder.encode(["x"])
    endpoint.reply = lambda body: data({"index": 0, "embedding": [1, 0, 0, 0]})
    with pytest.raises(EncoderError, match="did not answer with one vector per text"):
        encoder.encode(["x"])


def test_a_slow_server_is_given_up_on(endpoint: Endpoint) -> None:
    def late(body: dict[str, Any]) -> Reply:
        time.sleep(0.5)
        return vectors_of_lengths(body)

    endpoint.reply = late
    with pytest.raises(EncoderError, match="did not answer in time"):
        connect(endpoint.url, timeout_s=0.1).encode(["x"])


def test_an_address_that_leads_nowhere_is_one_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(EncoderError, match=r"127\.0\.0\.1 cannot be reached: check OPENAI_BASE_URL"):
            connect(f"http://127.0.0.1:{taken.getsockname()[1]}/v1").encode(["x"])


@pytest.mark.parametrize(
    "address",
    ["http://[half/v1", "localhost/v1", "localhost:8080/v1", "ftp://host/v1", "http:///v1", "http://host:99999/v1"],
)
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(EncoderError, match="OPENAI_BASE_URL is not an address"):
        connect(address)


@pytest.mark.parametrize("key", ["sk-naïve-0123456789", "sk-line\n-0123456789"])
def test_a_key_that_cannot_be_sent_is_not_shown(endpoint: Endpoint, key: str) -> None:
    encoder = RemoteEncoder("some-model", api_key=key, base_url=endpoint.url, retries=0)
    with pytest.raises(EncoderError, match="OPENAI_API_KEY") as caught:
        encoder.encode(["x"])
    assert "0123456789" not in "".join(traceback.format_exception(caught.value))
