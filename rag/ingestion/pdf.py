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
from rag.ingestion.drafting import Found

__all__ = ["read_pdf"]

_HYPHENATED = re.compile(r"\b\w+-\w+\b")
_PAGE_NUMBER = re.compile(r"(?:page\s+)?\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?", re.IGNORECASE)
_FULL_LINE = 0.75  # of the widest line; a sentence that ends in a shorter line ends its paragraph


def read_pdf(data: bytes) -> Found:
    """The text of a PDF. Its creation date is no publication date and its author often a login: both stay out.

    Raises SourceUnreadable for a damaged or encrypted file and NoArticle for one without text (a scan).
    """
    title, pages = _extract(data)
    lines = _lines(pages)
    if not any(lines):
        raise NoArticle("the PDF holds no text, only images", "give a PDF with a text layer (run OCR on scans)")
    text = "\n\n".join(_paragraphs(lines))
    known = title if title and _squeeze(title) in _squeeze(text[:2000]) else None
    return Found(text, title=known)


def _extract(data: bytes) -> tuple[str | None, list[str]]:
    """Title by the file's own account, and the text of each page."""
    from pypdf import PdfReader  # 150 ms that only PDF needs
    from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it warns about every oddity of every file
    # What pypdf lets through on damaged files, besides its own errors
    faults = (ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError, RecursionError)
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise SourceUnreadable("the PDF is encrypted", "save it without a password")
        title = reader.metadata.title if reader.metadata else None
        return title if isinstance(title, str) else None, [page.extract_text() for page in reader.pages]
    except (DependencyError, FileNotDecryptedError) as error:
        raise SourceUnreadable("the PDF is encrypted", "save it without a password") from error
    except (PyPdfError, OSError, NotImplementedError, zlib.error, struct.error, binascii.Error, *faults) as error:
        raise SourceUnreadable("the PDF is damaged or cut off", "fetch or export it again") from error


def _lines(pages: list[str]) -> list[str]:
    """The lines of all pages, without page numbers and the headers and footers that repeat."""
    split = [[line.strip() for line in normalise(page).split("\n")] for page in pages]
    edges = Counter(line for lines in split for line in {*lines[:2], *lines[-2:]} if line)
    repeated = {line for line, count in edges.items() if count >= 3 and count > len(pages) / 2}
    kept: list[str] = []
    for lines in split:
        kept += [line for line in lines if line not in repeated and not _PAGE_NUMBER.fullmatch(line)]
        kept.append("")
    return kept


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
