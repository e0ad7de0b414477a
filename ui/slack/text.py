"""Words of other people on their way into Slack, where punctuation can call a whole channel and length is limited.

`literal` is for text that Slack shows as it is (`plain_text`, the `text` elements of `rich_text`), `plain` for mrkdwn,
which it reads. What an article, a title, a question or a model said goes through one of them; `worded`, `linked` and
`labelled` are the elements that carry it.

A message that Slack would refuse is drawn `within` less and less room: quotes are shortened first, the longest first,
then notes and titles, then links go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any
from urllib.parse import quote, urlsplit

__all__ = [
    "LEAST",
    "WHOLE",
    "Block",
    "Room",
    "context",
    "fitted",
    "labelled",
    "linked",
    "literal",
    "plain",
    "quoted",
    "rich",
    "section",
    "shortened",
    "tidy",
    "web_link",
    "within",
    "worded",
]

Block = dict[str, Any]

# Slack refuses blocks whose JSON is longer than about 13,200 characters (slackapi/bolt-js, issues 2509 and 2867).
_MOST = 12_000
_MOST_IN_A_CONTEXT = 10
# Characters of a text that is not shortened, as far as Slack takes it, and of one that can still be recognised.
WHOLE = 3_000
LEAST = 24

# Invisible, no space, and no part of a name, an address or an emoji's code: where it stands, none of them is read.
_JOINER = "\u2060"
_ELLIPSIS = "…"
# Half characters, which no message can carry, and what turns the direction of the words around it.
_HALF = re.compile("[\ud800-\udfff]")
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")
# Between the two halves of each of these: a control sequence, a call to everybody, an emoji's code, an address.
_LIVE = re.compile(
    r"(?<=<)(?=[!@#])|(?<=@)(?=channel|here|everyone)|(?<=[a-z]:)(?=//)|(?<=www\.)|(?<=mailto:)"
    r"|(?<=:)(?=(?!\d\d:)[\w+'-]{1,100}:)",  # two digits are part of a time
    re.IGNORECASE,
)
# Read in mrkdwn besides: any name behind @ and #, and an address without its scheme.
_NAMED = re.compile(r"(?<=[@#])(?=\w)|(?<=\w\.)(?=[^\W\d])")
_OPENING = re.compile(r"^(?=[>•-]|\d+[.)])")
# An invisible character beside them does not keep these from formatting, so their likes stand in for them.
_LIKENESS = str.maketrans({"*": "∗", "_": "ˍ", "~": "∼", "`": "ˋ"})
# What may stand in an address as it is: RFC 3986 without the characters that end a link in mrkdwn.
_KEPT = "/?#[]@!$&'()*+,;=:-._~%"
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?(:\d{1,5})?|\[[0-9a-f:.]+\](:\d{1,5})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Room:
    """The most characters that a quote, a note, a title, a link and a claim may take. In a `dense` message claims and
    sources stand in one text each, without links."""

    quote: int
    note: int = 800
    title: int = 250
    link: int = 1_000
    claim: int = WHOLE
    dense: bool = False


# From the roomiest to the tightest; `quote` is the least that a quote is shortened to before the next is tried.
_ROOMS = (
    Room(quote=80),
    Room(quote=80, note=150, title=120),
    Room(quote=80, note=150, title=100, link=200),
    Room(quote=80, note=150, title=60, link=0),
    Room(quote=80, note=150, title=60, dense=True),
    Room(quote=80, note=80, title=40, claim=300, dense=True),
    Room(quote=40, note=40, title=24, claim=100, dense=True),
    Room(quote=0, note=20, title=12, claim=LEAST, dense=True),
)


def tidy(words: str) -> str:
    """On one line, without what cannot be sent or seen."""
    return " ".join(_UNSEEN.sub("", _HALF.sub("\ufffd", words)).split())


def shortened(words: str, most: int) -> str:
    """At most this many characters; an ellipsis stands for the end that was cut off, between words where it can."""
    if len(words) <= most:
        return words
    if most < 1:
        return ""
    kept = words[: most - 1]
    gap = kept.rfind(" ")
    if not words[most - 1].isspace() and gap >= most - max(4, most // 5):
        kept = kept[:gap]
    return kept.rstrip() + _ELLIPSIS


def literal(words: str) -> str:
    """For an element that Slack does not read: the same words, with an invisible joiner in what one of its apps could
    still turn into a mention, a link or an emoji."""
    return _LIVE.sub(_JOINER, tidy(words))


def plain(words: str) -> str:
    """For mrkdwn: the same words, none of which Slack reads as more than that."""
    unformatted = literal(words).translate(_LIKENESS)
    return escape(_OPENING.sub(_JOINER, _NAMED.sub(_JOINER, unformatted)), quote=False)


def fitted(words: str, most: int) -> str:
    """`plain` with at most this many characters, cut in the words and never in what stands for one of them."""
    room = most
    while len(safe := plain(shortened(tidy(words), room))) > most:
        room -= max(1, (len(safe) - most) // 5)
    return safe


def web_link(url: str | None) -> str | None:
    """The address as it may stand behind a title, in ASCII; None for what is not a sound http(s) address, or one that
    shows another host's name in front of its own."""
    if not url:
        return None
    try:
        parts = urlsplit(_HALF.sub("\ufffd", url).strip())
        host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
        sound = parts.scheme in ("http", "https") and _HOST.fullmatch(host) and parts.port != 0
    except ValueError:  # no number for a port, half an IPv6 address, a name that no host can have
        return None
    query, fragment = f"?{parts.query}" if parts.query else "", f"#{parts.fragment}" if parts.fragment else ""
    link = f"{parts.scheme}://{host}{quote(parts.path + query + fragment, safe=_KEPT)}"
    return link if sound and len(link) <= WHOLE else None


