"""The dialog of `/dateline settings`: what holds in a channel as a form, and what was chosen there. Pure functions.

Blocks and their elements have the same ids. A publisher's name travels in the `value` of its option, in base64 so that
nothing on the way can change it, or as a digest where it is too long for that; its label is only what is seen.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from html import unescape
from typing import Any, Literal

from rag.records import Filters
from rag.storage.channels import ChannelSettings
from rag.storage.keys import publisher_key
from ui.slack.text import Block, labelled, literal, tidy

__all__ = [
    "ANSWER",
    "CALLBACK",
    "PUBLISHERS",
    "Place",
    "Unfit",
    "chosen_in",
    "is_nameable",
    "place_of",
    "settings_view",
    "suggestions",
]

CALLBACK = "channel_settings"
PUBLISHERS, SINCE, UNTIL, UNLIMITED = "publishers", "since", "until", "unlimited"
ANSWER, SHOW, HERE, ELSEWHERE = "answer", "show", "here", "elsewhere"

# Slack's limits (docs.slack.dev/reference/block-kit): options in a menu, characters of their text and their value.
_MOST_OPTIONS = 100
_MOST_TEXT = 75
_MOST_VALUE = 150
_SPELT, _DIGEST = "=", "#"
_NAMELESS = "(no name)"
_AS_WRITTEN = " (as you wrote it)"

_ON, _OFF = ("on", "Answer questions"), ("off", "Answer nothing")
_ANSWERS = (("mentions", "Mentions and commands"), ("questions", "Every message that ends with a question mark, too"))
_SEEN = (("server", "As the server says"), ("asker", "Who asked"), ("all", "All in the channel"))
_HERE = (("elsewhere", "As in channels that say nothing of it"), _ON, _OFF)
# What stands for None is in neither.
_SWITCH = {"on": True, "off": False}
_SHOWS: dict[str, Literal["ephemeral", "in_channel"]] = {"asker": "ephemeral", "all": "in_channel"}
_LATER = "Nothing lies between these days: choose a last day that is not before the first."
_UNKNOWN = "One of these publishers is not known here any more. Take it out, or save again in a moment."
_UNREADABLE = "This dialog cannot be read. Close it and write /dateline settings again."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dialog was opened and with which command, and whether the workspace's other channels were answered
    then."""

    team: str
    channel: str
    command: str
    elsewhere: bool


