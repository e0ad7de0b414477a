"""Questions that a name with its office answers: "Who is Ali Larijani?", "Who is Oman's foreign minister?"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.answering.followups.subjects import is_country
from rag.suggesting.predicates import Asking
from rag.suggesting.subjects import CAPITAL, NAME, Cast

__all__ = ["asked_who"]

_RUN = rf"(?<![\w’'.-])(?P<name>{CAPITAL}(?: (?:(?:bin|de|van|von|al) )?{CAPITAL}){{1,4}})"
# Offices that one person holds at a time.
_OFFICE = (
    r"(?:chief executive|chief operating officer|chief economist|prime minister|(?:[a-z]+ )?minister"
    r"|director[ -]general|secretary[ -]general|(?:home|foreign|defen[cs]e|treasury|education|health) secretary"
    r"|attorney general|president|chairman|chairwoman|chair|leader|head|governor|secretary|ambassador|envoy|editor"
    r"|mayor|manager|coach|captain|commissioner|founder|director|negotiator|chief negotiator|supreme leader|boss)"
)
_MANY = frozenset(("director", "manager", "head", "editor", "founder", "captain", "boss"))  # behind a name: of what?
# "Ali Larijani, secretary of the council," and "Brett McGurk, who coordinates ...".
_ASIDE = re.compile(rf"{_RUN}, (?P<role>(?!is |was |has |had |will )[^,;.]{{5,90}})[,.](?!\w)")
_HELD = re.compile(rf"(?:the )?(?P<office>{_OFFICE}) (?P<joint>of|at|to) (?P<body>(?:the )?{NAME})(?P<rest>['’]s .*)?")
_DOES = re.compile(
    rf"(?:the |an? )?(?:[\w'’-]+ ){{0,3}}?{_OFFICE}\b|who (?:heads|headed|leads|led|runs|ran|coordinates|founded|wrote"
    r"|directs|owns|won) |who (?:is|was) (?:the|an?) "
    r"|(?:the |an? )(?:[\w-]+ ){0,2}(?:singer|actor|actress|author|player)\b"
)
# "Oman's foreign minister, Badr al-Busaidi", "Nissan's chief executive Carlos Ghosn".
_HOLDER = re.compile(
    rf"(?<![\w’'.-])(?P<body>{CAPITAL}(?: {CAPITAL}){{0,3}})(?P<owns>['’]s)? (?P<office>{_OFFICE}),? {_RUN}"
)
_THING = re.compile(
    rf"(?<![\w’'.-])(?P<name>(?:the )?{NAME}), (?:an?|the) (?:(?:[a-z-]+|[A-Z][a-z]+(?:an|ese|ish|ch|-based)) ){{0,4}}?"
    r"(?:agency|company|firm|group|movement|website|ship|vessel|carrier|tanker|drug|disease|software|party|charity"
    r"|festival|museum|telescope|programme|program|project|airline|bank|newspaper|broadcaster|militia|virus)\b"
    r"(?=[,.]| (?:of|in|for|that|which|owned|controlled|based|run|with|from|at|by|made|used)\b)"
)


def asked_who(sentence: str, cast: Cast) -> Iterator[Asking]:
    """Questions about the people and things that a sentence introduces."""
    for match in _ASIDE.finditer(sentence):
        name = cast.called(match["name"], opens=match.start() == 0)
        if len(name.split()) in (2, 3) and cast.person(name) and _DOES.match(match["role"]):
            yield Asking(f"Who is {name}?", 0.5)
            yield from _office_of(match["role"], cast)
    for match in _HOLDER.finditer(sentence):
        body = match["body"].removeprefix("The ")
        if not cast.person(cast.called(match["name"], opens=False)) or not cast.called(body, opens=match.start() == 0):
            continue
        if match["owns"]:
            yield Asking(f"Who is {body}'s {match['office']}?", 0.75)
        elif match["office"] not in _MANY and (" " in body or is_country(body) or body.isupper()):
            yield Asking(f"Who is the {body} {match['office']}?", 0.7)
    for match in _THING.finditer(sentence):
        name = cast.called(match["name"], opens=match.start() == 0)
        if name and not cast.person(name):
            yield Asking(f"What is {name}?", 0.45)


def _office_of(role: str, cast: Cast) -> Iterator[Asking]:
    held = _HELD.fullmatch(role)
    body = cast.called(held["body"], opens=False) if held else ""
    if held and body and (held["body"].startswith("the ") or not cast.person(body)):
        yield Asking(f"Who is the {held['office']} {held['joint']} {held['body']}{held['rest'] or ''}?", 0.75)
