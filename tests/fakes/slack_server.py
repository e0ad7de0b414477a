"""A fake Slack on a real socket: its Web API and the addresses that it gives out with commands and buttons.

    with FakeSlack() as slack:
        slack.plays("chat.postMessage", Fault(429, retry_after=1))
        ...                                      # let something post at slack.api_url
        assert slack.messages("C1") == [...]     # as they stand now, after every update
        assert slack.problems == []              # nothing that Slack would have refused

Each fault is played once, in order, at the next call of its method; `response_url` is a method of its own.
Messages are checked as Slack does, and refused with `invalid_blocks`. `signed` makes the headers that Slack sends.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.slack_limits import check_message, check_view

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TOKEN = "xoxb-fake"
BOT = "U0BOT"
SCOPES = (
    "app_mentions:read,assistant:write,channels:history,chat:write,commands,groups:history,im:history,mpim:history,"
    "users:read"
)
MOST_RESPONSES = 5
TRIGGER_S = 3.0

_READS = ("users.info", "conversations.replies")
_POSTS = ("chat.postMessage", "chat.postEphemeral", "chat.update")


@dataclass(frozen=True)
class Fault:
    """A reply that goes wrong: a status, or Slack's `error` with 200; `drop` hangs up without a word, after the
    request was carried out if `carried_out` says so; `redirect` sends elsewhere."""

    status: int = 200
    error: str = ""
    retry_after: int | None = None
    drop: bool = False
    carried_out: bool = False
    redirect: str = ""
    wait_s: float = 0.0


@dataclass(frozen=True)
class Call:
    """A request as it came in; `method` is `response_url` for a post to one."""

    method: str
    body: dict[str, Any]
    headers: dict[str, str]
    path: str
    at: float = field(default_factory=time.monotonic)


def signed(body: str | bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """The headers of a request of Slack's with this body."""
    raw = body.encode() if isinstance(body, str) else body
    timestamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + raw, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


