"""A reader of the chat page without a browser: Gradio's own protocol over HTTP, as the page's script speaks it."""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

import httpx

_API = "/gradio_api"


class Reader:
    """One window of one reader: a cookie, a session, and what the server has drawn in it, by element id."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=300, trust_env=False)
        self._client.get("/").raise_for_status()
        self._session = secrets.token_hex(6)
        config = self._client.get("/config").json()
        self._names = {each["id"]: each["props"].get("elem_id") for each in config["components"]}
        self._events = config["dependencies"]
        self.drawn: dict[str, str] = {}
        self._now(self._event("arrive"), {"address": ""})
        self._then(self._event("arrive"))

    def ask(self, question: str) -> str:
        """What stands in the page for this question once it is answered, with what is suggested to go on with."""
        typed = self._event("submit")
        # The rest of what it is given is state, which stays on the server.
        self._queued(typed, [question if self._names[each] == "question" else None for each in typed["inputs"]])
        self._then(typed)
        return self.drawn["live"]

    @property
    def cookies(self) -> dict[str, str]:
        return dict(self._client.cookies)

    @property
    def conversation(self) -> str:
        """The id of the conversation that is open; empty before the first answer."""
        found = re.search(r'data-conversation="([^"]+)" aria-current', self.drawn.get("history", ""))
        return found.group(1) if found else ""

    def close(self) -> None:
        self._client.close()

    def _event(self, name: str) -> dict[str, Any]:
        return next(each for each in self._events if name in [target[1] for target in each["targets"]])

    def _then(self, event: dict[str, Any]) -> None:
        after = next(each for each in self._events if each.get("trigger_after") == event["id"])
        self._queued(after, [None] * len(after["inputs"]))

    def _now(self, event: dict[str, Any], said: dict[str, str]) -> None:
        body = {**self._body(event, [None] * len(event["inputs"])), "event_data": said}
        answer = self._client.post(f"{_API}/run/predict", json=body).raise_for_status()
        self._draw(event, answer.json()["data"])

    def _queued(self, event: dict[str, Any], data: list[Any]) -> None:
        self._client.post(f"{_API}/queue/join", json=self._body(event, data)).raise_for_status()
        with self._client.stream("GET", f"{_API}/queue/data", params={"session_hash": self._session}) as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if message.get("msg") in ("process_generating", "process_completed"):
                    # The first and the last message hold what is drawn; changes to it, as lists, come between them.
                    assert message["success"], message
                    self._draw(event, message["output"]["data"])
                if message.get("msg") == "close_stream":
                    return

    def _body(self, event: dict[str, Any], data: list[Any]) -> dict[str, Any]:
        return {
            "data": data,
            "fn_index": event["id"],
            "session_hash": self._session,
            "trigger_id": None,
            "event_data": None,
        }

    def _draw(self, event: dict[str, Any], data: list[Any]) -> None:
        for component, value in zip(event["outputs"], data, strict=False):
            if isinstance(value, str):
                self.drawn[self._names[component] or ""] = value


def words(markup: str) -> str:
    """The words of a piece of the page, without its markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", markup).split())
