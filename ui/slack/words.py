"""What somebody asks in Slack: a question with words that narrow it, `since:2024-01-01 publisher:AP who won?`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from html import unescape
from typing import Literal

from rag.errors import InvalidRequest
from rag.records import Filters

__all__ = ["Wanted", "read_words", "said", "without_mentions"]

# At the start of a word only, so that "the year since:" or an address with publisher:x in it stay as they are.
_OPTION = re.compile(r"""(?<!\S)(since|until|publisher):\s*(?:["“„]([^"“”„]*)["”]|(\S+))""", re.IGNORECASE)
_BARE = re.compile(r"(?<!\S)(since|until|publisher):(?!\S)", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
# Slack's own markup in a message: <@U1>, <#C1|name>, <!here>, <https://x|label>.
_MARKUP = re.compile(r"<([@#!][^<>]*|[a-z][a-z+.-]*:[^<>]*)>", re.IGNORECASE)
_SETTINGS = re.compile(
    r"""settings((?:\s+(?:since|until|publisher|answer|show|here|elsewhere):\s*(?:["“„][^"“”„]*["”]|\S*))*+|\s+reset)""",
    re.IGNORECASE,
)
_HELP = frozenset({"help", "hilfe", "?", "/help", "--help"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """`question` is empty unless something is asked; of settings it is what they are to be."""

    kind: Literal["ask", "help", "empty", "settings"]
    question: str = ""
    filters: Filters = Filters()


def read_words(text: str) -> Wanted:
    """What a message or the text of a slash command wants. Raises InvalidRequest for a date that is none."""
    words = " ".join(said(text).split())
    if words.casefold() in _HELP:
        return Wanted("help")
    if settings := _SETTINGS.fullmatch(words):
        return Wanted("settings", settings[1].strip())
    since = until = None
    publishers: list[str] = []
    for name, quoted, bare in _OPTION.findall(words):
        value = (quoted or bare).strip()
        if name.casefold() == "publisher":
            publishers.append(value)
        elif name.casefold() == "since":
            since = _date("since", value)
        else:
            until = _date("until", value)
    question = " ".join(_BARE.sub(" ", _OPTION.sub(" ", words)).split())
    if since and until and since > until:
        raise InvalidRequest(f"nothing lies between since:{since} and until:{until}", "swap the two dates")
    filters = Filters(since, until, tuple(name for name in dict.fromkeys(publishers) if name))
    return Wanted("ask" if question else "empty", question, filters)


def without_mentions(text: str, user: str | None) -> str:
    """The message without the mentions of one user, which call it and ask nothing."""
    return re.sub(rf"<@{re.escape(user)}(?:\|[^<>]*)?>", " ", text) if user else text


def said(text: str) -> str:
    """Slack's markup as words: what a reader saw when they wrote it."""
    return unescape(_MARKUP.sub(lambda found: _target(found[1]), text))


def _target(markup: str) -> str:
    target, _, label = markup.partition("|")
    if label:
        return f"{'#' if target.startswith('#') else ''}{label}"
    if target.startswith(("@", "#")):
        return " "  # an id without a name says nothing
    return f"@{target[1:].partition('^')[0]}" if target.startswith("!") else target


def _date(name: str, value: str) -> date:
    found = _DATE.fullmatch(value)
    try:
        return date(*(int(part) for part in found.groups())) if found else date.fromisoformat("")
    except ValueError as error:
        raise InvalidRequest(f"{name}:{value} is no date", f"write it as {name}:2024-03-15") from error
