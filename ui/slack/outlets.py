"""Where an answer goes in Slack: to a command's `response_url`, or into a thread as one message that is kept up to
date."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from rag.records import Claim
from ui.conversation import Exchange
from ui.slack.blocks import Message, searching_message
from ui.slack.delivery import Persistence, ResponseUrls, SlackFailed
from ui.slack.text import plain

__all__ = ["UNFURL_NOTHING", "CommandOutlet", "EphemeralOutlet", "Outlet", "ThreadOutlet", "Web", "withdrawn"]

_LOG = logging.getLogger("rag.slack")

UNFURL_NOTHING = {"unfurl_links": False, "unfurl_media": False}
# Nothing can be said there any more: Slack's codes for a channel it was removed from and a token that is void.
_WITHDRAWN = frozenset(
    {
        *("channel_not_found", "not_in_channel", "is_archived", "restricted_action", "no_permission", "missing_scope"),
        *("token_revoked", "token_expired", "invalid_auth", "not_authed", "account_inactive", "org_login_required"),
    }
)


def withdrawn(failure: SlackFailed) -> bool:
    """Whether Slack has taken away the right to say anything there."""
    return failure.code in _WITHDRAWN


class Web(Protocol):
    """Slack's Web API."""

    def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Raises SlackFailed."""


class Outlet(Protocol):
    """Where one answer goes. Each method raises SlackFailed when it cannot be brought there."""

    def begin(self, question: str) -> None:
        """Say that it is being searched."""

    def show(self, exchange: Exchange) -> None:
        """What is there so far; may do nothing."""

    def end(self, message: Message) -> None:
        """The answer, or why there is none."""

    def leave(self) -> None:
        """Nothing more comes from here: somebody else goes on with what is there."""


class CommandOutlet:
    """Posts once, to the address that came with a slash command; the command's acknowledgement said the rest."""

    def __init__(self, urls: ResponseUrls, url: str, response_type: str, persist: Persistence) -> None:
        self._urls = urls
        self._url = url
        self._response_type = response_type
        self._persist = persist

    def begin(self, question: str) -> None: ...

    def show(self, exchange: Exchange) -> None: ...

    def leave(self) -> None: ...

    def end(self, message: Message) -> None:
        body = {
            "response_type": self._response_type,
            "replace_original": False,
            "text": message.text,
            "blocks": message.blocks,
            **UNFURL_NOTHING,
        }
        self._persist(lambda: self._urls.post(self._url, body))


class EphemeralOutlet:
    """Posts once, for who asked alone: such a message cannot be changed afterwards."""

    def __init__(self, web: Web, persist: Persistence, place: Mapping[str, str]) -> None:
        self._web = web
        self._persist = persist
        self._place = place

    def begin(self, question: str) -> None: ...

    def show(self, exchange: Exchange) -> None: ...

    def leave(self) -> None: ...

    def end(self, message: Message) -> None:
        threaded = self._place["thread"] if self._place["in_thread"] == "yes" else None
        self._persist(
            lambda: self._web.call(
                "chat.postEphemeral",
                channel=self._place["channel"],
                user=self._place["user"],
                thread_ts=threaded,
                text=message.text,
                blocks=message.blocks,
                **UNFURL_NOTHING,
            )
        )


class Abilities:
    """What Slack lets this app do beyond posting, as far as is known; a refusal is remembered."""

    def __init__(self, *, streams: bool) -> None:
        self.streams = streams
        self.status = True


class ThreadOutlet:
    """One message in a thread: "Searching…" first, streamed where Slack lets it, then the answer in its place.

    `shown` is the message to use where there is one already; `on_shown` hears which one it is.
    """

    def __init__(
        self,
        web: Web,
        persist: Persistence,
        abilities: Abilities,
        place: Mapping[str, str],
        *,
        shown: str | None = None,
        on_shown: Callable[[str], None] = lambda shown: None,
    ) -> None:
        self._web = web
        self._persist = persist
        self._abilities = abilities
        self._channel, self._thread = place["channel"], place["thread"]
        self._recipient = {"recipient_team_id": place["team"], "recipient_user_id": place["user"]}
        self._direct = place.get("direct") == "yes"
        self._shown = shown
        self._on_shown = on_shown
        self._streaming = False
        self._told = 0
        self._writing = threading.Lock()

    def begin(self, question: str) -> None:
        self._say_status()
        with self._writing:
            if self._shown is not None:
                self._update(searching_message(question))
            elif not self._start_stream():
                self._post(searching_message(question))

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

    def end(self, message: Message) -> None:
        with self._writing:
            if self._streaming:
                self._stop_stream()
            if self._shown is None:
                self._post(message)
                return
            try:
                self._update(message)
            except SlackFailed as failure:
                if failure.temporary or withdrawn(failure) or failure.code == "message_not_found":
                    raise
                self._post(message)

    def leave(self) -> None:
        with self._writing:
            if self._streaming:
                self._stop_stream()

    def _post(self, message: Message) -> None:
        answered = self._persist(
            lambda: self._web.call(
                "chat.postMessage",
                channel=self._channel,
                thread_ts=self._thread,
                text=message.text,
                blocks=message.blocks,
                **UNFURL_NOTHING,
            )
        )
        self._is_shown(str(answered.get("ts") or ""))

    def _update(self, message: Message) -> None:
        self._persist(
            lambda: self._web.call(
                "chat.update",
                channel=self._channel,
                ts=self._shown,
                text=message.text,
                blocks=message.blocks,
                **UNFURL_NOTHING,
            )
        )

    def _is_shown(self, shown: str) -> None:
        if shown:
            self._shown = shown
            self._on_shown(shown)

    def _say_status(self) -> None:
        """In the assistant's view; only a nicety, so that one refusal ends it."""
        if not (self._direct and self._abilities.status):
            return
        try:
            self._web.call(
                "assistant.threads.setStatus",
                channel_id=self._channel,
                thread_ts=self._thread,
                status="is searching the articles…",
            )
        except SlackFailed as failure:
            self._abilities.status = failure.temporary

    def _start_stream(self) -> bool:
        if not self._abilities.streams:
            return False
        try:
            started = self._web.call(
                "chat.startStream",
                channel=self._channel,
                thread_ts=self._thread,
                markdown_text="Searching the articles…\n",
                **self._recipient,
            )
        except SlackFailed as failure:
            if withdrawn(failure) and failure.code != "missing_scope":
                raise
            self._abilities.streams = failure.temporary
            return False
        self._streaming = True
        self._is_shown(str(started.get("ts") or ""))
        return self._shown is not None

    def _append(self, words: str) -> None:
        try:
            self._web.call("chat.appendStream", channel=self._channel, ts=self._shown, markdown_text=words)
        except SlackFailed:
            self._stop_stream()

    def _stop_stream(self) -> None:
        """Whatever Slack says to it, the message is then replaced by the whole answer."""
        self._streaming = False
        try:
            self._persist(lambda: self._web.call("chat.stopStream", channel=self._channel, ts=self._shown))
        except SlackFailed as failure:
            _LOG.info("a stream in Slack could not be stopped (%s)", failure)


def _streamed(claim: Claim) -> str:
    """A claim in the Markdown of a stream, in which nothing of it is read as more than words."""
    numbers = "".join(f" [{number}]" for number in dict.fromkeys(quote.source for quote in claim.quotes))
    words = f"{plain(claim.text)}{numbers}".replace("\\", "＼").replace("[", "\\[").replace("]", "\\]")
    return f"\n• {words}\n"
