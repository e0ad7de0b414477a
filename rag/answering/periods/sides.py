"""On which side of its publication a text puts a weekday or a month: "came home on Saturday", "will meet in May"."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Literal

from rag.answering.checking.days import Day, Side
from rag.answering.periods.verbs import BE_PRESENT, BE_UNTOLD, DETERMINER, PAST
from rag.english.sentences import sentences
from rag.records import Span

__all__ = ["sides"]

Kind = Literal["past", "spoken", "ahead", "open"]
# Where a verb begins and ends, and what it says of when.
Cue = tuple[int, int, Kind]
_ALONE: dict[Kind, Side] = {"past": "before", "spoken": "before", "ahead": "after", "open": "either"}

# No clause has more verbs than this, and none is told by what stands further before it (code points).
_MOST, _BACK = 20, 60

_CLAUSES = re.compile(
    r"[,;:()—–“”\"]+(?!\d)|\s-\s|\b(?:that|which|who|whose|when|where|while|because|although|though|but|whether|as)\s"
)
_AHEAD = re.compile(
    r"\b(?:will|won't|shall|due|scheduled|slated|upcoming|tomorrow|planned|expected|would|going\s+to|to\s+be"
    r"|(?:plan|hope|intend|aim|expect)s?\s+to|expects?|set\s+to|set\s+for|(?:is|are)\s+to|(?:is|are)\s+\w+ing)\b|'ll\b"
    r"|\b(?:is|are)(?=\s+(?:on|in|for)\s+$)"
)
# Verbs that announce while they stand in the present: "talks resume on Monday", "the council votes on 2 April".
_ANNOUNCING = re.compile(
    r"\b(?:resumes?|begins?|starts?|opens?|reopens?|closes?|votes?|meets?|expires?|ends?|arrives?|returns?|launch(?:es)?"
    r"|takes?\s+place|takes?\s+effect|comes?\s+into\s+force|kicks?\s+off|goes?\s+on\s+(?:sale|trial))\b(?!\s+of\b)"
)
_OPEN = re.compile(r"\b(?:may|might|could|can|should|must|every|until|till|once)\b")
# Who says, calls or puts off something on a day is past only if the day is that of the saying.
_SPOKEN = re.compile(
    r"(?:said|warned|announced|called|set|postponed|delayed|moved|agreed|approved|ordered|proposed|promised|pledged"
    r"|threatened|vowed|invited|extended|adjourned|decided|wanted|confirmed)"
)
_RIGHT_AFTER = re.compile(
    r"(?:\s+(?:reporters|journalists|a\s+news\s+conference|in\s+a\s+statement|late|early|earlier|on|in))*\s+$"
)
_SUPPOSED = re.compile(r"\b(?:if|unless)\b")
_FURTHER = re.compile(r"\band\s+(?:the|a|an|he|she|it|they|we|his|her|their|its)\s")
_HEAD = re.compile(r"\W*(?:(?:and|but|only|also|late|early|earlier|overnight)\s+)*(?:(?:on|in|at|by)\s+)?(?:the\s+)?")
_LAST = re.compile(r"\b(?:last|past|since)\s+$")
_NEXT = re.compile(r"\b(?:next|coming)\s+$")
_UNTIL = re.compile(
    r"\b(?:until|till|by|for|before|ahead\s+of|after|from)\s+(?:the\s+(?:end|start|beginning)\s+of\s+)?$"
)
_TO_VERB = re.compile(r"\bto\s+(?!(?:the|a|an|his|her|their|its|power|work|court|hospital|prison|jail|death)\b)[a-z]+")


def sides(text: str) -> Callable[[Day], Side]:
    """What tells of a day that a text names on which side of the publication it lies, by the verb of its clause;
    "either" where that cannot be told."""
    spans: list[Span] = []

    def side(day: Day) -> Side:
        if not spans:  # most passages name no time that asks for them
            spans.extend(sentences(text))
        span = next((span for span in spans if span.start <= day.start < span.end), None)
        if span is None:
            return "either"
        sentence = text[span.start : span.end]
        start = day.start - span.start
        return _side(sentence, start, start + len(day.text)) if len(sentence.lower()) == len(sentence) else "either"

    return side


def _side(written: str, start: int, end: int) -> Side:
    # The month is not the "may" of what may be.
    sentence = written.replace("May", "___").lower().replace("’", "'")
    before = sentence[max(0, start - _BACK) : start]
    if _LAST.search(before):
        return "before"
    if _NEXT.search(before):
        return "after"
    breaks = [match.span() for match in _CLAUSES.finditer(sentence)]
    low = max((last for _, last in breaks if last <= start), default=0)
    high = min((first for first, _ in breaks if first >= end), default=len(sentence))
    if _SUPPOSED.search(sentence, low, high):
        return "either"
    further = _FURTHER.search(sentence, end, high)
    high = further.start() if further else high
    led_up, following = _cues(sentence, low, start), _cues(sentence, end, high)
    if not (led_up or following) and _HEAD.fullmatch(sentence[low:start]):
        # "On Monday, the council voted": what it goes with is beside it
        led_up, following = _cues(sentence, 0, start), [] if low else _cues(sentence, end, len(sentence))
    if not led_up:
        return _ALONE[following[0][2]] if following else "either"
    if (
        following
        and following[0][2] != "open"
        and led_up[-1][2] != following[0][2]
        and not sentence[end : following[0][0]].strip()
    ):
        return "either"  # "the man arrested on Friday will appear", "he said the talks on Friday would go on"
    return _led_up(written[led_up[-1][1] : start], led_up[-1][2])


def _led_up(between: str, kind: Kind) -> Side:
    """The side of a time to which a verb of a kind leads up, with what stands between them."""
    if kind == "spoken":
        return "before" if _RIGHT_AFTER.fullmatch(between) else "either"
    if kind == "past" and (_UNTIL.search(between) or _TO_VERB.search(between)):
        return "either"
    return _ALONE[kind]


def _cues(sentence: str, low: int, high: int) -> list[Cue]:
    """The words of a stretch that tell when, in order."""
    part = sentence[:high]
    found: list[Cue] = []
    for pattern in (_AHEAD, _ANNOUNCING, _OPEN, PAST):
        for match in islice(pattern.finditer(part, low), _MOST):
            kind = _kind(pattern, match.group(), part[max(0, match.start() - _BACK) : match.start()])
            if kind is not None:
                found.append((*match.span(), kind))
    # Of two that open at one place, such as "planned", the one that looks ahead stands last and decides.
    return sorted(found, key=lambda cue: (cue[0], cue[2] == "ahead"))


def _kind(pattern: re.Pattern[str], word: str, before: str) -> Kind | None:
    if pattern is _OPEN:
        return "open"
    if pattern is _AHEAD:
        return "open" if re.search(r"\b(?:was|were|had|been)\s+$", before) else "ahead"
    if pattern is _ANNOUNCING:
        return None if DETERMINER.search(before) or before.endswith("to ") else "ahead"
    if BE_UNTOLD.search(before) or DETERMINER.search(before):
        return None
    if BE_PRESENT.search(before):
        return "open"
    return "spoken" if _SPOKEN.fullmatch(word) else "past"
