"""What people said in a thread before this program was first asked there: a question may be about it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rag.records import Message
from ui.slack.delivery import SlackFailed
from ui.slack.events import WRITTEN, MessageEvent
from ui.slack.outlets import Web
from ui.slack.text import shortened
from ui.slack.words import said, without_mentions

__all__ = ["overheard"]

_LOG = logging.getLogger("rag.slack")

_MOST_READ = 200  # messages of a page; Slack gives some apps fewer
_MOST_PAGES = 5
_LAST = 3  # messages beside the one that the thread hangs on
_LONGEST = 1_000  # characters of one
_ADDRESS = re.compile(r"(?<![a-z+.-])[a-z][a-z+.-]*://\S+", re.IGNORECASE)


def overheard(web: Web, heard: MessageEvent) -> tuple[Message, ...]:
    """What the thread hangs on and what was said last in it, oldest first. Nothing where Slack does not tell."""
    if not heard.in_thread:
        return ()
    words = []
    try:
        for message in _messages(web, heard):
            if _is_before(message, heard) and (said_there := _words(message, heard.bot)):
                words.append(said_there)
    except SlackFailed as failure:
        _LOG.info("a thread in Slack could not be read (%s)", failure)
    return tuple(Message("user", each) for each in (*words[:1], *words[1:][-_LAST:]))


def _messages(web: Web, heard: MessageEvent) -> Iterator[Mapping[str, Any]]:
    """Those of the thread up to the question, oldest first. Raises SlackFailed."""
    cursor = None
    for _ in range(_MOST_PAGES):
        told = web.call(
            "conversations.replies",
            channel=heard.channel,
            ts=heard.thread,
            latest=heard.asked,
            limit=_MOST_READ,
            cursor=cursor,
        )
        yield from (each for each in told.get("messages") or () if isinstance(each, dict))
        cursor = (told.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            return


def _is_before(message: Mapping[str, Any], heard: MessageEvent) -> bool:
    """Also what other programs post, such as headlines, but nothing of this one and of Slack itself."""
    said_there = message.get("subtype") in (*WRITTEN, "bot_message")
    return said_there and message.get("ts") != heard.asked and (heard.bot is None or message.get("user") != heard.bot)


def _words(message: Mapping[str, Any], bot: str | None) -> str:
    """The message and what Slack shows of the pages that it names, without the addresses."""
    told = " ".join((str(message.get("text") or ""), *_previews(message)))
    return shortened(" ".join(_ADDRESS.sub(" ", said(without_mentions(told, bot))).split()), _LONGEST)


def _previews(message: Mapping[str, Any]) -> Iterator[str]:
    for attachment in message.get("attachments") or ():
        if isinstance(attachment, dict):
            yield str(attachment.get("title") or attachment.get("fallback") or "")
