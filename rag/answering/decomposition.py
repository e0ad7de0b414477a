"""Questions that ask for two things: what each of two parties did, or two questions in one.

A reader of one answer is unsure of both: it is asked for each on its own as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.answering.candidates import Candidate, leans_back
from rag.english.names import Names, group, name_words
from rag.english.words import fold

_NAME = r"(?:[Tt]he )?[A-Z][\w.’'-]*(?: (?:al-)?[A-Z][\w.’'-]*)*"
# Whom a question is about stands behind its verb; elsewhere "and" is mostly part of a name or of a list.
_VERB = r"(?P<verb>\b(?i:are|were|do|did|have|had|will|would|should|can|could|happened to|about))"
_PARTIES = re.compile(rf"{_VERB} (?:both )?(?P<one>{_NAME}),? and (?P<other>{_NAME})")
_ASKS = r"(?:who|whom|whose|what|when|where|why|which|how)"
_OPENS = re.compile(rf"{_ASKS}\b", re.IGNORECASE)
_CLAUSES = re.compile(rf",? and (?={_ASKS}\b)", re.IGNORECASE)
_LEANS = re.compile(r"\b(?:it|its|he|his|him|she|her|hers|they|their|them)\b", re.IGNORECASE)
_SHORTEST = 3  # words of a question in its own right


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is asked. `party` is the last word of whom it is asked about, folded; empty where there is only
    one. `leans` says that it speaks of what the part before it was about."""

    question: str
    party: str = ""
    leans: bool = False

    def may_be_answered_by(self, candidate: Candidate, article: str) -> bool:
        """Whether the candidate, or the sentence that it leans on, names the party. `article` is the id of the one
        that answers the part before best."""
        if not self.party:
            return not self.leans or candidate.hit.article.id == article
        before = candidate.neighbour(-1) if leans_back(candidate.text) else None
        text = candidate.slice(before) + " " + candidate.text if before else candidate.text
        return Names((self.party,)).stand_in(name_words(text))


def parts(question: str) -> tuple[Part, ...]:
    """What a question asks for, each as a question; empty if that is one thing."""
    clauses = [clause.strip() for clause in _CLAUSES.split(question)]
    if len(clauses) > 1 and all(_is_question(clause) for clause in clauses):
        return tuple(Part(clause, leans=n > 0 and bool(_LEANS.search(clause))) for n, clause in enumerate(clauses))
    found = _PARTIES.search(question)
    if found is None:
        return ()
    before, after = question[: found.end("verb")], question[found.end() :]
    return tuple(Part(f"{before} {name}{after}", _last_word(name)) for name in found.group("one", "other"))


def _is_question(clause: str) -> bool:
    return bool(_OPENS.match(clause)) and len(clause.split()) >= _SHORTEST


def _last_word(name: str) -> str:
    return group(fold(name.rsplit(maxsplit=1)[-1]).strip(".-'").removesuffix("'s"))
