"""Whether "today" in a question means a day ("who resigned today") or the present ("who works there today")."""

from __future__ import annotations

import re
from itertools import islice

from rag.answering.periods.verbs import HAVE, PAST, is_participle

__all__ = ["means_present"]

# No clause has more verbs than this, and none is told by what stands further before it (code points).
_MOST, _BACK = 20, 80
# How far from the word a question is read (code points).
_AROUND = 400

_OF_TODAY = re.compile(r"\b(?:of|than|even|still|as\s+of|than\s+it\s+is|used)\s+$")
# Where a clause ends: what follows says when it is for itself.
_CLAUSES = re.compile(
    r"[,;:.?!()—–]+(?!\d)|\s(?:and|but|or|while)\s+(?=(?:how|who|whom|whose|what|whats|when|where|which|why|in\s+which|is|are"
    r"|was|were|do|does|did|has|have|had|will|can)\b)"
)
# Words that ask for what happened on a day, in whatever tense.
_NEWS = re.compile(
    r"\b(?:happen(?:ed|s|ing)?|going\s+on|take[sn]?\s+place|says?|news|what(?:'s|\s+is|s)?\s+new|anything\s+new|latest"
    r"|headlines?|announced?|reported|died|killed|earlier|so\s+far)\b"
)
_DID = re.compile(r"\bdid(?:n't)?\b")
_STATES_TEXT = """
is are am isn't aren't do does don't doesn't can should must live lives work works stand stands cost costs run runs own
owns remain remains exist exists survive survives employ employs use uses need needs earn earns pay pays serve serves
speak speaks sail sails play plays hold holds include includes belong belongs rule rules govern governs lead leads know
knows produce produces sell sells house houses rely relies depend depends sit sits weigh weighs measure measures
"""
_STATES = re.compile(rf"\b(?:{'|'.join(_STATES_TEXT.split())})\b|(?:who|what|that|where|there|he|she|it)'s\b")


def means_present(question: str, start: int) -> bool:
    """Whether the "today" at a place of a question means the present, and not that day: the clause that holds it
    decides, and where it has no verb, the question."""
    text = question.lower().replace("’", "'")
    if len(text) != len(question):  # a letter whose small form is longer
        text = question
    text, start = text[max(0, start - _AROUND) : start + _AROUND], min(start, _AROUND)
    if _OF_TODAY.search(text[max(0, start - 40) : start]):
        return True
    low, high = _clause(text, start)
    for first, last in ((low, high), (0, len(text))):
        is_day = _asks_for_the_day(text[first:last], start - first)
        if is_day is not None:
            return not is_day
    return True


def _clause(text: str, start: int) -> tuple[int, int]:
    breaks = [match.span() for match in _CLAUSES.finditer(text)]
    low = max((end for _, end in breaks if end <= start), default=0)
    return low, min((begin for begin, _ in breaks if begin > start), default=len(text))


def _asks_for_the_day(clause: str, at: int) -> bool | None:
    """Whether a clause tells of an event, by its news words or by the verb that is nearest to the "today" at a
    place of it; None if neither is there."""
    if _NEWS.search(clause) or _DID.search(clause):
        return True
    pasts = [match.start() for match in islice(PAST.finditer(clause), _MOST)]
    events = [start for start in pasts if _is_event(clause[max(0, start - _BACK) : start])]
    states = [match.start() for match in islice(_STATES.finditer(clause), _MOST)]
    if not events:
        return False if states else None
    return not states or min(abs(at - event) for event in events) < min(abs(at - state) for state in states)


def _is_event(before: str) -> bool:
    """Whether a past form after these words tells of an event: "has the minister resigned", but not "is employed"
    or "are they still used"."""
    if HAVE.search(before):
        return True
    if is_participle(before):
        return False
    state = max((match.end() for match in re.finditer(r"\b(?:is|are|isn't|aren't)\b", before)), default=None)
    return state is None or bool(re.search(r"\b(?:who|which|that|was|were|and)\b", before[state:]))
