"""A stored article as HTML: where it comes from, and its whole text with the quotes marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from html import escape

from rag.records import Article, Span

__all__ = ["address", "byline", "day", "merged", "render_article", "render_removed", "text"]

_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"'`\\]+", re.IGNORECASE)
# A browser draws this much at once without a pause; a longer article is shown around its quotes.
_MOST_CHARACTERS = 300_000
_LEFT_OUT = "\n\n[…]\n\n"


def render_article(article: Article, marks: Iterable[Span] = (), *, newer: bool = False) -> str:
    """The panel of one article with these slices of its text marked. `newer` says that a later version is stored."""
    spans = merged(marks, len(article.text))
    shown = _windows(spans, len(article.text))
    whole = shown == [Span(0, len(article.text))]
    passages = _LEFT_OUT.join(_marked(article.text, spans, window) for window in shown)
    return (
        f'<div class="source-head"><h2 class="source-title" dir="auto">{text(article.title)}</h2>'
        f'<p class="source-meta">{byline(article.publisher, article.day)}</p>{_address_line(article.url)}</div>'
        + (_said("This is the text as it was quoted. The article has been updated since.") if newer else "")
        + ("" if whole else _said("This article is too long to show whole."))
        + f'<div class="passage" dir="auto">{passages}</div>'
    )


def render_removed(title: str) -> str:
    """What is left of a quoted article that is no longer in the library."""
    said = "This article has been removed from the library."
    return f'<h2 class="source-title" dir="auto">{text(title)}</h2>{_said(said)}'


def merged(spans: Iterable[Span], length: int) -> list[Span]:
    """The spans within a text of this length in order, those that overlap or touch made one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        start, end = max(span.start, 0), min(span.end, length)
        if start >= end:
            continue
        if found and start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(end, found[-1].end))
        else:
            found.append(Span(start, end))
    return found


def text(words: str) -> str:
    return escape(words, quote=True)


def byline(publisher: str | None, published: str | None) -> str:
    by = f"<bdi>{text(publisher)}</bdi> · " if publisher else ""
    return f"{by}{text(day(published))}"


def address(url: str) -> str:
    """A web address as a link; whatever else stands where an address should be, as text."""
    shown = text(re.sub(r"^https?://(www\.)?", "", url, flags=re.IGNORECASE))
    if not _WEB_ADDRESS.fullmatch(url):
        return f"<bdi>{text(url)}</bdi>"
    return f'<a href="{text(url)}" target="_blank" rel="noopener noreferrer">{shown}</a>'


def day(published: str | None) -> str:
    """A date as it is read (15 January 2024); what is no date is shown as it is."""
    if not published:
        return "date unknown"
    try:
        read = date.fromisoformat(published[:10])
    except ValueError:
        return published
    return f"{read.day} {read:%B %Y}"


def _marked(words: str, spans: Sequence[Span], shown: Span) -> str:
    pieces: list[str] = []
    at = shown.start
    for span in spans:
        if span.start < at or span.end > shown.end:
            continue  # it stands in another window
        marked = f'<mark data-start="{span.start}" data-end="{span.end}">{text(words[span.start : span.end])}</mark>'
        pieces += [text(words[at : span.start]), marked]
        at = span.end
    return "".join([*pieces, text(words[at : shown.end])])


def _windows(spans: Sequence[Span], length: int) -> list[Span]:
    """What of the text is shown: all of it, or the parts around the quotes, or else its beginning."""
    if length <= _MOST_CHARACTERS:
        return [Span(0, length)]
    if not spans:
        return [Span(0, _MOST_CHARACTERS)]
    around = _MOST_CHARACTERS // (2 * len(spans))
    return merged([Span(span.start - around, span.end + around) for span in spans], length)


def _said(sentence: str) -> str:
    return f'<p class="source-said">{text(sentence)}</p>'


def _address_line(url: str | None) -> str:
    return f'<p class="address">{address(url)}</p>' if url else ""
