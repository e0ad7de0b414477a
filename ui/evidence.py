"""One source as HTML: where it comes from, and its passage with the quotes marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from html import escape

from rag.records import Excerpt, Quote, Source, Span

__all__ = ["byline", "day", "render_source", "text"]

_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"'`\\]+", re.IGNORECASE)


def render_source(source: Source, quotes: Sequence[Quote]) -> str:
    """The panel of one source: where it comes from, and the passage with each of its quotes marked."""
    passage, elsewhere = _marked(source.excerpt, [quote for quote in quotes if quote.source == source.number])
    cut = " cut" if source.excerpt.start else ""
    return (
        f'<h2 class="source-title" dir="auto">{text(source.title)}</h2>'
        f'<p class="source-meta">{byline(source)}</p>{_address_line(source.url)}'
        f'<div class="passage{cut}" dir="auto">{passage}</div>'
        + "".join(
            '<p class="elsewhere">Elsewhere in the same article</p>'
            f'<div class="passage" dir="auto">{_mark(quote.text, Span(quote.start, quote.end))}</div>'
            for quote in elsewhere
        )
        + _copies(source.copies)
    )


def text(words: str) -> str:
    return escape(words, quote=True)


def _marked(excerpt: Excerpt, quotes: Iterable[Quote]) -> tuple[str, list[Quote]]:
    """The excerpt with its quotes marked, and the quotes that it does not hold."""
    inside: list[Span] = []
    outside: list[Quote] = []
    for quote in sorted(set(quotes), key=lambda quote: (quote.start, quote.end)):
        start, end = quote.start - excerpt.start, quote.end - excerpt.start
        if start < 0 or excerpt.text[start:end] != quote.text:
            outside.append(quote)
        elif inside and start <= inside[-1].end:
            inside[-1] = Span(inside[-1].start, max(end, inside[-1].end))
        else:
            inside.append(Span(start, end))
    pieces: list[str] = []
    at = 0
    for span in inside:
        place = Span(span.start + excerpt.start, span.end + excerpt.start)
        pieces += [text(excerpt.text[at : span.start]), _mark(excerpt.text[span.start : span.end], place)]
        at = span.end
    return "".join([*pieces, text(excerpt.text[at:])]), outside


def _mark(words: str, place: Span) -> str:
    return f'<mark data-start="{place.start}" data-end="{place.end}">{text(words)}</mark>'


def byline(source: Source) -> str:
    publisher = f"<bdi>{text(source.publisher)}</bdi> · " if source.publisher else ""
    return f"{publisher}{text(day(source.published))}"


def _address_line(url: str | None) -> str:
    return f'<p class="address">{_address(url)}</p>' if url else ""


def _address(url: str) -> str:
    shown = text(re.sub(r"^https?://(www\.)?", "", url, flags=re.IGNORECASE))
    if not _WEB_ADDRESS.fullmatch(url):
        return f"<bdi>{text(url)}</bdi>"
    return f'<a href="{text(url)}" target="_blank" rel="noopener noreferrer">{shown}</a>'


def _copies(copies: Sequence[str]) -> str:
    if not copies:
        return ""
    items = "".join(f"<li>{_address(copy)}</li>" for copy in copies)
    return f'<p class="elsewhere">The same text was also found here</p><ul class="copies">{items}</ul>'


def day(published: str | None) -> str:
    """A date as it is read (15 January 2024); what is no date is shown as it is."""
    if not published:
        return "date unknown"
    try:
        read = date.fromisoformat(published[:10])
    except ValueError:
        return published
    return f"{read.day} {read:%B %Y}"
