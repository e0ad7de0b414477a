"""Where an answer goes in Slack: to a command's `response_url`, or to who asked alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ui.chat.exchanges import Exchange
from ui.slack.blocks import SlackMessage
from ui.slack.delivery import Persistence, ResponseUrls, SlackFailed

__all__ = ["UNFURL_NOTHING", "CommandOutlet", "EphemeralOutlet", "Outlet", "Web", "withdrawn"]

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
    """Where one answer goes. Each method but `abandon` raises SlackFailed when it cannot be brought there."""

    def begin(self, question: str) -> None:
        """Say that it is being searched."""

    def show(self, exchange: Exchange) -> None:
        """What is there so far; may do nothing."""

    def end(self, message: SlackMessage) -> None:
        """The answer, or why there is none."""

    def abandon(self) -> None:
        """Send nothing from now on, and take away what is on its way. Never waits."""

    def leave(self) -> None:
        """Nothing more comes from here: somebody else goes on with what is there."""


class _Once:
    """An outlet that says the end alone, which cannot be changed afterwards."""

    def begin(self, question: str) -> None: ...

    def show(self, exchange: Exchange) -> None: ...

    def abandon(self) -> None: ...

    def leave(self) -> None: ...


class CommandOutlet(_Once):
    """Posts to the address that came with a slash command; the command's acknowledgement said the rest."""

    def __init__(self, urls: ResponseUrls, url: str, response_type: str, persist: Persistence) -> None:
        self._urls = urls
        self._url = url
        self._response_type = response_type
        self._persist = persist

    def end(self, message: SlackMessage) -> None:
        body = {
            "response_type": self._response_type,
            "replace_original": False,
            "text": message.text,
            "blocks": message.blocks,
            **UNFURL_NOTHING,
        }
        self._persist(lambda: self._urls.post(self._url, body))


class EphemeralOutlet(_Once):
    """Posts for one user alone, in a thread if there is one."""

    def __init__(self, web: Web, persist: Persistence, channel: str, user: str, thread: str | None) -> None:
        self._web = web
        self._persist = persist
        self._where = {"channel": channel, "user": user, "thread_ts": thread}

    def end(self, message: SlackMessage) -> None:
        said = {"text": message.text, "blocks": message.blocks, **UNFURL_NOTHING}
        self._persist(lambda: self._web.call("chat.postEphemeral", **self._where, **said))
