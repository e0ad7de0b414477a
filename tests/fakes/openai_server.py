"""A fake OpenAI-compatible server on a real socket: scripted answers, scripted faults, a history.

    with FakeOpenAI() as server:
        server.answers('{"claim": "...", "quotes": [...]}', '{"done": true}')
        ...                               # ask something at server.base_url
        assert server.received[-1].headers["authorization"] == "Bearer key"

Every scripted reply is used once, in order; after the last one the server answers from the prompt
itself if `quotes_sentences_with` was called, and with status 500 if not. Asked for JSON mode, it puts
what it quotes into one object, and refuses where the prompt does not speak of JSON, as OpenAI does.

By hand: `python -m tests.fakes.openai_server --port 9999 --quote cease-fire`, then
`OPENAI_BASE_URL=http://127.0.0.1:9999/v1 rag ask ...`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from zlib import crc32

DONE = '{"done": true}'
NO_EVIDENCE = '{"no_evidence": true}'
EMBEDDING_SIZE = 64

_NUMBERED = re.compile(r"^(\d+\.\d+) (.+)$", re.MULTILINE)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Reply:
    """One scripted reply to a chat request.

    `ending` says how the reply ends: `whole` as the protocol wants it, `silent` without `[DONE]` or a
    finish reason, `hang` with an open connection and nothing more, `drop` with a chunk cut in half, `reset`
    likewise but with the connection reset, and `hang_first` and `reset_first` without so much as a status line.
    """

    content: str = ""
    status: int = 200
    error: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    finish_reason: str = "stop"
    ending: Literal["whole", "silent", "hang", "drop", "reset", "hang_first", "reset_first"] = "whole"
    piece: int = 7  # characters a delta
    pause: float = 0.0  # seconds after a delta
    byte_pause: float = 0.0  # seconds after a byte
    raw: bytes | None = None  # sent as the body instead of everything above


def event(delta: dict[str, Any] | None = None, finish_reason: str | None = None, **fields: Any) -> bytes:
    """One event of a stream; without a delta it has no choices. Joined, events make a Reply's `raw`."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    chunk = {"id": "fake", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": choices, **fields}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def error_event(error: Any) -> bytes:
    """An error that comes after the stream has begun with 200."""
    return f"data: {json.dumps({'error': error})}\n\n".encode()


@dataclass
class Received:
    """A request as it came in; `disconnected` is set when the client went before the reply was whole."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    disconnected: threading.Event = field(default_factory=threading.Event)
    answered: threading.Event = field(default_factory=threading.Event)

    @property
    def prompt(self) -> str:
        return "\n".join(str(message["content"]) for message in self.body.get("messages", []))

    @property
    def json_mode(self) -> bool:
        return bool(self.body.get("response_format") == {"type": "json_object"})


class FakeOpenAI:
    """Listens on a free port of 127.0.0.1 (or on `port`) between `__enter__` and `__exit__`.

    With `certificate`, a PEM file with a key and its certificate, it speaks TLS.
    """

    def __init__(
        self, *, models: Sequence[str] = ("fake-model",), port: int = 0, certificate: Path | None = None
    ) -> None:
        self.models = list(models)
        self.models_status = 200
        # Of `max_tokens` and `temperature`, as OpenAI's newer models do, and `response_format`, as others do.
        self.refused_parameters: set[str] = set()
        self.received: list[Received] = []
        self.closing = threading.Event()
        self._script: deque[Reply] = deque()
        self._from_prompt: Callable[[str, bool], Reply] | None = None
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._http.daemon_threads = True
        self._scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
            self._scheme = "https"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, name="fake-openai", daemon=True
        )

    def __enter__(self) -> FakeOpenAI:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    @property
    def base_url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}/v1"

    @property
    def chats(self) -> list[Received]:
        """The chat requests among what was received."""
        return [request for request in self.received if request.path.endswith("/chat/completions")]

    def replies(self, *replies: Reply) -> None:
        self._script.extend(replies)

    def answers(self, *lines: str, **options: Any) -> None:
        """The next answer: these lines, each ended by a line end. Options are fields of Reply."""
        self.replies(Reply(content="".join(line + "\n" for line in lines), **options))

    def fails(self, status: int, *, code: str | None = None, message: str = "no", **headers: str) -> None:
        error = {"message": message, "type": "error", "param": None, "code": code}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.replies(Reply(status=status, error=error, headers=named))

    def quotes_sentences_with(self, *words: str, limit: int = 8, pause: float = 0.0) -> None:
        """From now on, quote the prompt's numbered sentences that contain any of the words."""
        self._from_prompt = lambda prompt, wrapped: Reply(_quoting(prompt, words, limit, wrapped), pause=pause)

    def next_reply(self, request: Received) -> Reply:
        if self._script:
            return self._script.popleft()
        if self._from_prompt:
            return self._from_prompt(request.prompt, request.json_mode)
        return Reply(status=500, error={"message": "nothing scripted", "code": None})


