"""PDF to text: pages in order, lines joined into paragraphs."""

from __future__ import annotations

import binascii
import io
import logging
import re
import struct
import zlib
from collections import Counter
from itertools import pairwise

from rag.errors import NoArticle, SourceUnreadable
from rag.ingestion.boilerplate import is_terminated
from rag.ingestion.cleaning import normalise
from rag.ingestion.dates import read_date_line
from rag.ingestion.drafting import RawArticle

__all__ = ["read_pdf"]

_HYPHENATED = re.compile(r"\b\w+-\w+\b")
# "7", "Page 1 of 3", "Market Wire - page 1"; not "Tabloid drops models from page 3", which is a headline
_PAGE_NUMBER = re.compile(
    r"(?:(?:.{1,80}(?:\s[-–—|·•]|[,:;]))?\s*page\s+)?\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?"
    r"|.{1,80}\bpage\s+\d{1,4}\s+of\s+\d{1,4}",
    re.IGNORECASE,
)
_EDGE = 3  # lines at the top and at the bottom of a page among which headers, footers and numbers are
_HEADER_MAX = 120
_TOP_LINES = 6
_BYLINE = re.compile(r"[Bb][Yy]:? [A-Z]\S* [A-Z].{0,100}")
_NAME_WORD = re.compile(r"[^\W\d_]+(?:[.'’-][^\W\d_]*)*")
_NO_NAME = {
    "admin",
    "administrator",
    "author",
    "desk",
    "editor",
    "microsoft",
    "office",
    "owner",
    "staff",
    "team",
    "user",
}
_PARTICLES = {"al", "bin", "da", "de", "del", "der", "di", "el", "la", "le", "van", "von"}
_FULL_LINE = 0.75  # of the widest line; a sentence that ends in a shorter line ends its paragraph


def read_pdf(data: bytes) -> RawArticle:
    """The text of a PDF. Its creation date is no publication date and stays out, as does an author that is a login.

    Raises SourceUnreadable for a damaged or encrypted file and NoArticle for one without text (a scan).
    """
    title, author, pages = _extract(data)
    if not any(page.strip() for page in pages):
        raise NoArticle("the PDF holds no text, only images", "give a PDF with a text layer (run OCR on scans)")
    text = "\n\n".join(_paragraphs(_lines(pages)))
    # On the pages as they are: a title that is repeated as the header of every page is none of the lines.
    known = title if title and _squeeze(title) in _squeeze("\n".join(pages)[:2000]) else None
    return RawArticle(text, title=known, authors=_names(author))


def _extract(data: bytes) -> tuple[str | None, str | None, list[str]]:
    """Title and author by the file's own account, and the text of each page."""
    from pypdf import PdfReader  # 150 ms that only PDF needs
    from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it warns about every oddity of every file
    # What pypdf lets through on damaged files, besides its own errors
    faults = (ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError, RecursionError)
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise SourceUnreadable("the PDF is encrypted", "save it without a password")
        known = reader.metadata
        title, author = (known.title, known.author) if known else (None, None)
        pages = [page.extract_text() for page in reader.pages]
        return title if isinstance(title, str) else None, author if isinstance(author, str) else None, pages
    except (DependencyError, FileNotDecryptedError) as error:
        raise SourceUnreadable("the PDF is encrypted", "save it without a password") from error
    except (PyPdfError, OSError, NotImplementedError, zlib.error, struct.error, binascii.Error, *faults) as error:
        raise SourceUnreadable("the PDF is damaged or cut off", "fetch or export it again") from error


def _names(author: str | None) -> tuple[str, ...]:
    """The author of the file, or several, if all of them read like names of people."""
    names = tuple(name.strip() for name in re.split(r"[;,&]|\band\b", author or "") if name.strip())
    return names if all(map(_is_name, names)) else ()


def _is_name(text: str) -> bool:
    words = text.split()
    capitals = [word for word in words if word[0].isupper() and _NAME_WORD.fullmatch(word)]
    return (
        2 <= len(capitals) <= 4
        and all(word in capitals or word in _PARTICLES for word in words)
        and _NO_NAME.isdisjoint(text.lower().split())
    )


def _lines(pages: list[str]) -> list[str]:
    """The lines of all pages, without page numbers and the headers and footers that repeat."""
    split = [[line.strip() for line in normalise(page).split("\n")] for page in pages]
    edges = [_at_edges(lines) for lines in split]
    counts = Counter(key for lines, at in zip(split, edges, strict=True) for key in {_header(lines[n]) for n in at})
    repeated = {key for key, count in counts.items() if count >= 2 and count > len(pages) / 2}
    kept: list[str] = []
    for lines, at in zip(split, edges, strict=True):
        dropped = {n for n in at if _PAGE_NUMBER.fullmatch(lines[n]) or _header(lines[n]) in repeated}
        kept += [line for number, line in enumerate(lines) if number not in dropped]
        kept.append("")
    return _with_byline_apart(kept)


def _with_byline_apart(lines: list[str]) -> list[str]:
    """The lines, with bylines and dates at the top as paragraphs of their own, however long the title is."""
    apart: list[str] = []
    for line in lines[:_TOP_LINES]:
        says_who = _BYLINE.fullmatch(line) and not is_terminated(line)
        apart += ["", line, ""] if says_who or read_date_line(line) else [line]
    return apart + lines[_TOP_LINES:]


def _at_edges(lines: list[str]) -> set[int]:
    filled = [number for number, line in enumerate(lines) if line]
    return {*filled[:_EDGE], *filled[-_EDGE:]}


def _header(line: str) -> str:
    """What is the same in a header or a footer on every page: all but its numbers. A sentence keeps them."""
    is_label = re.search(r"[^\W\d_]", line) and len(line) <= _HEADER_MAX and not is_terminated(line)
    return re.sub(r"\d+", "#", line) if is_label else line


def _paragraphs(lines: list[str]) -> list[str]:
    width = max(map(len, lines))
    hyphenated = set(_HYPHENATED.findall(" ".join(lines)))
    paragraphs: list[list[str]] = []
    last = ""
    for line in lines:
        if line and paragraphs and _runs_on(paragraphs[-1][-1], last, line, width):
            paragraphs[-1].append(line)
        elif line:
            paragraphs.append([line])
        last = line
    return [_joined(paragraph, hyphenated) for paragraph in paragraphs]


def _runs_on(end: str, last: str, line: str, width: int) -> bool:
    """Whether a line goes on with the paragraph that ends in `end`; `last` is empty after a gap or a page."""
    if not last:
        return line[0].islower() and not is_terminated(end)
    return len(last) >= width * _FULL_LINE or line[0].islower() or last.endswith((",", "-"))


def _joined(lines: list[str], hyphenated: set[str]) -> str:
    """The lines as one paragraph; words that were hyphenated at a line's end are repaired."""
    parts = [lines[0]]
    for before, line in pairwise(lines):
        if not (before.endswith("-") and before[-2:-1].isalpha() and line[0].islower()):
            parts.append(" ")
        elif not _is_compound(before, line, hyphenated):
            parts[-1] = parts[-1][:-1]
        parts.append(line)
    return "".join(parts)


def _is_compound(before: str, line: str, hyphenated: set[str]) -> bool:
    """Whether the word over the line's end is written with a hyphen elsewhere too ("cease-fire")."""
    head, tail = re.split(r"[^\w-]", before)[-1], re.split(r"[^\w-]", line, maxsplit=1)[0]
    return head + tail in hyphenated


def _squeeze(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()
