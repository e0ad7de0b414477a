"""Words that ask for the newest without fixing a time ("latest", "currently", "so far"), and what they do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import islice

from rag.answering.candidates import Candidate
from rag.answering.periods.present import means_present

__all__ = ["newest_first", "newest_phrases"]

# A sentence that is this many times as likely to answer as the best (or more) is as relevant, and its date
# decides: on dated documents that disagree, 0.3 and 0.4 did best of 0.3 to 0.9.
_NEAR = 0.35

_NEWEST = re.compile(
    r"\b(?:(?<!at the )(?<!at )latest|most recent(?:ly)?|newest|recent(?:ly)?"
    r"(?:\s+(?:days|weeks|months|years|times))?|currently|lately|current(?!\s+(?:account|affairs))|presently"
    r"|(?:right\s+|as\s+of\s+|until\s+|up\s+to\s+|up\s+until\s+|by\s+|just\s+)?now(?!\s+that\b)"
    r"|nowadays|these\s+days|at\s+the\s+moment|at\s+present|so\s+far(?!\s+(?:as|away|from))|up\s+to\s+date|to\s+date)\b",
    re.IGNORECASE,
)
# "the last championship", "when was it last hosted": the most recent one, but "his last name", "the last king".
_LAST = re.compile(
    r"\b(?:(?<=the )|(?<=its )|(?<=their ))last\b(?!\s+(?:names?|words?|minutes?|resort|kings?|queen|emperor|tsar|man"
    r"|men|person|people|survivors?|chance|letter|line|page|part|stages?|days?|weeks?|months?|years?|decades?"
    r"|centur\w+|\d+|two|three|four|five|six|few|of)\b)"
    r"|\blast(?=\s+(?:time|\w+ed|won|held|met|seen|spoke)\b)|(?<=ed )last(?=\s*\?*$)",
    re.IGNORECASE,
)
# A stream, not the present.
_STREAM = re.compile(
    r"\b(?:ocean|electric(?:al)?|alternating|direct|rip|air|tidal|sea|warm|cold|strong)\s+$", re.IGNORECASE
)

# No question has more of these words than this; of one that has, the rest are not read.
_MOST = 20

_TODAY = re.compile(r"\btoday\b", re.IGNORECASE)


def newest_phrases(question: str) -> list[re.Match[str]]:
    """The words of a question that ask for the newest."""
    words = question.split()
    telling = sum(word[0].isupper() for word in words) <= 0.85 * len(words)
    return [
        match
        for match in (*_first(_NEWEST, question), *_first(_LAST, question), *_todays(question))
        if not _STREAM.search(question[: match.start()])
        # "Apocalypse Now": a capital that its place does not explain
        and not (
            telling and match.start() and match.group()[0].isupper() and question[match.start() - 2] not in ".?!:;,"
        )
    ]


def newest_first(candidates: Sequence[Candidate], today: date, near: float = _NEAR) -> list[Candidate]:
    """Candidates, best first, with those that are nearly as good as the best ordered by date, the newest
    first; what was published after today was not yet known and comes last. The scores stay where they were,
    so that they still fall."""
    if not candidates:
        return []
    floor = candidates[0].score * near
    close = [candidate for candidate in candidates if candidate.score >= floor]
    by_date = sorted(close, key=lambda candidate: _newness(candidate.hit.article.day or "", today), reverse=True)
    moved = [replace(candidate, score=place.score) for candidate, place in zip(by_date, close, strict=True)]
    return [*moved, *candidates[len(close) :]]


def _first(pattern: re.Pattern[str], question: str) -> Iterator[re.Match[str]]:
    return islice(pattern.finditer(question), _MOST)


def _todays(question: str) -> list[re.Match[str]]:
    return [match for match in _first(_TODAY, question) if means_present(question, match.start())]


def _newness(day: str, today: date) -> tuple[bool, str]:
    return day <= today.isoformat(), day
