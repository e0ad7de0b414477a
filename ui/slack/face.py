"""Slack as a face of the engine: its parts put together, started and stopped with the server."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from rag.errors import RagError
from rag.settings import Settings
from rag.storage.deliveries import Delivery
from ui.chat.conversations import ConversationService
from ui.slack.app import Handlers, SlackApp, SocketMode
from ui.slack.archive import Archive, Engine
from ui.slack.asking import PATIENCE_S, RESTARTED, Asking
from ui.slack.blocks import problem_message
from ui.slack.buttons import ACTIONS, Buttons
from ui.slack.channel_settings import ChannelCommands, Publishers
from ui.slack.client import SlackClient
from ui.slack.commands import Claims, Commands
from ui.slack.delivery import Persistence, ResponseUrls, SlackFailed
from ui.slack.events import read_event, read_opened, read_press
from ui.slack.outlets import CommandOutlet
from ui.slack.settings import Book
from ui.slack.speaking import Responder
from ui.slack.threads import Threads
from ui.slack.work import Lanes, Work

__all__ = ["Limits", "SlackBot", "connect_slack"]

_LOG = logging.getLogger("rag.slack")

_GRACE_S = 2.0
_MOST_WAITING = 1_000
_MOST_PUBLISHERS = 10_000  # that can be found by typing


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is done at once, and how long it may take."""

    answers: int = 4
    waiting: int = 100
    patience_s: float = PATIENCE_S
    first_wait_s: float = 1.0


def connect_slack(engine: Engine, settings: Settings, limits: Limits = Limits()) -> SlackBot | None:
    """The face, or None where no signing secret and no app-level token is set."""
    if settings.slack_signing_secret is None and settings.slack_app_token is None:
        return None
    return SlackBot(engine, settings, limits)


class SlackBot:
    """Commands need the signing secret alone; mentions, messages and threads the bot token as well."""

    def __init__(self, engine: Engine, settings: Settings, limits: Limits = Limits()) -> None:
        token = settings.slack_bot_token
        self._engine = engine
        self._closing = threading.Event()
        self._persist = Persistence(first_wait_s=limits.first_wait_s)
        self._urls = ResponseUrls(settings.slack_api_url)
        # Taking something in must wait neither for answers nor for Slack, and dialogs have three seconds.
        self._intake = Lanes("slack-intake", lanes=4, waiting=_MOST_WAITING)
        self._answers = Work("slack-answers", threads=limits.answers, waiting=limits.waiting)
        self._errands = Work("slack-errands", threads=4, waiting=_MOST_WAITING)
        self._dialogs = Work("slack-dialogs", threads=2, waiting=_MOST_WAITING)
        self._desk = ConversationService(engine, settings.of_answers())
        archive = Archive(engine, settings.of_answers(), settings.rag_public_url)
        self._asking = Asking(engine, archive, self._desk, self._errands, limits.patience_s)
        client = SlackClient(token.get_secret_value(), settings.slack_api_url) if token else None
        book = Book(engine.channels)
        publishers = Publishers(lambda: engine.publishers(_MOST_PUBLISHERS))
        channels = ChannelCommands(book, client, self._urls, self._persist, self._dialogs, publishers)
        self._commands = Commands(
            self._asking,
            Claims(engine.deliveries, self._intake),
            channels,
            self._urls,
            self._persist,
            self._answers,
            settings.slack_response,
        )
        self._buttons = Buttons(archive, self._urls, self._persist, client)
        writes = bool(settings.openai_api_key or settings.openai_base_url)
        self._speaker = client and Responder(client, self._persist, self._errands, engine.deliveries, streams=writes)
        self._threads = self._speaker and Threads(self._speaker, self._asking, archive, book, self._answers)
        handlers = Handlers(
            self._event, self._opened, self._press, self._commands.receive, channels.submit, channels.suggest
        )
        self._app = SlackApp(handlers, client, ACTIONS)
        self._socket: SocketMode | None = None
        if settings.slack_app_token and client:
            self._socket = self._app.socket_mode(settings.slack_app_token.get_secret_value())

    def start(self) -> None:
        """Tell of what the last stop broke off, and connect where Slack cannot reach this server."""
        # Looked up before the first request comes, which is not finished either.
        broken_off = self._engine.deliveries.unfinished()
        self._errands.submit(lambda: self._mend(broken_off))
        if self._socket:
            threading.Thread(target=self._connect, args=(self._socket,), name="slack-connect", daemon=True).start()

    def close(self) -> None:
        """Stop; what is not answered by then is told of at the next start."""
        self._closing.set()
        self._asking.stop()
        if self._socket:
            self._socket.close()
        self._intake.close(_GRACE_S)
        self._answers.close(_GRACE_S)
        self._persist.stop()
        for work in (self._errands, self._dialogs):
            work.close(_GRACE_S)
        self._urls.close()

    def command(self, form: Mapping[str, str]) -> dict[str, Any]:
        return self._commands.receive(form)

    def dispatch(self, body: str, headers: Mapping[str, str]) -> tuple[int, str, str | None]:
        return self._app.dispatch(body, headers)

    # What Bolt hears

    def _event(self, body: Mapping[str, Any]) -> None:
        heard, threads = read_event(body), self._threads
        if heard and threads:
            # An edit or a deletion must not overtake its question.
            _taken(self._intake.submit(lambda: threads.hear(heard), f"{heard.channel}:{heard.asked}"))

    def _opened(self, body: Mapping[str, Any]) -> None:
        opened, speaker = read_opened(body), self._speaker
        if opened and speaker:
            _taken(self._errands.submit(lambda: speaker.suggest(opened, self._desk)))

    def _press(self, body: Mapping[str, Any]) -> None:
        pressed = read_press(body)
        if pressed:
            _taken(self._errands.submit(lambda: self._buttons.press(pressed)))

    # Starting

    def _connect(self, socket: SocketMode) -> None:
        """Until it holds; after that the SDK connects again by itself."""
        for wait in chain((5, 10, 30), repeat(60)):
            try:
                socket.connect()
                return
            except Exception as error:  # noqa: BLE001 - the SDK raises its own and the socket's, and the server goes on
                _LOG.error("Socket Mode could not connect (%s): check SLACK_APP_TOKEN and run `rag doctor`", error)
            if self._closing.wait(wait):
                return

    def _mend(self, broken_off: Sequence[Delivery]) -> None:
        for delivery in broken_off:
            try:
                if self._finished(delivery):
                    self._engine.deliveries.finish(delivery.event)
            except RagError as error:
                _LOG.warning("a question that a stop broke off could not be told of (%s)", error)

    def _finished(self, delivery: Delivery) -> bool:
        """Whether there is nothing more to tell; what Slack does not take just now is left to the next start."""
        try:
            if delivery.response_url:
                outlet = CommandOutlet(self._urls, delivery.response_url, "ephemeral", self._persist)
                outlet.end(problem_message(RESTARTED))
            elif delivery.channel and self._threads:
                self._threads.mend(delivery)
        except SlackFailed as failure:
            _LOG.warning("a question that a stop broke off could not be told of (%s)", failure)
            return not failure.temporary
        return True


def _taken(taken: bool) -> None:
    if not taken:
        # Slack hears of it and sends the event again, by when there may be room.
        raise RuntimeError("too much comes from Slack at once")
