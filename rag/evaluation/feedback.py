"""Readers' feedback as questions of an answers run: what they found right is what the library has to go on saying."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from rag.records import Feedback

__all__ = ["Gradable", "gradable"]

# A run asks without filters: what was right among some of the articles need not be so among all of them.
_NARROWING = ("since", "until", "publishers")


@dataclass(frozen=True, slots=True)
class Gradable:
    """`cases` are lines for `rag eval answers`; `left_out` counts the feedback that makes none, by the reason."""

    cases: tuple[dict[str, Any], ...]
    left_out: Counter[str]

    def lines(self) -> str:
        """The cases as JSON, one a line; in ASCII, which every tool reads alike."""
        return "".join(json.dumps(case) + "\n" for case in self.cases)

    def told(self) -> str:
        """One sentence about what is in it and what is not."""
        given = len(self.cases) + self.left_out.total()
        if not given:
            return "no reader has given feedback yet"
        said = f"{len(self.cases)} of {given} opinions make a question"
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.left_out.items())
        return f"{said}; left out: {reasons}" if reasons else said


def gradable(opinions: Iterable[Feedback]) -> Gradable:
    """What was found right is to be quoted first again, or declined again; what was found wrong is to give way to
    the words that the reader expected."""
    cases = []
    left_out: Counter[str] = Counter()
    for opinion in opinions:
        expected = _expected(opinion)
        if any(opinion.settings.get(name) for name in _NARROWING):
            left_out["asked with filters"] += 1
        elif not expected and not _rightly_declined(opinion):
            left_out["without the words of a right answer"] += 1
        else:
            cases.append(_case(opinion, expected or None))
    return Gradable(tuple(cases), left_out)


def _rightly_declined(opinion: Feedback) -> bool:
    return opinion.good and opinion.answer.verdict == "no_evidence"


def _expected(opinion: Feedback) -> list[str]:
    """Strings of which the first quote is to hold one."""
    if not opinion.good:
        return [words] if (words := opinion.expected.strip()) else []
    # The first claim is what the answer stands or falls by; those behind it say more, but not instead.
    return list(dict.fromkeys(quote.text for claim in opinion.answer.claims[:1] for quote in claim.quotes))


def _case(opinion: Feedback, answers: list[str] | None) -> dict[str, Any]:
    return {
        "id": opinion.id,
        "question": opinion.answer.question,
        "answers": answers,
        "history": [asdict(turn) for turn in opinion.history],
        "good": opinion.good,
        "comment": opinion.comment,
        "face": opinion.face,
        "given": opinion.given,
        "settings": opinion.settings,
    }