class Unfit(Exception):
    """What was chosen cannot hold. `errors` is a sentence for each block that is to blame, as Slack shows it there."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


def settings_view(place: Place, settings: ChannelSettings) -> Block:
    """The modal for `views.open`. Publishers are left to the words where more are set than a menu can hold."""
    filters = settings.filters
    here = next((name for name, answers in _SWITCH.items() if answers is settings.answers), "elsewhere")
    seen = next((name for name, show in _SHOWS.items() if show == settings.show), "server")
    blocks = [
        *(_publishers(filters.publishers) if len(filters.publishers) <= _MOST_OPTIONS else ()),
        _day(SINCE, "First day", filters.since),
        _day(UNTIL, "Last day", filters.until),
        *_unlimited(filters),
        _choice(ANSWER, "Answer", _ANSWERS, "questions" if settings.every_question else "mentions"),
        _choice(SHOW, "Answers are seen by", _SEEN, seen),
        _choice(HERE, "In this channel", _HERE, here),
        _choice(ELSEWHERE, "In channels that say nothing of it", (_ON, _OFF), "on" if place.elsewhere else "off"),
    ]
    kept = {"team": place.team, "channel": place.channel, "command": place.command, "elsewhere": place.elsewhere}
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": json.dumps(kept),
        "title": labelled("Dateline in this channel"),
        "submit": labelled("Save"),
        "close": labelled("Cancel"),
        "blocks": blocks,
    }


def place_of(view: Mapping[str, Any]) -> Place:
    """Where the dialog belongs. Raises Unfit."""
    try:
        kept = json.loads(view.get("private_metadata") or "")
        place = Place(str(kept["team"]), str(kept["channel"]), str(kept["command"]), bool(kept["elsewhere"]))
    except (ValueError, TypeError, KeyError) as error:
        raise Unfit({ANSWER: _UNREADABLE}) from error
    if not place.channel:  # which would stand for all other channels
        raise Unfit({ANSWER: _UNREADABLE})
    return place


def chosen_in(
    view: Mapping[str, Any], settings: ChannelSettings, names: Iterable[str]
) -> tuple[ChannelSettings, bool | None]:
    """The settings as the submitted dialog wants them, and whether to answer elsewhere, if that was changed there.
    `names` are the publishers that may be meant by a digest. Raises Unfit."""
    place, form = place_of(view), _Form(view)
    filters = settings.filters
    if form.has(PUBLISHERS):
        filters = replace(filters, publishers=_named(form.values(PUBLISHERS), [*filters.publishers, *names]))
    cleared = form.values(UNLIMITED)
    since, until = (None if name in cleared else form.day(name) for name in (SINCE, UNTIL))
    if since and until and since > until:
        raise Unfit({UNTIL: _LATER})
    elsewhere = form.value(ELSEWHERE) == "on"
    wanted = ChannelSettings(
        filters=Filters(since, until, filters.publishers),
        every_question=form.value(ANSWER) == "questions",
        show=_SHOWS.get(form.value(SHOW)),
        answers=_SWITCH.get(form.value(HERE)),
    )
    return wanted, None if elsewhere == place.elsewhere else elsewhere


def suggestions(names: Sequence[str], typed: str) -> list[Block]:
    """Options for the publishers that hold every typed word, in their order but for those that begin with what was
    typed; last what was typed itself, if no publisher is called that."""
    wanted = " ".join(unescape(typed).split())
    key = wanted.casefold()
    found = [name for name in names if all(word in name.casefold() for word in key.split())]
    found.sort(key=lambda name: (publisher_key(name) != key, not name.casefold().startswith(key)))
    options = [_option(name) for name in found[:_MOST_OPTIONS]]
    if is_nameable(wanted) and _value(wanted)[0] == _SPELT and all(publisher_key(name) != key for name in found):
        written = {"text": labelled(f"{_label(wanted, _MOST_TEXT - len(_AS_WRITTEN))}{_AS_WRITTEN}")}
        options = [*options[: _MOST_OPTIONS - 1], {**written, "value": _value(wanted)}]
    return options


def is_nameable(name: str) -> bool:
    """Whether anything of the name can be seen."""
    return any(unicodedata.category(character)[0] not in "CZ" for character in name)


class _Form:
    """What was filled in, by block."""

    def __init__(self, view: Mapping[str, Any]) -> None:
        self._values = _mapping(_mapping(view.get("state")).get("values"))

    def has(self, block: str) -> bool:
        return bool(self._of(block))

    def value(self, block: str) -> str:
        return str(_mapping(self._of(block).get("selected_option")).get("value") or "")

    def values(self, block: str) -> list[str]:
        return [str(_mapping(option).get("value") or "") for option in self._of(block).get("selected_options") or ()]

    def day(self, block: str) -> date | None:
        """Raises Unfit."""
        said = self._of(block).get("selected_date")
        try:
            return date.fromisoformat(str(said)) if said else None
        except ValueError as error:
            raise Unfit({block: "This is no date."}) from error

    def _of(self, block: str) -> Mapping[str, Any]:
        return _mapping(_mapping(self._values.get(block)).get(block))


def _named(values: Sequence[str], names: Iterable[str]) -> tuple[str, ...]:
    """The publishers that these values stand for, each once. Raises Unfit."""
    by_digest = {_digest(name): name for name in names} if any(each[:1] == _DIGEST for each in values) else {}
    found: dict[str | None, str] = {}
    for value in values:
        name = by_digest.get(value) if value[:1] == _DIGEST else _spelt(value)
        if name is None or not is_nameable(name):
            raise Unfit({PUBLISHERS: _UNKNOWN})
        found.setdefault(publisher_key(name), name)
    return tuple(found.values())


def _value(name: str) -> str:
    spelt = _SPELT + urlsafe_b64encode(name.encode("utf-8", "surrogatepass")).decode()
    return spelt if len(spelt) <= _MOST_VALUE else _digest(name)


def _spelt(value: str) -> str | None:
    try:
        return urlsafe_b64decode(value.removeprefix(_SPELT)).decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError):
        return None


def _digest(name: str) -> str:
    return _DIGEST + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _label(name: str, most: int) -> str:
    """As much of both ends of a name as its label may hold once it is `literal`."""
    words = tidy(name)
    room = most
    while _length(literal(cut := _both_ends(words, room))) > most:
        room -= 1
    return cut


def _both_ends(words: str, most: int) -> str:
    if len(words) <= most:
        return words
    end = most // 3
    return f"{words[: most - end - 1].rstrip()}…{words[len(words) - end :].lstrip()}"


def _length(words: str) -> int:
    """What Slack may count, at the most: UTF-16 units, with &, < and > as entities."""
    return len(words.encode("utf-16-le")) // 2 + 4 * sum(words.count(special) for special in "&<>")


def _option(name: str) -> Block:
    label = _label(name, _MOST_TEXT) if is_nameable(name) else _NAMELESS
    return {"text": labelled(label), "value": _value(name)}


def _publishers(chosen: Sequence[str]) -> list[Block]:
    menu: Block = {
        "type": "multi_external_select",
        "action_id": PUBLISHERS,
        "min_query_length": 0,
        "max_selected_items": _MOST_OPTIONS,
        "placeholder": labelled("All publishers"),
    }
    if chosen:
        menu["initial_options"] = [_option(name) for name in chosen]
    return [_input(PUBLISHERS, "Publishers", menu, optional=True)]


def _day(name: str, label: str, day: date | None) -> Block:
    picker: Block = {"type": "datepicker", "action_id": name, "placeholder": labelled("Any day")}
    if day:
        picker["initial_date"] = day.isoformat()
    return _input(name, label, picker, optional=True)


def _unlimited(filters: Filters) -> list[Block]:
    """A way to take dates back: not every one of Slack's apps lets a date be emptied once it is chosen."""
    offered = ((SINCE, "No first day", filters.since), (UNTIL, "No last day", filters.until))
    options = [{"text": labelled(label), "value": name} for name, label, day in offered if day]
    boxes = {"type": "checkboxes", "action_id": UNLIMITED, "options": options}
    return [_input(UNLIMITED, "Without limit", boxes, optional=True)] if options else []


def _choice(name: str, label: str, choices: Sequence[tuple[str, str]], chosen: str) -> Block:
    options = {value: {"text": labelled(words), "value": value} for value, words in choices}
    buttons = {
        "type": "radio_buttons",
        "action_id": name,
        "options": list(options.values()),
        "initial_option": options[chosen],
    }
    return _input(name, label, buttons, optional=False)


def _input(name: str, label: str, element: Block, *, optional: bool) -> Block:
    return {"type": "input", "block_id": name, "label": labelled(label), "element": element, "optional": optional}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