def _quoting(prompt: str, words: Sequence[str], limit: int, wrapped: bool) -> str:
    wanted = [word.casefold() for word in words]
    found = [
        (number, sentence)
        for number, sentence in _NUMBERED.findall(prompt)
        if any(word in sentence.casefold() for word in wanted)
    ]
    lines = [
        json.dumps({"claim": sentence, "quotes": [{"at": number, "text": sentence}]}, ensure_ascii=False)
        for number, sentence in found[:limit]
    ]
    if wrapped:
        return f'{{"claims": [{", ".join(lines)}], "end": "{"done" if lines else "no_evidence"}"}}'
    return "\n".join([*lines, DONE if lines else NO_EVIDENCE]) + "\n"


def _refusal(parameter: str) -> dict[str, Any]:
    """OpenAI's own words."""
    if parameter == "max_tokens":
        said, code = "is not supported with this model. Use 'max_completion_tokens' instead.", "unsupported_parameter"
        message = f"Unsupported parameter: 'max_tokens' {said}"
    elif parameter == "response_format":
        message = "Invalid parameter: 'response_format' of type 'json_object' is not supported with this model."
        code = None
    else:
        said, code = (
            "does not support 0.0 with this model. Only the default (1) value is supported.",
            "unsupported_value",
        )
        message = f"Unsupported value: '{parameter}' {said}"
    return {"message": message, "type": "invalid_request_error", "param": parameter, "code": code}


def embedding(text: str) -> list[float]:
    """A vector by which texts that share words are near each other."""
    vector = [0.0] * EMBEDDING_SIZE
    for word in _WORD.findall(text.casefold()):
        vector[crc32(word.encode()) % EMBEDDING_SIZE] += 1.0
    length = sum(value * value for value in vector) ** 0.5 or 1.0
    return [value / length for value in vector]


class _ClientGone(Exception):
    pass


