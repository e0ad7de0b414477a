"""An answer in a thread: one message that says "Searching…" first and is kept up to date until it is the answer."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

from rag.records import Claim
from ui.chat.exchanges import Exchange
from ui.slack.blocks import SlackMessage, searching_message
from ui.slack.delivery import Persistence, SlackFailed
from ui.slack.outlets import UNFURL_NOTHING, Web, withdrawn
from ui.slack.text import plain

__all__ = ["Abilities", "Spot", "ThreadOutlet"]

_LOG = logging.getLogger("rag.slack")

# That this app, or this workspace, cannot do it at all; any other refusal may concern one user or channel.
_NEVER = frozenset({"unknown_method", "missing_scope", "not_allowed_token_type", "feature_not_enabled"})
_MOST_READ = 200  # messages behind a question, among which one of its own is looked for
_COMPARED = 300  # characters


class Abilities:
    """What Slack lets this app do beyond posting, as far as is known; a refusal is remembered."""

    def __init__(self, *, streams: bool) -> None:
        self.streams = streams
        self.status = True


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a question was asked and by whom: `asked` is its message, `thread` what that hangs on, `team` the
    workspace of the `user`."""

    channel: str
    thread: str
    asked: str
    user: str = ""
    team: str = ""
    direct: bool = False

    @property
    def in_thread(self) -> bool:
        return self.thread != self.asked


