"""Search for a question that may ask about a period: what is from it or tells of it, the newest first if asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.answering.candidates import Candidate, speaks_of_part
from rag.answering.digest import asks_only_when, newest_articles, openings
from rag.answering.extraction import Extractor
from rag.answering.periods.matching import named_in_words, published_filters, published_within, tells_of
from rag.answering.periods.newest import newest_first
from rag.answering.periods.period import Period
from rag.english.words import content_words
from rag.records import Filters, Hit
from rag.retrieval.retriever import Retriever

__all__ = ["Dated", "search", "without_demand"]

# Passages of any date among which those are looked for that tell of the period.
_DEPTH = 50
# Passages of the period among which the newest articles are looked for where nothing but a time is asked for.
_BROWSED = 200
_SHOWN = 5  # of these articles
_NEWS = 0.99  # the score of their opening sentences: shown unless nothing is to be shown
# A passage of another date counts as a match that was left out from this share of the best score on.
_MATCH = 0.5


@dataclass(frozen=True, slots=True)
class Dated:
    """What a search found. `hits` are those to answer from, or where there are none, the nearest of other dates."""

    period: Period
    hits: list[Hit]
    candidates: list[Candidate]
    left_out: int = 0  # matches of other dates
    nearer: bool = False  # whether they match better than what was kept
    kept_undated: int = 0  # articles without a date that name the period
    only_undated: bool = False  # nothing of the period answers: articles without a date are all there is
    weighed: bool = True  # whether the scores are probabilities; no sentence of a day's news answers more than another
    overruled: bool = False  # the dates asked for by filter exclude the period, and were kept


def search(
    retriever: Retriever, quoter: Extractor, question: str, period: Period, filters: Filters, top_k: int
) -> Dated:
    """The passages for a question within its period (as `read_period` gives it) and the filters, with their
    scored candidates. A period that the filters exclude is not held to."""
    # Of what is asked for as the latest, no article says that it is.
    bare = period.rest if content_words(period.rest) else question
    narrowed = published_filters(period, filters)
    if not period.demanded or narrowed is None:
        text = question if period.demanded else bare
        hits = retriever.retrieve(text, filters, top_k)
        candidates = quoter.candidates(text, hits)
        return Dated(period, hits, _ordered(period, candidates), overruled=period.demanded)
    anywhere = retriever.retrieve(question, filters, _DEPTH)
    telling = [hit for hit in anywhere if published_within(period, hit) or tells_of(period, hit)]
    if asks_only_when(period.rest):
        named = [hit for hit in telling if named_in_words(period, hit)][:top_k]
        return _browse(retriever, quoter, question, period, narrowed, named)
    inside = _merged(telling, retriever.retrieve(bare, narrowed, top_k), top_k)
    # Where an article shares the period's words with the question they count; elsewhere its date stands for them.
    named = [hit for hit in inside if named_in_words(period, hit)]
    dated = [hit for hit in inside if hit not in named and speaks_of_part(hit, question)]
    candidates = [*quoter.candidates(question, named), *quoter.candidates(bare, dated)]
    candidates.sort(key=lambda candidate: -candidate.score)
    if period.relative and not quoter.findings(candidates):
        # Without its date nobody knows what day an article calls yesterday: it may be the one asked about.
        undated = [hit for hit in anywhere[:top_k] if hit.article.published is None]
        others = quoter.candidates(bare, undated)
        if quoter.findings(others):
            return Dated(period, undated, others, kept_undated=_articles(undated), only_undated=True)
    kept = {hit.passage.id for hit in telling}
    outside = [
        hit
        for hit in anywhere[:top_k]
        if hit.article.published and hit.passage.id not in kept and hit.score >= _MATCH * anywhere[0].score
    ]
    best = max((hit.score for hit in telling), default=0.0)
    return Dated(
        period,
        inside or anywhere[:top_k],
        _ordered(period, candidates),
        left_out=len(outside),
        nearer=any(hit.score > best for hit in outside),
        kept_undated=_undated(inside),
    )


def _browse(
    retriever: Retriever, quoter: Extractor, question: str, period: Period, narrowed: Filters, named: Sequence[Hit]
) -> Dated:
    """For a question that asks only when: what names the time in words, else the newest articles of it. Any
    other article would answer as well as these, so that where they fail none is offered."""
    candidates = quoter.candidates(question, named)
    if quoter.findings(candidates):
        return Dated(period, list(named), _ordered(period, candidates), kept_undated=_undated(named))
    hits = newest_articles(retriever.retrieve(question, narrowed, _BROWSED), period)[:_SHOWN]
    return Dated(period, hits or list(named), openings(hits, _NEWS), weighed=False)


def _undated(hits: Sequence[Hit]) -> int:
    return _articles([hit for hit in hits if hit.article.published is None])


def _articles(hits: Sequence[Hit]) -> int:
    return len({hit.article.id for hit in hits})


def _merged(first: Sequence[Hit], second: Sequence[Hit], top_k: int) -> list[Hit]:
    """The best of two lists, each passage once."""
    best: dict[str, Hit] = {}
    for hit in (*first, *second):
        other = best.get(hit.passage.id)
        best[hit.passage.id] = hit if other is None or hit.score > other.score else other
    return sorted(best.values(), key=lambda hit: -hit.score)[:top_k]


def _ordered(period: Period, candidates: list[Candidate]) -> list[Candidate]:
    return newest_first(candidates, period.today) if period.newest_first else candidates


def without_demand(period: Period, question: str) -> Period:
    """The period of a question that is asked over all dates: only the wish for the newest is left."""
    if not period.demanded:
        return period
    return replace(period, since=None, until=None, strength="prefer", reported_until=None, rest=question)
