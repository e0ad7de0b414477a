"""What Slack's events say, as far as it concerns questions: pure functions from its payloads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["OPENED", "WRITTEN", "MessageEvent", "Opened", "Pressed", "read_event", "read_opened", "read_press"]

# That somebody comes to ask: an agent's events, and those of an app from before Slack had agents.
OPENED = ("app_home_opened", "assistant_thread_started")
_LEADING = re.compile(r"\s*<@([A-Z0-9]+)(?:\|[^<>]*)?>")
# Subtypes of what a person wrote; all others are about the channel, or come from programs.
WRITTEN = frozenset({None, "file_share", "thread_broadcast", "me_message"})


@dataclass(frozen=True, slots=True)
class MessageEvent:
    """A message of a person: a new one, a mention, or one that was changed or deleted.

    `asked` names the message, `thread` what its thread hangs on (itself, where it begins one), `bot` the user that
    mentions of this program name, `event` the delivery: Slack repeats it with every retry. People of another
    organization read along in a `shared` channel; `team` is the workspace that the app is installed in, `user_team`
    that of who wrote.
    """

    kind: Literal["mention", "message", "edit", "deletion"]
    event: str
    team: str
    channel: str
    asked: str
    thread: str
    user: str
    text: str
    direct: bool
    bot: str | None
    shared: bool = False
    user_team: str = ""

    @property
    def in_thread(self) -> bool:
        return self.thread != self.asked

    @property
    def addressee(self) -> str | None:
        """Whom the message begins with."""
        found = _LEADING.match(self.text)
        return found[1] if found else None


@dataclass(frozen=True, slots=True)
class Opened:
    """Where somebody can ask alone. Only an assistant of the older kind begins with a thread."""

    channel: str
    thread: str | None


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button under an answer: who pressed which, where, and where to answer."""

    action: str
    value: str
    team: str
    channel: str
    user: str
    response_url: str
    thread: str | None
    ephemeral: bool
    in_thread: bool = False


def read_event(body: Mapping[str, Any]) -> MessageEvent | None:
    """The message that an event tells of; None for all that does not concern questions: other events, messages of
    programs (this one, too), changes of the channel."""
    event = _mapping(body.get("event"))
    kind, subtype = event.get("type"), event.get("subtype")
    if kind == "app_mention":
        edited = _mapping(event.get("edited")).get("ts")
        return _heard("edit" if edited else "mention", body, event, edited) if _is_written(event) else None
    if kind != "message":
        return None
    if subtype == "message_changed":
        return _changed(body, event)
    if subtype == "message_deleted":
        gone = {"ts": event.get("deleted_ts"), **_mapping(event.get("previous_message"))}
        return _heard("deletion", body, gone) if _is_written(gone) else None
    return _heard("message", body, event) if _is_written(event) else None


def _changed(body: Mapping[str, Any], event: Mapping[str, Any]) -> MessageEvent | None:
    message, before = _mapping(event.get("message")), _mapping(event.get("previous_message"))
    if message.get("subtype") == "tombstone":  # a deleted message that a thread hangs on
        return _heard("deletion", body, {**before, "ts": message.get("ts")}) if _is_written(before) else None
    if not _is_written(message) or message.get("text") == before.get("text"):  # only its previews changed
        return None
    return _heard("edit", body, message, _mapping(message.get("edited")).get("ts"))


def _heard(
    kind: Literal["mention", "message", "edit", "deletion"],
    body: Mapping[str, Any],
    message: Mapping[str, Any],
    edited: Any = None,
) -> MessageEvent | None:
    event = _mapping(body.get("event"))
    channel, asked = str(event.get("channel") or ""), str(message.get("ts") or "")
    if not channel or not asked:
        return None
    delivery = str(body.get("event_id") or f"{channel}:{asked}:{kind}")
    text = str(message.get("text") or "")
    return MessageEvent(
        kind=kind,
        # One change comes as several events where the message mentions the app.
        event=f"edit:{channel}:{asked}:{edited or delivery}" if kind == "edit" else delivery,
        team=_team(body),
        channel=channel,
        asked=asked,
        thread=str(message.get("thread_ts") or asked),
        user=str(message.get("user") or ""),
        text=text,
        direct=event.get("channel_type") == "im" or channel.startswith("D"),
        bot=_bot(body, kind, text),
        shared=body.get("is_ext_shared_channel") is True,
        user_team=str(message.get("user_team") or message.get("team") or _team(body)),
    )


def _team(body: Mapping[str, Any]) -> str:
    """The workspace that the app is installed in; in a channel that several share, `team_id` may name another."""
    installed = [_mapping(each).get("team_id") for each in body.get("authorizations") or ()]
    return str(next(filter(None, (*installed, body.get("context_team_id"), body.get("team_id"))), ""))


def _bot(body: Mapping[str, Any], kind: str, text: str) -> str | None:
    for authorization in body.get("authorizations") or ():
        if _mapping(authorization).get("is_bot") and _mapping(authorization).get("user_id"):
            return str(authorization["user_id"])
    found = _LEADING.match(text) if kind == "mention" else None
    return found[1] if found else None


def _is_written(message: Mapping[str, Any]) -> bool:
    by_program = message.get("bot_id") or message.get("bot_profile") or message.get("app_id")
    return not by_program and bool(message.get("user")) and message.get("subtype") in WRITTEN


def read_opened(body: Mapping[str, Any]) -> Opened | None:
    """Where questions may be suggested; None where nothing can be asked."""
    event = _mapping(body.get("event"))
    if event.get("type") == "app_home_opened":
        channel = str(event.get("channel") or "") if event.get("tab") == "messages" else ""
        return Opened(channel, None) if channel else None
    thread = _mapping(event.get("assistant_thread"))
    channel, first = str(thread.get("channel_id") or ""), str(thread.get("thread_ts") or "")
    return Opened(channel, first) if channel and first else None


def read_press(body: Mapping[str, Any]) -> Pressed | None:
    """The button that was pressed; None if the payload lacks what an answer needs."""
    actions = body.get("actions") or [{}]
    action, container = _mapping(actions[0]), _mapping(body.get("container"))
    message = _mapping(body.get("message"))
    response_url = str(body.get("response_url") or "")
    if not response_url or not action.get("action_id"):
        return None
    replied_to = message.get("thread_ts") or container.get("thread_ts")
    thread = replied_to or message.get("ts") or container.get("message_ts")
    return Pressed(
        action=str(action["action_id"]),
        value=str(action.get("value") or ""),
        team=str(_mapping(body.get("team")).get("id") or ""),
        channel=str(_mapping(body.get("channel")).get("id") or container.get("channel_id") or ""),
        user=str(_mapping(body.get("user")).get("id") or ""),
        response_url=response_url,
        thread=str(thread) if thread else None,
        ephemeral=bool(container.get("is_ephemeral")),
        in_thread=bool(replied_to),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
