"""Citations: sources numbered in order of first use, quotes cut from the stored text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.records import Article, Claim, Closest, Evidence, Excerpt, Hit, Quote, Source, UncitedClaim
from rag.wording import UNSURE, unsure

# A source's excerpt covers all its quoted passages while they lie this close together (code points).
_WIDEST_EXCERPT = 4000
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~])")

QUOTES_HEADER = "These are quotes from the articles; no answer was written."
NO_EVIDENCE = "The articles in this library do not answer this question."


class CitationBuilder:
    """Numbers the sources of an answer as its claims come in."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, int], int] = {}
        self._sources: list[Source] = []
        self.claims: list[Claim] = []

    @property
    def sources(self) -> tuple[Source, ...]:
        return tuple(self._sources)

    def add(self, uncited: UncitedClaim) -> Claim:
        """The claim with its numbered quotes; `sources` grows where one of them is new."""
        quotes = []
        for evidence in uncited.evidence:
            number = self._cite(evidence, uncited.copies)
            article = evidence.hit.article
            quotes.append(Quote(number, article.id, evidence.start, evidence.end, evidence.text))
        claim = Claim(uncited.text, tuple(quotes), uncited.flags)
        self.claims.append(claim)
        return claim

    def _cite(self, evidence: Evidence, copies: Sequence[str]) -> int:
        """The number of the quote's source: one version of one article, for an article can change while an
        answer is made. The excerpt of a new source is the passage and the whole quote,
        which may reach beyond the passage."""
        article, passage = evidence.hit.article, evidence.hit.passage
        start, end = min(passage.start, evidence.start), max(passage.end, evidence.end)
        number = self._numbers.setdefault((article.id, article.version), len(self._sources) + 1)
        if number > len(self._sources):
            self._sources.append(
                Source(
                    number=number,
                    article_id=article.id,
                    version=article.version,
                    title=article.title,
                    publisher=article.publisher,
                    published=article.day,
                    url=article.url,
                    excerpt=Excerpt(start, end, article.text[start:end]),
                )
            )
        else:
            self._widen(number, article, start, end)
        source = self._sources[number - 1]
        elsewhere = dict.fromkeys((*source.copies, *_web_addresses(article), *copies))
        self._sources[number - 1] = replace(source, copies=tuple(elsewhere))
        return number

    def _widen(self, number: int, article: Article, start: int, end: int) -> None:
        """Let the excerpt of a source also cover another stretch of its article, if that keeps it readable."""
        source = self._sources[number - 1]
        start, end = min(source.excerpt.start, start), max(source.excerpt.end, end)
        if (start, end) == (source.excerpt.start, source.excerpt.end) or end - start > _WIDEST_EXCERPT:
            return
        excerpt = Excerpt(start, end, article.text[start:end])
        self._sources[number - 1] = replace(source, excerpt=excerpt)


def _web_addresses(article: Article) -> list[str]:
    """Where else the same text was found. The path of a file is the business of who keeps the library."""
    return [
        address for address in article.addresses if address.startswith(("http:", "https:")) and address != article.url
    ]


def newest_date(sources: Sequence[Source]) -> str | None:
    """The newest publication date among the sources."""
    return max((source.published for source in sources if source.published), default=None)


def markdown(claims: Sequence[Claim], mode: str, confidence: float | None = None) -> str:
    """The answer as Markdown with [n] markers; in mode "quotes" each claim is a list item in quotation marks,
    and the header says so where `confidence` is low."""
    quoted = mode == "quotes"
    lines = []
    for claim in claims:
        markers = "".join(f"[{n}]" for n in dict.fromkeys(q.source for q in claim.quotes))
        text = escape(claim.text)
        flagged = f" ({escape('; '.join(claim.flags))})" if claim.flags else ""
        lines.append(f"- “{text}” {markers}" if quoted else f"{text} {markers}{flagged}")
    header = f"{QUOTES_HEADER} {UNSURE}" if unsure(confidence) else QUOTES_HEADER
    return f"{header}\n\n" + "\n".join(lines) if quoted else " ".join(lines)


def escape(text: str) -> str:
    """A text in which nothing is Markdown."""
    return _MARKDOWN.sub(r"\\\1", text)


def closest(hits: Sequence[Hit]) -> tuple[Closest, ...]:
    """Up to three passages of different articles, for an answer that was declined."""
    first: dict[str, Hit] = {}
    for hit in hits:
        first.setdefault(hit.article.id, hit)
    return tuple(
        Closest(
            hit.article.id, hit.article.title, hit.passage.start, hit.passage.end, hit.passage.text, hit.article.version
        )
        for hit in list(first.values())[:3]
    )