def _handler(server: FakeOpenAI) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            self._take({}, self._models)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
            routes = {"/v1/chat/completions": self._chat, "/v1/embeddings": self._embeddings}
            self._take(body, routes.get(self.path, self._unknown))

        def _take(self, body: dict[str, Any], route: Callable[[Received], None]) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Received(self.command, self.path, headers, body)
            server.received.append(request)
            try:
                route(request)
                request.answered.set()
            except (_ClientGone, ConnectionError):
                request.disconnected.set()
                self.close_connection = True

        def _unknown(self, request: Received) -> None:
            self._json(404, {"error": {"message": "unknown path", "code": None}})

        def _models(self, request: Received) -> None:
            if self.path != "/v1/models":
                self._unknown(request)
            elif server.models_status != 200:
                self._json(server.models_status, {"error": {"message": "no", "code": None}})
            else:
                data = [{"id": name, "object": "model", "created": 0, "owned_by": "fake"} for name in server.models]
                self._json(200, {"object": "list", "data": data})

        def _embeddings(self, request: Received) -> None:
            given = request.body.get("input", "")
            texts = [given] if isinstance(given, str) else given
            data = [
                {"object": "embedding", "index": index, "embedding": embedding(text)}
                for index, text in enumerate(texts)
            ]
            usage = {"prompt_tokens": 0, "total_tokens": 0}
            self._json(200, {"object": "list", "data": data, "model": request.body.get("model"), "usage": usage})

        def _chat(self, request: Received) -> None:
            refused = sorted(server.refused_parameters & request.body.keys())
            if refused:
                self._json(400, {"error": _refusal(refused[0])})
                return
            if request.json_mode and "json" not in request.prompt.casefold():
                said = "'messages' must contain the word 'json' to use 'response_format' of type 'json_object'."
                self._json(400, {"error": {"message": said, "param": "messages", "code": None}})
                return
            reply = server.next_reply(request)
            if reply.ending == "hang_first":
                self._wait(float("inf"))
            elif reply.ending == "reset_first":
                self._reset()
            elif reply.raw is not None:
                self._send(reply, "text/event-stream", [reply.raw])
            elif reply.status != 200:
                self._json(reply.status, {"error": reply.error}, reply.headers)
            elif request.body.get("stream"):
                self._send(reply, "text/event-stream", _events(reply, str(request.body.get("model"))))
            else:
                self._json(200, _completion(reply, str(request.body.get("model"))), reply.headers)

        def _json(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _send(self, reply: Reply, kind: str, parts: Sequence[bytes] | Iterator[bytes]) -> None:
            self.send_response(reply.status)
            self.send_header("Content-Type", kind)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in parts:
                self._write(b"%x\r\n%s\r\n" % (len(part), part), reply.byte_pause)
                self._wait(reply.pause)
            if reply.ending == "hang":
                self._wait(float("inf"))
            elif reply.ending in ("drop", "reset"):
                self._write(b"ff\r\ndata: {", 0)
                self.close_connection = True
                if reply.ending == "reset":
                    time.sleep(0.05)  # what was sent is thrown away with the reset unless it was read before
                    self._reset()
            else:
                self._write(b"0\r\n\r\n", reply.byte_pause)

        def _reset(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # Shut by its file descriptor: the server's own way to end a connection is polite.
            os.close(self.connection.detach())
            self.close_connection = True
            raise _ClientGone

        def _write(self, data: bytes, byte_pause: float) -> None:
            if not byte_pause:
                self.wfile.write(data)
                return
            for byte in data:
                self.wfile.write(bytes([byte]))
                self._wait(byte_pause)

        def _wait(self, seconds: float) -> None:
            """Raises _ClientGone as soon as the client has hung up, or the server is closing."""
            until = time.monotonic() + seconds
            while (left := until - time.monotonic()) > 0:
                if server.closing.wait(min(left, 0.02)) or self._hung_up():
                    raise _ClientGone

        def _hung_up(self) -> bool:
            try:
                waiting: bytes = self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            return not waiting

    return Handler


def _events(reply: Reply, model: str) -> Iterator[bytes]:
    yield event({"role": "assistant", "content": ""}, model=model)
    for start in range(0, len(reply.content), reply.piece):
        yield event({"content": reply.content[start : start + reply.piece]}, model=model)
    if reply.ending == "whole":
        yield event({}, reply.finish_reason, model=model)
        yield b"data: [DONE]\n\n"


def _completion(reply: Reply, model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.content}
    choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return {
        "id": "fake",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [choice],
        "usage": usage,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="A fake OpenAI-compatible server for trying things by hand.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--quote", nargs="+", default=[""], metavar="WORD", help="quote sentences with these words")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds after each piece of text")
    options = parser.parse_args(arguments)
    with FakeOpenAI(port=options.port) as server:
        server.quotes_sentences_with(*options.quote, pause=options.pause)
        sys.stdout.write(f"OPENAI_BASE_URL={server.base_url}\n")
        sys.stdout.flush()
        try:
            server.closing.wait()
        except KeyboardInterrupt:
            sys.stdout.write("\n")


if __name__ == "__main__":
    main()
