"""Search for a question that may ask about a time: what is from it or tells of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.answering.periods.matching import named_in_words, published_filters, published_within, tells_of
from rag.answering.periods.period import Period
from rag.english.words import content_words
from rag.records import Filters, Hit
from rag.retrieval.retriever import Retriever

__all__ = ["PassageSet", "SearchOutcome", "asks_only_when", "search", "without_demand"]

# Passages of any date among which those are looked for that tell of the dates.
_DEPTH = 50
# Passages of the dates among which the newest articles are looked for where nothing but a time is asked for.
_DIGEST_DEPTH = 200
_DIGEST_ARTICLES = 5
# A passage of another date counts as a match that was left out from this share of the best score on.
_MATCH = 0.5

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
_ASKS_MORE = re.compile(r"\b(?:who|whom|whose|why|how|where|when|he|she|they|him|her|them|his|their)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PassageSet:
    """Passages that may answer together, best first.

    `wordings` pairs each wording of the question with the passages that are read with it: where the date of an
    article stands for the words that set the time, these words are left out. In a `digest` nothing but a time is
    asked for: the opening sentence of each passage answers as well as any other.
    """

    hits: tuple[Hit, ...] = ()
    wordings: tuple[tuple[str, tuple[Hit, ...]], ...] = ()
    digest: bool = False
    only_undated: bool = False  # all that is left are articles without a date

    @property
    def undated(self) -> int:
        """Number of articles without a date."""
        return len({hit.article.id for hit in self.hits if hit.article.published is None})


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """What a search returned. The first of `passage_sets` that answers is used, else none."""

    dates: Period
    passage_sets: tuple[PassageSet, ...]
    nearest: tuple[Hit, ...]  # to offer where nothing answers, whatever their date
    left_out: int = 0  # matches of other dates
    left_out_is_nearer: bool = False  # whether one of them matches better than what was searched
    dates_excluded: bool = False  # the reader's filters exclude the dates of the question, and were kept


def search(query: str, dates: Period, filters: Filters, retriever: Retriever, top_k: int) -> SearchOutcome:
    """The passages for a question within its dates (as `read_period` gives them) and the filters."""
    # No article says of itself that it is the latest.
    undated_query = dates.rest if content_words(dates.rest) else query
    narrowed = published_filters(dates, filters)
    if not dates.demanded or narrowed is None:
        text = query if dates.demanded else undated_query
        hits = tuple(retriever.retrieve(text, filters, top_k))
        return SearchOutcome(dates, (PassageSet(hits, ((text, hits),)),), hits, dates_excluded=dates.demanded)

    anywhere = retriever.retrieve(query, filters, _DEPTH)
    telling = [hit for hit in anywhere if published_within(dates, hit) or tells_of(dates, hit)]
    if asks_only_when(dates.rest):
        named = tuple(hit for hit in telling if named_in_words(dates, hit))[:top_k]
        newest = _newest_articles(retriever.retrieve(query, narrowed, _DIGEST_DEPTH), dates)[:_DIGEST_ARTICLES]
        return SearchOutcome(
            dates, (PassageSet(named, ((query, named),)), PassageSet(newest, digest=True)), newest or named
        )

    inside = _merge(telling, retriever.retrieve(undated_query, narrowed, top_k))[:top_k]
    # Where an article shares the words of the dates with the question they count; elsewhere its date stands for them.
    named = tuple(hit for hit in inside if named_in_words(dates, hit))
    dated = tuple(hit for hit in inside if hit not in named)
    sets = [PassageSet(inside, ((query, named), (undated_query, dated)))]
    if dates.relative:
        # Without its date nobody knows which day an article calls yesterday: it may be the one asked about.
        undated = tuple(hit for hit in anywhere[:top_k] if hit.article.published is None)
        sets.append(PassageSet(undated, ((undated_query, undated),), only_undated=True))
    kept = {hit.passage.id for hit in telling}
    others = [
        hit
        for hit in anywhere[:top_k]
        if hit.article.published and hit.passage.id not in kept and hit.score >= _MATCH * anywhere[0].score
    ]
    best = max((hit.score for hit in telling), default=0.0)
    return SearchOutcome(
        dates,
        tuple(sets),
        inside or tuple(anywhere[:top_k]),
        left_out=len(others),
        left_out_is_nearer=any(hit.score > best for hit in others),
    )


def without_demand(dates: Period, query: str) -> Period:
    """The dates of a question that is asked over all dates: only the wish for the newest is left."""
    if not dates.demanded:
        return dates
    return replace(dates, since=None, until=None, strength="prefer", reported_until=None, rest=query)


def asks_only_when(rest: str) -> bool:
    """Whether a question without the words that set the time asks for any news ("What happened last week?")."""
    return not _ASKS_MORE.search(rest) and _ANY_NEWS.issuperset(content_words(rest))


def _newest_articles(hits: Sequence[Hit], dates: Period) -> tuple[Hit, ...]:
    """One passage of each dated article, its first if that was returned, the newest article first.

    What was published after the dates counts only where nothing in them was, and what is dated after today never.
    """
    first: dict[str, Hit] = {}
    for hit in hits:
        other = first.get(hit.article.id)
        if other is None or hit.passage.ordinal < other.passage.ordinal:
            first[hit.article.id] = hit
    known = [hit for hit in first.values() if hit.article.day and hit.article.day <= dates.today.isoformat()]
    within = [hit for hit in known if dates.until is None or (hit.article.day or "") <= dates.until.isoformat()]
    # An article of which only a later passage was returned opens in the middle: it comes after the others.
    return tuple(
        sorted(within or known, key=lambda hit: (hit.passage.ordinal == 0, hit.article.published or ""), reverse=True)
    )


def _merge(one: Sequence[Hit], other: Sequence[Hit]) -> tuple[Hit, ...]:
    """Two lists of hits as one, best first, each passage once with its better score."""
    best: dict[str, Hit] = {}
    for hit in (*one, *other):
        known = best.get(hit.passage.id)
        best[hit.passage.id] = hit if known is None or hit.score > known.score else known
    return tuple(sorted(best.values(), key=lambda hit: -hit.score))
