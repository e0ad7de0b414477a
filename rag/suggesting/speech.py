"""Questions that a sentence with somebody's own words answers: "What did Ingrid Dahl say about Norway?"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.suggesting.predicates import Asking
from rag.suggesting.subjects import NAME, Cast

__all__ = ["asked_what_was_said"]

_SAID = r"(?:said|says|added|explained|warned|argued|insisted)"
# '..., " said the mayor, Ingrid Dahl', 'Ingrid Dahl said: "...'.
_SPEAKER = re.compile(
    rf"[,.!?][\"”'’] {_SAID} (?:the )?(?:[a-z-]+,? ){{0,3}}(?P<after>{NAME})(?![’']s)"
    rf"|(?P<before>{NAME})(?:, [^,\"“”]{{3,60}},)? {_SAID}(?: that)?[:,]? [\"“‘]"
)
# A name in the middle of what is said.
_ABOUT = re.compile(
    rf"\b(?:on|about|against|with|for|of|by|that|and) (?P<about>(?:the )?{NAME})(?!['’]s|\w| [A-Z]| [a-z]+s\b)"
)


def asked_what_was_said(sentence: str, cast: Cast) -> Iterator[Asking]:
    """What the speaker of a sentence said, about the first name in it where there is one."""
    match = _SPEAKER.search(sentence)
    if not match:
        return
    who = cast.called(match["after"] or match["before"], opens=match.start("before") == 0)
    if not cast.person(who):
        return
    outside = f"{sentence[: match.start()]} {'' if match['after'] else sentence[match.end() :]}"
    for mention in _ABOUT.finditer(outside):
        about = cast.called(mention["about"], opens=False)
        if about and about not in who and who not in about:
            yield Asking(f"What did {who} say about {about}?", 0.45)
            return
    yield Asking(f"What did {who} say?", 0.3)