class ThreadOutlet:
    """Streamed where Slack lets it. `shown` is the message to use where there is one already; `on_shown` hears which
    one it is."""

    def __init__(
        self,
        web: Web,
        persist: Persistence,
        abilities: Abilities,
        spot: Spot,
        *,
        shown: str | None = None,
        on_shown: Callable[[str], None] = lambda shown: None,
    ) -> None:
        self._web = web
        self._persist = persist
        self._abilities = abilities
        self._spot = spot
        self._shown = shown
        self._on_shown = on_shown
        self._streaming = False
        self._told = 0
        self._writing = threading.Lock()
        self._abandoned = threading.Event()

    def begin(self, question: str) -> None:
        self._say_status()
        searching = searching_message(question)
        with self._writing:
            if self._shown is not None:
                self._update(searching)
            elif not self._start_stream(searching):
                self._post(searching)

    def show(self, exchange: Exchange) -> None:
        with self._writing:
            if not self._streaming:
                return
            if exchange.reset is not None or len(exchange.claims) < self._told:
                self._stop_stream()  # what was said cannot be taken back in a stream: the rest comes at the end
                return
            new = exchange.claims[self._told :]
            if new:
                self._append("".join(_streamed(claim) for claim in new))
                self._told = len(exchange.claims)

    def end(self, message: SlackMessage) -> None:
        with self._writing:
            if self._streaming:
                self._stop_stream()
            if self._shown is None:
                self._post(message)
                return
            try:
                self._update(message)
            except SlackFailed as failure:
                if failure.temporary or withdrawn(failure) or failure.code in ("message_not_found", "abandoned"):
                    raise
                self._post(message)

    def abandon(self) -> None:
        self._abandoned.set()

    def leave(self) -> None:
        with self._writing:
            if self._streaming:
                self._stop_stream()

    def withdraw(self) -> None:
        """Take the message away, if there is one. Raises SlackFailed."""
        if self._shown is not None:
            self._delete(self._shown)

    # One message

    def _post(self, message: SlackMessage, *, may_be_there: bool = False) -> None:
        """What was sent when the line broke may have arrived: it is looked for before it is sent again."""
        tried = may_be_there

        def send() -> str:
            nonlocal tried
            # Also where it is not wanted any more: it is then taken away.
            found = self._arrived(message) if tried else ""
            if found:
                return found
            self._check_wanted()
            tried = True
            posted = self._call("chat.postMessage", thread_ts=self._spot.thread, **_body(message))
            return str(posted.get("ts") or "")

        posted = self._persist(send)
        if self._abandoned.is_set():
            self._delete(posted)
        else:
            self._is_shown(posted)

    def _arrived(self, message: SlackMessage) -> str:
        """The message behind the question that says the same; empty if there is none, or none that may be read."""
        try:
            told = self._call("conversations.replies", ts=self._spot.thread, oldest=self._spot.asked, limit=_MOST_READ)
        except SlackFailed as failure:
            if failure.temporary:
                raise
            return ""
        for each in told.get("messages") or ():
            if each.get("bot_id") and _letters(str(each.get("text") or "")) == _letters(message.text):
                return str(each.get("ts") or "")
        return ""

    def _update(self, message: SlackMessage) -> None:
        def send() -> None:
            self._check_wanted()
            self._call("chat.update", ts=self._shown, **_body(message))

        try:
            self._persist(send)
        except SlackFailed as failure:
            if failure.code != "streaming_state_conflict":
                raise
            self._stop_stream()  # a restart left it open
            self._persist(send)

    def _delete(self, shown: str) -> None:
        try:
            self._persist(lambda: self._call("chat.delete", ts=shown))
        except SlackFailed as failure:
            if failure.code != "cant_delete_message":
                raise
            self._shown = shown
            self._stop_stream()  # one that is open cannot be deleted
            self._persist(lambda: self._call("chat.delete", ts=shown))

    def _check_wanted(self) -> None:
        if self._abandoned.is_set():
            raise SlackFailed("abandoned", "nobody wants this answer any more")

    def _call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        return self._web.call(method, channel=self._spot.channel, **arguments)

    def _is_shown(self, shown: str) -> None:
        if shown:
            self._shown = shown
            self._on_shown(shown)

    def _say_status(self) -> None:
        """In a direct message; only a nicety, so that one refusal ends it."""
        if not (self._spot.direct and self._abilities.status):
            return
        try:
            self._web.call(
                "assistant.threads.setStatus",
                channel_id=self._spot.channel,
                thread_ts=self._spot.thread,
                status="is searching the articles…",
            )
        except SlackFailed as failure:
            self._abilities.status = failure.temporary

    # A stream

    def _start_stream(self, searching: SlackMessage) -> bool:
        if not self._abilities.streams:
            return False
        try:
            started = self._call(
                "chat.startStream",
                thread_ts=self._spot.thread,
                markdown_text=f"{_inert(searching.text)}\n",
                recipient_team_id=self._spot.team,
                recipient_user_id=self._spot.user,
            )
        except SlackFailed as failure:
            if withdrawn(failure) and failure.code not in _NEVER:
                raise
            self._abilities.streams = failure.code not in _NEVER
            if failure.code != "unreachable":
                return False
            self._post(searching, may_be_there=True)
            return True
        self._streaming = True
        self._is_shown(str(started.get("ts") or ""))
        return self._shown is not None

    def _append(self, words: str) -> None:
        try:
            self._call("chat.appendStream", ts=self._shown, markdown_text=words)
        except SlackFailed:
            self._stop_stream()

    def _stop_stream(self) -> None:
        """Whatever Slack says to it, the message is then replaced by the whole answer."""
        self._streaming = False
        try:
            self._persist(lambda: self._call("chat.stopStream", ts=self._shown))
        except SlackFailed as failure:
            _LOG.info("a stream in Slack could not be stopped (%s)", failure)


def _body(message: SlackMessage) -> dict[str, Any]:
    return {"text": message.text, "blocks": message.blocks, **UNFURL_NOTHING}


def _letters(text: str) -> str:
    """What is left of a text however Slack writes it back."""
    return re.sub(r"\W+", "", unescape(text))[:_COMPARED]


def _streamed(claim: Claim) -> str:
    """A claim in the Markdown of a stream, in which nothing of it is read as more than words."""
    numbers = "".join(f" [{number}]" for number in dict.fromkeys(quote.source for quote in claim.quotes))
    return f"\n• {_inert(f'{plain(claim.text)}{numbers}')}\n"


def _inert(words: str) -> str:
    """Words for mrkdwn as words for Markdown."""
    return words.replace("\\", "＼").replace("[", "\\[").replace("]", "\\]")