class FakeSlack:
    """Listens on a free port of 127.0.0.1 between `__enter__` and `__exit__`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.problems: list[str] = []
        self.scopes = SCOPES
        self.admins = {"U0ADMIN"}
        self.streams = True  # whether chat.startStream is there
        self.socket_url = ""
        self.views: list[dict[str, Any]] = []  # the dialogs that were opened
        self.threads: dict[tuple[str, str], list[dict[str, Any]]] = {}  # what others said, by channel and thread
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._messages: dict[tuple[str, str], dict[str, Any]] = {}
        self._streaming: set[tuple[str, str]] = set()
        self._triggers: dict[str, float | None] = {}  # when it was given out; None once it was used
        self._uses: defaultdict[str, int] = defaultdict(int)
        self._clock = 1_700_000_000
        self._changed = threading.Condition()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, name="fake-slack", daemon=True
        )

    def __enter__(self) -> FakeSlack:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def api_url(self) -> str:
        return f"{self.origin}/api/"

    def response_url(self, name: str = "one") -> str:
        return f"{self.origin}/commands/T1/{name}"

    def triggers(self, name: str, seconds_ago: float = 0.0) -> str:
        """Give out a trigger_id, with which one dialog can be opened for three seconds."""
        self._triggers[name] = time.monotonic() - seconds_ago
        return name

    def plays(self, method: str, *faults: Fault) -> None:
        self._faults[method].extend(faults)

    def called(self, method: str) -> list[dict[str, Any]]:
        """The bodies sent to a method so far."""
        return [call.body for call in list(self.calls) if call.method == method]

    def responses(self) -> list[dict[str, Any]]:
        """What was posted to response_urls."""
        return self.called("response_url")

    def messages(self, channel: str) -> list[dict[str, Any]]:
        """What stands in a channel now, oldest first."""
        with self._changed:
            return [dict(message) for (where, _), message in sorted(self._messages.items()) if where == channel]

    def wait(self, until: Callable[[], Any], timeout_s: float = 10.0) -> Any:
        """What `until` says, as soon as that is true; fails after a while."""
        give_up = time.monotonic() + timeout_s
        with self._changed:
            while not (found := until()):
                left = give_up - time.monotonic()
                assert left > 0, f"nothing came; Slack was called with {[call.method for call in self.calls]}"
                self._changed.wait(min(left, 0.05))
            return found

    # Answering

    def answer(self, method: str, call: Call) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body; raises _Dropped to hang up."""
        with self._changed:
            self.calls.append(call)
            fault = self._faults[method].popleft() if self._faults[method] else None
            self._changed.notify_all()
        if fault is None:
            return self._carry_out(method, call)
        time.sleep(fault.wait_s)
        if fault.carried_out:
            self._carry_out(method, call)
        if fault.drop:
            raise _Dropped
        if fault.redirect:
            return 302, {"Location": fault.redirect}, "elsewhere"
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        if method == "response_url":
            return fault.status, headers, fault.error
        return fault.status, headers, {"ok": False, "error": fault.error or "internal_error"}

    def _carry_out(self, method: str, call: Call) -> tuple[int, dict[str, str], Any]:
        if method == "response_url":
            return self._respond(call)
        if call.headers.get("authorization") not in (f"Bearer {TOKEN}", "Bearer xapp-fake"):
            return 200, {}, {"ok": False, "error": "invalid_auth" if "authorization" in call.headers else "not_authed"}
        with self._changed:
            body = self._method(method, call.body)
            self._changed.notify_all()
        return 200, {"X-OAuth-Scopes": self.scopes}, body

    def _respond(self, call: Call) -> tuple[int, dict[str, str], Any]:
        self._uses[call.path] += 1
        if self._uses[call.path] > MOST_RESPONSES:
            return 404, {}, "used_url"
        problems = check_message(call.body)
        self.problems += problems
        return (400, {}, "invalid_blocks") if problems else (200, {}, "ok")

    def _method(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        if method in _POSTS:
            if problems := check_message(body):
                self.problems += problems
                return {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": problems}}
            for name in ("unfurl_links", "unfurl_media"):
                if body.get(name) is not False:
                    self.problems.append(f"{method} without {name} = false")
        known = getattr(self, f"_{method.replace('.', '_')}", None)
        answered: dict[str, Any] = known(body) if known else {"ok": False, "error": "unknown_method"}
        return answered

    def _auth_test(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "team": "Gulls", "team_id": "T1", "user": "dateline", "user_id": BOT, "bot_id": "B0BOT"}

    def _apps_connections_open(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "url": self.socket_url}

    def _users_info(self, body: dict[str, Any]) -> dict[str, Any]:
        if not body.get("user"):
            return {"ok": False, "error": "user_not_found"}
        return {"ok": True, "user": {"id": body["user"], "is_admin": body["user"] in self.admins}}

    def _chat_postMessage(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._put(body)

    def _chat_postEphemeral(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "message_ts": self._next()} if body.get("user") else {"ok": False, "error": "no_user"}

    def _chat_update(self, body: dict[str, Any]) -> dict[str, Any]:
        key = (body["channel"], body["ts"])
        if key not in self._messages:
            return {"ok": False, "error": "message_not_found"}
        if key in self._streaming:
            return {"ok": False, "error": "streaming_state_conflict"}
        self._messages[key] |= body
        return {"ok": True, "channel": key[0], "ts": key[1]}

    def _chat_delete(self, body: dict[str, Any]) -> dict[str, Any]:
        if (body["channel"], body["ts"]) in self._streaming:
            return {"ok": False, "error": "cant_delete_message"}
        gone = self._messages.pop((body["channel"], body["ts"]), None)
        return {"ok": True} if gone else {"ok": False, "error": "message_not_found"}

    def _chat_startStream(self, body: dict[str, Any]) -> dict[str, Any]:
        if not self.streams:
            return {"ok": False, "error": "unknown_method"}
        if not body.get("recipient_user_id") or not body.get("thread_ts"):
            return {"ok": False, "error": "missing_recipient_user_id"}
        begun = self._put({**body, "text": body.get("markdown_text", "")})
        self._streaming.add((body["channel"], begun["ts"]))
        return begun

    def _chat_appendStream(self, body: dict[str, Any]) -> dict[str, Any]:
        key = (body["channel"], body["ts"])
        if key not in self._streaming:
            return {"ok": False, "error": "message_not_in_streaming_state"}
        self._messages[key]["text"] += body["markdown_text"]
        return {"ok": True, "ts": key[1]}

    def _chat_stopStream(self, body: dict[str, Any]) -> dict[str, Any]:
        key = (body["channel"], body["ts"])
        if key not in self._streaming:
            return {"ok": False, "error": "message_not_in_streaming_state"}
        self._streaming.discard(key)
        return {"ok": True, "ts": key[1]}

    def _assistant_threads_setStatus(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True}

    def _assistant_threads_setSuggestedPrompts(self, body: dict[str, Any]) -> dict[str, Any]:
        most = all(set(prompt) == {"title", "message"} for prompt in body["prompts"])
        return {"ok": most and 1 <= len(body["prompts"]) <= 4}

    def _views_open(self, body: dict[str, Any]) -> dict[str, Any]:
        trigger = body.get("trigger_id")
        if problems := check_view(body.get("view")):
            self.problems += problems
            return {"ok": False, "error": "invalid_arguments", "response_metadata": {"messages": problems}}
        if trigger not in self._triggers:
            return {"ok": False, "error": "invalid_arguments"}
        given_out = self._triggers[trigger]
        if given_out is None:
            return {"ok": False, "error": "exchanged_trigger_id"}
        if time.monotonic() - given_out > TRIGGER_S:
            return {"ok": False, "error": "expired_trigger_id"}
        self._triggers[trigger] = None
        self.views.append(body["view"])
        return {"ok": True, "view": {**body["view"], "id": f"V{len(self.views)}"}}

    def _conversations_replies(self, body: dict[str, Any]) -> dict[str, Any]:
        own = [
            {**each, "user": BOT, "bot_id": "B0BOT"}
            for (where, _), each in self._messages.items()
            if where == body["channel"] and each.get("thread_ts") == body["ts"]
        ]
        replies = [*self.threads.get((body["channel"], body["ts"]), ()), *own]
        if not replies:
            return {"ok": False, "error": "thread_not_found"}
        first, last = float(body.get("oldest", 0)), float(body.get("latest", "inf"))
        found = [each for each in replies if first < float(each["ts"]) < last]
        begin, most = int(body.get("cursor") or 0), int(body.get("limit", 1_000))
        more = {"next_cursor": str(begin + most) if begin + most < len(found) else ""}
        return {"ok": True, "messages": found[begin : begin + most], "response_metadata": more}

    def _put(self, body: dict[str, Any]) -> dict[str, Any]:
        ts = self._next()
        self._messages[(body["channel"], ts)] = {**body, "ts": ts}
        return {"ok": True, "channel": body["channel"], "ts": ts, "message": {"ts": ts}}

    def _next(self) -> str:
        self._clock += 1
        return f"{self._clock}.000100"


class _Dropped(Exception):
    pass


def _handler(slack: FakeSlack) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            path = urlsplit(self.path).path
            is_json = self.headers.get("Content-Type", "").startswith("application/json")
            method = path.removeprefix("/api/") if path.startswith("/api/") else "response_url"
            body = json.loads(raw or "{}") if is_json else dict(parse_qsl(raw.decode()))
            if method in _READS:  # as Slack does, take no JSON
                body = dict(parse_qsl(urlsplit(self.path).query)) | ({} if is_json else body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                status, extra, answered = slack.answer(method, Call(method, body, headers, path))
            except _Dropped:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                os.close(self.connection.detach())
                self.close_connection = True
                return
            data = (answered if isinstance(answered, str) else json.dumps(answered)).encode()
            self.send_response(status)
            kind = "text/plain" if isinstance(answered, str) else "application/json"
            for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **extra}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST

    return Handler
