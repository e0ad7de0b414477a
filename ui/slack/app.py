"""The Slack app: which payload goes where. Bolt lives here."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt import App, BoltRequest
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_bolt.authorization import AuthorizeResult

from ui.slack.client import SlackClient
from ui.slack.dialog import CALLBACK, PUBLISHERS
from ui.slack.events import OPENED

__all__ = ["Handlers", "SlackApp", "SocketMode"]

# Bolt warns of tokens in the environment, which it is not given.
_QUIET = logging.getLogger("rag.slack.bolt")
_QUIET.setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Handlers:
    """What becomes of a payload. None of them may wait for anything: Slack is told when they are through."""

    event: Callable[[Mapping[str, Any]], None]
    opened: Callable[[Mapping[str, Any]], None]
    press: Callable[[Mapping[str, Any]], None]
    command: Callable[[Mapping[str, str]], dict[str, Any]]
    submit: Callable[[Mapping[str, Any]], dict[str, Any]]
    suggest: Callable[[Mapping[str, Any]], list[dict[str, Any]]]


class SlackApp:
    """Takes payloads that are known to come from Slack. Without a token it hears buttons and commands only."""

    def __init__(self, handlers: Handlers, client: SlackClient | None, actions: tuple[str, ...]) -> None:
        self._client = client
        self._bolt = App(
            authorize=_authorized,
            process_before_response=True,  # what listens only puts into a queue
            request_verification_enabled=False,  # done on the raw body before it gets here
            logger=_QUIET,
        )
        if client:
            self._bolt.event("app_mention")(_plain(handlers.event))
            self._bolt.event("message")(_plain(handlers.event))
            for opened in OPENED:
                self._bolt.event(opened)(_plain(handlers.opened))
        for action in actions:
            self._bolt.action(action)(_acknowledged(handlers.press))
        self._bolt.command(re.compile(".*"))(_answered(handlers.command))
        self._bolt.view(CALLBACK)(_closed(handlers.submit))
        self._bolt.options(PUBLISHERS)(_suggested(handlers.suggest))
        # Events without a listener are no mistake of Slack's: it must not send them again.
        self._bolt.event(re.compile(".*"))(_plain(lambda body: None))

    def dispatch(self, body: str, headers: Mapping[str, str]) -> tuple[int, str, str | None]:
        """Status, body and content type of the answer to one request. Never waits."""
        given = {name: [value] for name, value in headers.items()}
        answered = self._bolt.dispatch(BoltRequest(body=body, headers=dict(given)))
        kinds = answered.headers.get("content-type")
        return answered.status, answered.body, kinds[0] if kinds else None

    def socket_mode(self, token: str) -> SocketMode:
        return SocketMode(self._bolt, self._client, token)


class SocketMode:
    """A connection from here to Slack, for a server that Slack cannot reach."""

    def __init__(self, bolt: App, client: SlackClient | None, token: str) -> None:
        web = client.web if client else None
        self._handler = SocketModeHandler(bolt, token, web_client=web, proxy=web.proxy if web else None)

    def connect(self) -> None:
        """Raises what the SDK raises; once it is connected, it connects again by itself."""
        self._handler.connect()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        self._handler.close()  # type: ignore[no-untyped-call]


def _authorized(enterprise_id: str | None, team_id: str | None, user_id: str | None) -> AuthorizeResult:
    """Bolt would ask Slack who it is before the first event; nothing here needs to know."""
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, user_id=user_id)


def _plain(handle: Callable[[Mapping[str, Any]], None]) -> Callable[..., None]:
    def listener(body: dict[str, Any]) -> None:
        handle(body)

    return listener


def _acknowledged(handle: Callable[[Mapping[str, Any]], None]) -> Callable[..., None]:
    def listener(ack: Callable[..., Any], body: dict[str, Any]) -> None:
        handle(body)
        ack()

    return listener


def _answered(handle: Callable[[Mapping[str, str]], dict[str, Any]]) -> Callable[..., None]:
    def listener(ack: Callable[..., Any], body: dict[str, Any]) -> None:
        ack(handle({name: str(value) for name, value in body.items()}))

    return listener


def _closed(handle: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Callable[..., None]:
    """A dialog closes at an empty body, and stays at one that says what is wrong."""

    def listener(ack: Callable[..., Any], body: dict[str, Any]) -> None:
        wrong = handle(body)
        if wrong:
            ack(wrong)
        else:
            ack()

    return listener


def _suggested(handle: Callable[[Mapping[str, Any]], list[dict[str, Any]]]) -> Callable[..., None]:
    def listener(ack: Callable[..., Any], body: dict[str, Any]) -> None:
        ack(options=handle(body))

    return listener
