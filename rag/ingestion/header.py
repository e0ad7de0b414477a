"""The header of a plain text: lines such as "Title: ..." and "Publisher: ..." above the article."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.ingestion.dates import read_date_line

__all__ = ["Header", "split_header"]

_LABELS = {
    **dict.fromkeys(("title", "headline"), "title"),
    **dict.fromkeys(("date", "published", "published on", "date published", "publication date"), "published"),
    **dict.fromkeys(("publisher", "publication", "source"), "publisher"),
    **dict.fromkeys(("author", "authors"), "authors"),
    **dict.fromkeys(("url", "link"), "url"),
}
_LINE = re.compile(r"([A-Za-z]+(?: [A-Za-z]+)?) ?: *(\S.*)")
_BYLINE = re.compile(r"by:? \S.*", re.IGNORECASE)
_MOST_LINES = 14
_VALUE_MAX = 200
_PROSE = 60


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says, and the text without it; lines of it that cleaning reads are left in the text."""

    text: str
    title: str | None = None
    published: str | None = None
    publisher: str | None = None
    authors: str | None = None
    url: str | None = None


def split_header(text: str) -> Header:
    """The header is the lines from the first to one of another kind. Without a title among them it is none: the first
    line of an article may begin with "Source:" too."""
    lines = text.lstrip("\ufeff \t\r\n").splitlines()
    found: dict[str, str] = {}
    kept: list[str] = []
    for line in lines[:_MOST_LINES]:
        label, value = _read(line.strip())
        if _BYLINE.fullmatch(line.strip()) or read_date_line(line):
            kept.append(line)
        elif label and label not in found:
            found[label] = value
        else:
            break
    body = lines[len(found) + len(kept) :]
    if "title" not in found or not re.search(r"\w", "\n".join(body)):
        return Header(text)
    return Header("\n".join(kept + body), **found)


def _read(line: str) -> tuple[str, str]:
    """What a line says and of what; ("", "") for a line that is none of a header."""
    match = _LINE.fullmatch(line)
    label = _LABELS.get(match[1].lower()) if match else None
    if match is None or label is None or len(match[2]) > _VALUE_MAX:
        return "", ""
    value = match[2]
    if len(value) >= _PROSE and value.endswith("."):
        return "", ""  # a sentence
    if label == "publisher" and re.match(r"https?://", value, re.IGNORECASE):
        label = "url"
    return label, value
