"""Slack's payloads, and the face on a server of its own with an engine that does what the question says."""

from __future__ import annotations

import json
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import httpx
import uvicorn

from rag.errors import LibraryError
from rag.http.app import create_app
from rag.records import Done, Event, Question
from rag.settings import Settings
from rag.storage.channels import Channels
from rag.storage.database import Database
from rag.storage.deliveries import Deliveries
from tests.fakes.slack_limits import check_options
from tests.fakes.slack_server import BOT, SECRET, TOKEN, FakeSlack, signed
from tests.ui.conftest import ScriptedEngine
from ui.slack.face import Limits, SlackBot, connect_slack
from ui.slack.routes import slack_routes

FORM = "application/x-www-form-urlencoded"


class SlackEngine(ScriptedEngine):
    """Answers once it is `free`, unless it is `closed` by then."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.database = Database(folder / "library.sqlite3")
        self.deliveries = Deliveries(self.database)
        self.channels = Channels(self.database)
        self.free = threading.Event()
        self.free.set()
        self.written = False
        self.empty = False
        self.closed = False
        self.names: list[str] | None = ["The Gull", "Harbour <b>News</b>"]

    def count(self) -> int:
        return 0 if self.empty else 1

    def publishers(self, limit: int = 100) -> list[str]:
        if self.names is None:
            raise LibraryError("the library cannot be used", "try again")
        return self.names[:limit]

    def answer(self, question: Question) -> Iterator[Event]:
        self.free.wait(30)
        if self.closed:
            raise LibraryError("the library is being closed", "try again when the server is back")
        for event in super().answer(question):
            if isinstance(event, Done) and self.written:
                yield Done(replace(event.answer, mode="written", degraded=None, model="a model"))
            else:
                yield event


@dataclass
class Served:
    """The face on a real server, and the Slack that it talks to."""

    url: str
    slack: FakeSlack
    engine: SlackEngine
    face: SlackBot
    client: httpx.Client

    def command(self, text: str, *, trigger: str = "t1", **form: str) -> httpx.Response:
        return self.post("/slack/command", self.form(text, trigger, **form), FORM)

    def form(self, text: str, trigger: str = "t1", **form: str) -> str:
        """The body of a slash command."""
        given = {
            "token": "gone",
            "team_id": "T1",
            "channel_id": "C1",
            "user_id": "U1",
            "command": "/dateline",
            "text": text,
            "response_url": self.slack.response_url(trigger),
            "trigger_id": self.slack.triggers(trigger),
            **form,
        }
        return urlencode(given)

    def event(
        self, event: dict[str, Any], event_id: str = "Ev1", *, shared: bool = False, **headers: str
    ) -> httpx.Response:
        body = {**callback(event, event_id), "is_ext_shared_channel": shared}
        return self.post("/slack/events", json.dumps(body), "application/json", **headers)

    def press(self, action: str, value: str, **payload: Any) -> httpx.Response:
        pressed = {
            "type": "block_actions",
            "team": {"id": "T1"},
            "user": {"id": "U1", "team_id": "T1"},
            "channel": {"id": "C1"},
            "response_url": self.slack.response_url("button"),
            "trigger_id": "t9",
            "actions": [{"type": "button", "action_id": action, "block_id": "b", "value": value, "action_ts": "1.0"}],
            **payload,
        }
        form = urlencode({"payload": json.dumps(pressed)})
        return self.post("/slack/events", form, FORM)

    def settings_dialog(self, user: str = "U0ADMIN", **form: str) -> dict[str, Any]:
        """The dialog that `/dateline settings` opens for an admin."""
        before = len(self.slack.views)
        self.command("settings", trigger=f"dialog{before}", user_id=user, **form)
        self.slack.wait(lambda: len(self.slack.views) > before)
        return self.slack.views[-1]

    def submit(self, view: dict[str, Any], user: str = "U0ADMIN", **chosen: Any) -> dict[str, Any]:
        """Save a dialog with what was chosen in it by block; what it is answered, empty if it closes."""
        said = self._interact({"type": "view_submission", "view": filled(view, **chosen)}, user)
        return dict(said.json()) if said.content else {}

    def suggest(self, typed: str, user: str = "U0ADMIN") -> list[dict[str, Any]]:
        """The options that the menu of publishers shows for what is typed into it."""
        about = {"type": "block_suggestion", "action_id": "publishers", "block_id": "publishers", "value": typed}
        options = self._interact(about, user).json()["options"]
        assert check_options(options) == []
        return list(options)

    def _interact(self, payload: dict[str, Any], user: str) -> httpx.Response:
        whole = {"team": {"id": "T1"}, "user": {"id": user, "team_id": "T1"}, "api_app_id": "A1", **payload}
        answered = self.post("/slack/events", urlencode({"payload": json.dumps(whole)}), FORM)
        assert answered.status_code == 200, answered.text
        return answered

    def post(self, path: str, body: str, kind: str, **headers: str) -> httpx.Response:
        return self.client.post(
            self.url + path, content=body, headers={"Content-Type": kind, **signed(body), **headers}
        )


@contextmanager
def served(slack: FakeSlack, folder: Path, limits: Limits | None = None, **settings: Any) -> Iterator[Served]:
    """Settings beside those that Slack needs; `slack_bot_token=None` leaves the slash command alone."""
    chosen = {
        "rag_home": folder,
        "slack_signing_secret": SECRET,
        "slack_bot_token": TOKEN,
        "slack_api_url": slack.api_url,
        **settings,
    }
    engine = SlackEngine(folder)
    face = connect_slack(engine, Settings(**chosen), limits or Limits(first_wait_s=0.05))
    assert face is not None
    app = create_app(engine, Settings(**chosen), slack_routes(face, chosen["slack_signing_secret"]))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        face.start()
        try:
            with httpx.Client(trust_env=False, timeout=20) as client:
                yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", slack, engine, face, client)
        finally:
            engine.free.set()
            face.close()
            server.should_exit = True
            thread.join()


def filled(view: dict[str, Any], **chosen: Any) -> dict[str, Any]:
    """The dialog as Slack sends it back: with its initial values but for what was chosen, by block. Of what can be
    chosen several times it is a list of options or of their values, else a value or a day."""
    values = {}
    for block in view["blocks"]:
        name, element = block["block_id"], block["element"]
        state = {"type": element["type"]}
        match element["type"]:
            case "datepicker":
                state["selected_date"] = chosen.get(name, element.get("initial_date"))
            case "radio_buttons":
                wanted = chosen.get(name, element["initial_option"]["value"])
                state["selected_option"] = next(each for each in element["options"] if each["value"] == wanted)
            case "checkboxes":
                state["selected_options"] = [
                    each for each in element["options"] if each["value"] in chosen.get(name, ())
                ]
            case _:
                state["selected_options"] = chosen.get(name, element.get("initial_options", []))
        values[name] = {element["action_id"]: state}
    return {**view, "id": "V1", "state": {"values": values}}


def callback(event: dict[str, Any], event_id: str = "Ev1") -> dict[str, Any]:
    """An event as Slack wraps it."""
    return {
        "token": "gone",
        "team_id": "T1",
        "api_app_id": "A1",
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": 1_700_000_000,
        "authorizations": [{"enterprise_id": None, "team_id": "T1", "user_id": BOT, "is_bot": True}],
        "is_ext_shared_channel": False,
    }


def mention(text: str, ts: str = "100.1", **more: Any) -> dict[str, Any]:
    return {
        "type": "app_mention",
        "user": "U1",
        "text": f"<@{BOT}> {text}",
        "ts": ts,
        "channel": "C1",
        "event_ts": ts,
        **more,
    }


def said(text: str, ts: str = "100.2", **more: Any) -> dict[str, Any]:
    """A message; in a thread with thread_ts, to the app alone with channel_type="im"."""
    return {
        "type": "message",
        "user": "U1",
        "text": text,
        "ts": ts,
        "channel": "C1",
        "channel_type": "channel",
        "event_ts": ts,
        **more,
    }


def words_of(message: dict[str, Any]) -> str:
    """All that a reader sees of a message's blocks."""
    return " ".join(_texts(message.get("blocks") or message.get("text")))


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, list):
        for each in part:
            yield from _texts(each)
    elif isinstance(part, dict):
        for name in ("text", "elements"):
            yield from _texts(part.get(name, []))


