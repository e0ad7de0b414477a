"""What holds in a channel: `/dateline settings`, for the workspace's admins."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace

from rag.errors import InvalidRequest
from rag.records import Filters
from rag.storage.channels import Channels, ChannelSettings
from ui.slack.delivery import SlackFailed
from ui.slack.outlets import Web
from ui.slack.words import read_words

__all__ = ["Book", "change", "is_admin", "narrowed", "told"]

_OPTION = re.compile(r"(?<!\S)(answer|show|here|elsewhere):(\S*)", re.IGNORECASE)
_ELSEWHERE = ""
_SWITCH = {"on": True, "off": False}


class Book:
    """The settings of all channels. Reading them needs no disk: they are looked up while Slack waits."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._known = channels.all()
        self._writing = threading.Lock()

    def of(self, team: str, channel: str) -> ChannelSettings:
        return self._known.get((team, channel), ChannelSettings())

    def answers(self, team: str, channel: str) -> bool:
        """Whether questions are answered there at all."""
        here = self.of(team, channel).answers
        return here if here is not None else self.elsewhere(team)

    def elsewhere(self, team: str) -> bool:
        """Whether they are in channels that say nothing of it."""
        return self.of(team, _ELSEWHERE).answers is not False

    def put(self, team: str, channel: str, settings: ChannelSettings, elsewhere: bool | None) -> None:
        """Keep them; `elsewhere` says whether questions are answered in channels that say nothing of it."""
        with self._writing:
            changed = {(team, channel): settings}
            if elsewhere is not None:
                changed[team, _ELSEWHERE] = ChannelSettings(answers=None if elsewhere else False)
            for (where, name), each in changed.items():
                self._channels.put(where, name, each)
            self._known = {**self._known, **changed}


def change(settings: ChannelSettings, words: str) -> tuple[ChannelSettings, bool | None]:
    """The settings as these words want them, and whether to answer elsewhere, if they say so: `publisher:AP
    since:2024-01-01 until:2024-06-30 answer:questions show:all here:on elsewhere:off`, or `reset`. Publishers and dates
    are set together. Raises InvalidRequest."""
    if words.casefold() == "reset":
        return ChannelSettings(), None
    elsewhere = None
    for name, value in _OPTION.findall(words):
        match name.casefold():
            case "answer":
                every = _chosen(name, value, {"questions": True, "mentions": False})
                settings = replace(settings, every_question=every)
            case "show":
                in_channel = _chosen(name, value, {"all": True, "asker": False})
                settings = replace(settings, show="in_channel" if in_channel else "ephemeral")
            case "here":
                settings = replace(settings, answers=_chosen(name, value, _SWITCH))
            case _:
                elsewhere = _chosen(name, value, _SWITCH)
    rest = _OPTION.sub(" ", words).strip()
    if rest:
        wanted = read_words(rest)
        if wanted.question:
            raise InvalidRequest(f"{wanted.question!r} is no setting", "`settings` alone lists them")
        settings = replace(settings, filters=wanted.filters)
    return settings, elsewhere


def _chosen(name: str, value: str, choices: dict[str, bool]) -> bool:
    if value.casefold() not in choices:
        named = " or ".join(f"{name.casefold()}:{choice}" for choice in choices)
        raise InvalidRequest(f"{name}:{value} is no setting", f"write {named}")
    return choices[value.casefold()]


def narrowed(asked: Filters, channel: Filters) -> Filters:
    """What both allow. Raises InvalidRequest if that is nothing."""
    publishers = asked.publishers or channel.publishers
    if asked.publishers and channel.publishers:
        allowed = {name.casefold() for name in channel.publishers}
        publishers = tuple(name for name in asked.publishers if name.casefold() in allowed)
        if not publishers:
            raise InvalidRequest(f"this channel searches only {', '.join(channel.publishers)}", "ask in another")
    since = max((day for day in (asked.since, channel.since) if day), default=None)
    until = min((day for day in (asked.until, channel.until) if day), default=None)
    if since and until and since > until:
        raise InvalidRequest(f"this channel searches only {_dates(channel)}", "choose dates in it, or another channel")
    return Filters(since, until, publishers)


def told(settings: ChannelSettings, answers: bool, command: str) -> str:
    """What holds, and how it is changed."""
    seen = {None: "as the server says", "ephemeral": "who asked", "in_channel": "all"}[settings.show]
    what = "every question" if settings.every_question else "mentions and commands"
    parts = [
        f"Answers {what}" if answers else "Answers nothing",
        f"answers are seen by: {seen}",
        f"publishers: {', '.join(settings.filters.publishers) or 'all'}",
        f"dates: {_dates(settings.filters)}",
    ]
    how = f"{command} settings publisher:AP since:2024-01-01 answer:questions show:all here:on elsewhere:off"
    return f"In this channel: {'; '.join(parts)}. To change it: {how}; {command} settings reset."


def _dates(filters: Filters) -> str:
    since = f"since {filters.since}" if filters.since else ""
    until = f"until {filters.until}" if filters.until else ""
    return " ".join(part for part in (since, until) if part) or "all"


def is_admin(web: Web, user: str, persist: Callable[[Callable[[], object]], object]) -> bool:
    """Whether Slack says so. Raises SlackFailed."""
    answered = persist(lambda: web.call("users.info", user=user))
    found = answered.get("user") if isinstance(answered, dict) else None
    if not isinstance(found, dict):
        raise SlackFailed("user_not_found", "users.info named no user")
    return bool(found.get("is_admin") or found.get("is_owner"))
