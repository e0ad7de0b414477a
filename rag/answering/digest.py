"""Questions that name nothing but a time ("What happened last week?"): the newest articles of it, by their openings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.candidates import Candidate, sentences_of
from rag.answering.periods.period import Period
from rag.english.words import content_words
from rag.records import Hit

__all__ = ["asks_only_when", "newest_articles", "openings"]

# Words that ask for news, whatever it is about.
_ANY_NEWS_TEXT = """
happen happened happening happens occur occurred go going went gone take took taken place changed
new news whats latest recent headline headlines event events thing things anything something everything
story stories article articles report reports reported coverage published written said announced
main major big biggest top important notable key update updates summary summarise summarize overview
world tell show list give
"""
_ANY_NEWS = frozenset(_ANY_NEWS_TEXT.split())
# "Who was it last week?" asks for more than when, though none of its words has a topic.
_OF_SOMEBODY = re.compile(
    r"\b(?:who|whom|whose|why|how|where|when|he|she|they|him|her|them|his|their)\b", re.IGNORECASE
)


def asks_only_when(rest: str) -> bool:
    """Whether a question without its time (`Period.rest`) asks for no more than whatever there is."""
    return not _OF_SOMEBODY.search(rest) and _ANY_NEWS.issuperset(content_words(rest))


def newest_articles(hits: Sequence[Hit], period: Period) -> list[Hit]:
    """One passage of each dated article, its first if that was found, the newest article of the period first.
    What was published after the period counts only where nothing in it was, and what is dated after today never."""
    first: dict[str, Hit] = {}
    for hit in hits:
        other = first.get(hit.article.id)
        if other is None or hit.passage.ordinal < other.passage.ordinal:
            first[hit.article.id] = hit
    known = [hit for hit in first.values() if hit.article.day and hit.article.day <= period.today.isoformat()]
    within = [hit for hit in known if period.until is None or (hit.article.day or "") <= period.until.isoformat()]
    # An article of which a later passage was found opens in the middle: it comes after the others.
    return sorted(
        within or known, key=lambda hit: (hit.passage.ordinal == 0, hit.article.published or ""), reverse=True
    )


def openings(hits: Sequence[Hit], score: float) -> list[Candidate]:
    """The first sentence of each hit, all with the same score: nothing of what was asked tells them apart."""
    own = (sentences_of(hit)[:1] for hit in hits)
    return [Candidate(first.hit, first.around, first.at, score) for found in own for first in found]