def buttons_of(message: dict[str, Any]) -> dict[str, str]:
    """The values of the buttons by their action ids."""
    return {
        element["action_id"]: element.get("value", "")
        for block in message.get("blocks", ())
        if block["type"] == "actions"
        for element in block["elements"]
    }


def slowest_of_the_best(url: str, path: str, bodies: Callable[[int], list[tuple[str, str]]]) -> float:
    """Seconds that the slowest acknowledgement took in the best of some attempts: the machine may have other work."""
    slowest = []
    for attempt in range(6):
        slowest.append(max(acknowledged_in(url, path, bodies(attempt))))
        if slowest[-1] < 0.2:
            break
        time.sleep(0.5)
    return min(slowest)


def acknowledged_in(url: str, path: str, bodies: list[tuple[str, str]]) -> list[float]:
    """Seconds until each of these (body, content type) was acknowledged with 200, all sent at once.

    On plain sockets, because the client shares this process with the server and would be what is measured.
    """
    host, port = url.removeprefix("http://").split(":")
    waiting = selectors.DefaultSelector()
    begun: dict[socket.socket, float] = {}
    for body, kind in bodies:
        lines = {"Host": host, "Content-Type": kind, "Content-Length": str(len(body)), **signed(body)}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        connection = socket.create_connection((host, int(port)))
        waiting.register(connection, selectors.EVENT_READ, f"POST {path} HTTP/1.1\r\n{head}\r\n{body}".encode())
    for key in list(waiting.get_map().values()):
        connection = cast(socket.socket, key.fileobj)
        begun[connection] = time.monotonic()
        connection.sendall(key.data)
    took = []
    while begun:
        ready = waiting.select(10)
        assert ready, "no acknowledgement came"
        for key, _ in ready:
            connection = cast(socket.socket, key.fileobj)
            took.append(time.monotonic() - begun.pop(connection))
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
            waiting.unregister(connection)
            connection.close()
    return took