def worded(words: str, style: str = "") -> Block:
    """An element of rich text without any effect; `style` is `bold`, `italic` or `code`. Line breaks are kept."""
    element = {"type": "text", "text": "\n".join(_edged(line) for line in words.split("\n"))}
    return {**element, "style": {style: True}} if style else element


def linked(words: str, link: str) -> Block:
    """An element of rich text that opens an address which `web_link` has let through."""
    return {"type": "link", "url": link, "text": literal(words)}


def labelled(words: str) -> Block:
    """The words of a button or of a line of context."""
    return {"type": "plain_text", "text": literal(words), "emoji": False}


def context(lines: Sequence[str]) -> list[Block]:
    """Small print: a block for each line, or where they are many for ten, which Slack then shows in a row."""
    each = 1 if len(lines) <= _MOST_IN_A_CONTEXT else _MOST_IN_A_CONTEXT
    some = [lines[at : at + each] for at in range(0, len(lines), each)]
    return [{"type": "context", "elements": [labelled(line) for line in lines]} for lines in some]


def rich(elements: Sequence[Block]) -> Block:
    """A block of sections and quotes."""
    return {"type": "rich_text", "elements": list(elements)}


def section(*elements: Block) -> Block:
    """A paragraph; elements without words, which Slack refuses, are left out."""
    return {"type": "rich_text_section", "elements": [element for element in elements if element["text"]]}


def quoted(*elements: Block) -> Block:
    """A paragraph that is marked as somebody's words."""
    return {"type": "rich_text_quote", "elements": [element for element in elements if element["text"]]}


def within(draw: Callable[[Room], list[Block]], most: int) -> list[Block]:
    """The blocks in the first room that Slack takes, with quotes as long as it takes them and at most `most`."""
    for room in _ROOMS:
        blocks = draw(replace(room, quote=most))
        if _length(blocks) <= _MOST:
            return blocks
        fits, too_long = room.quote, most
        blocks = draw(room)
        if _length(blocks) > _MOST:
            continue
        while too_long - fits > 1:
            middle = (fits + too_long) // 2
            tried = draw(replace(room, quote=middle))
            if _length(tried) <= _MOST:
                fits, blocks = middle, tried
            else:
                too_long = middle
        return blocks
    return blocks


def _length(blocks: Sequence[Block]) -> int:
    """What Slack may count, at the most: UTF-16 units of the JSON, with &, < and > as entities."""
    written = json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))
    return len(written.encode("utf-16-le")) // 2 + 4 * sum(written.count(special) for special in "&<>")


def _edged(words: str) -> str:
    """`literal`, with the one space at either end that keeps an element from its neighbour."""
    before, after = " " if words[:1] == " " else "", " " if words[-1:] == " " else ""
    return f"{before}{literal(words)}{after}"
