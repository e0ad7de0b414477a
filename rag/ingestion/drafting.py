"""From what a format's reader found to the draft that the library takes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.errors import NoArticle
from rag.ingestion.cleaning import clean, one_line, opening_words
from rag.ingestion.dates import parse_date, read_date_line
from rag.ingestion.language import foreign_language
from rag.records import Document

__all__ = ["UNSAFE", "RawArticle", "finish", "read_published"]

# What SQLite cannot store or a terminal obeys: surrogates, control characters, line ends, overrides of
# the writing direction
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


_TOP_LINES = 14
_BYLINE_MAX = 160
_BYLINE = re.compile(r"\s*[Bb][Yy]:? [A-Z]\S* \S.*")


@dataclass(frozen=True, slots=True)
class RawArticle:
    """The text of one article and what stood beside it, before cleaning."""

    text: str
    title: str | None = None
    publisher: str | None = None
    authors: tuple[str, ...] = ()
    published: str | None = None
    published_from: str | None = None
    url: str | None = None
    warnings: tuple[str, ...] = ()


def finish(found: RawArticle, *, source: str | None, id: str | None = None) -> Document:
    """Clean the text and settle title, authors and date. Raises NoArticle if no text is left."""
    title = one_line(found.title)
    cleaned = clean(_with_byline_apart(found.text), title=title)
    if not re.search(r"\w", cleaned.text):
        raise NoArticle("it holds no text", "give an article with some text in it")
    published, published_from = found.published, found.published_from
    warnings = found.warnings
    # After a date that was given and can't be read, another one would be a guess.
    if published is None and cleaned.published is not None and not warnings:
        published, published_from = cleaned.published, "text"
    url = found.url.strip() if found.url else None
    if url and (UNSAFE.search(url) or not re.match(r"https?://[^\s/]", url, re.IGNORECASE)):
        warnings += (f"{url[:80]!r} is no web address and was left out",)
        url = None
    if language := foreign_language(cleaned.text):
        warnings += (f"the local encoder knows English; this looks like {language}",)
    return Document(
        text=cleaned.text,
        title=title or one_line(cleaned.title) or opening_words(cleaned.text),
        source=source,
        id=id,
        publisher=one_line(found.publisher),
        authors=tuple(name for name in map(one_line, found.authors or cleaned.authors) if name),
        published=published,
        published_from=published_from,
        url=url,
        warnings=warnings,
    )


def _with_byline_apart(text: str) -> str:
    """The text with "By Jo Roe, Oct. 23, 2025" at its top as two lines, which are read as what they are."""
    lines = text.split("\n", _TOP_LINES)
    for number, line in enumerate(lines[:_TOP_LINES]):
        if len(line) > _BYLINE_MAX:
            break
        for gap in re.finditer(r",? (?:on )?", line) if _BYLINE.fullmatch(line) else ():
            dated = read_date_line(line[gap.end() :])
            if dated and dated.published:
                lines[number] = f"{line[: gap.start()]}\n{line[gap.end() :]}"
                return "\n".join(lines)
    return text


def read_published(value: str, *, where: str) -> tuple[str | None, str | None, tuple[str, ...]]:
    """(date, where it was found, warnings): a date that cannot be read leaves the article undated."""
    published = parse_date(value)
    if published is None and value.strip():
        return None, None, (f"the date {value.strip()[:60]!r} can't be read; the article stays undated",)
    return published, where if published else None, ()
