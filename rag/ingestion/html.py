"""HTML to text: the article of a page, by trafilatura, with a plain reading for very short pages."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from itertools import islice

from lxml.etree import ParserError
from lxml.html import HtmlElement, document_fromstring

from rag.errors import NoArticle
from rag.ingestion.boilerplate import is_terminated
from rag.ingestion.decoding import decode
from rag.ingestion.drafting import RawArticle
from rag.ingestion.page_metadata import page_metadata

__all__ = ["read_html"]

_DECLARED = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w-]{2,20})|<\?xml[^>]{0,100}encoding=[\"']([\w-]{2,20})"
)
_PARAGRAPH_MIN = 40
_UNMARKED_MIN = 200  # characters of a paragraph that counts without a full stop, for scripts that have none
_SHORT = 500  # an extractor returns shorter texts as one lump, headings and paragraphs run together
_MAX_ELEMENTS = 30_000  # above, an extractor takes many seconds; real pages have a tenth of that
_SIDE_PARTS = ("nav", "footer", "header", "aside", "form", "script", "style", "noscript", "button")

_BREAKS = re.compile(r"(?:<br\b[^<>]*>\s*){2,}", re.IGNORECASE)
_BREAK = re.compile(r"<br\b[^<>]*>", re.IGNORECASE)
_LINE_END = "\u2424"  # the symbol for a new line, which no extractor takes for white space


def read_html(data: bytes, *, url: str | None = None, charset: str | None = None) -> RawArticle:
    """The article of a page and what the page says about it. Raises NoArticle if it holds none."""
    found = _DECLARED.search(data[:4096])
    declared = (found.group(1) or found.group(2)).decode("ascii") if found else None
    page = re.sub(r"^\s*<\?xml[^>]*\?>", "", decode(data, declared=charset or declared)).replace("\x00", "")
    # Extractors drop line breaks and join the words beside them; old pages have them for paragraphs.
    page = _BREAK.sub(f" {_LINE_END} ", _BREAKS.sub("</p><p>", page))
    try:
        tree = document_fromstring(page)
    except (ParserError, ValueError) as error:
        raise _no_article() from error
    said = page_metadata(tree, url)
    title, author, text = _extract(page, url) if _is_of_usual_size(tree) else (None, None, "")
    if not _reads_as_article(text.split("\n")):
        text = "\n\n".join(_plain_paragraphs(tree))
    elif len(text) < _SHORT:
        text = _unlumped(text, _plain_paragraphs(tree))
    if not text:
        raise _no_article()
    return RawArticle(
        text,
        title=title.replace(_LINE_END, " ") if title else _heading(tree),
        publisher=said.publisher,
        authors=tuple(name.strip() for name in author.split(";") if name.strip()) if author else (),
        published=said.published,
        published_from=said.published_from,
        url=said.canonical,
    )


def _no_article() -> NoArticle:
    return NoArticle("the page holds no article", "give the address of one article, not of an overview")


def _is_of_usual_size(tree: HtmlElement) -> bool:
    return sum(1 for _ in islice(tree.iter(), _MAX_ELEMENTS)) < _MAX_ELEMENTS


def _extract(page: str, url: str | None) -> tuple[str | None, str | None, str]:
    """Title, author and text as trafilatura sees them; its date is left, as it may be read out of the prose."""
    from trafilatura import bare_extraction  # half a second that only HTML needs
    from trafilatura.settings import Document

    for name in ("trafilatura", "htmldate"):  # they report every page they cannot read
        logging.getLogger(name).setLevel(logging.CRITICAL)
    document = bare_extraction(
        page,
        url=url,
        include_comments=False,
        with_metadata=True,
        prune_xpath="//nav",
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    if not isinstance(document, Document) or document.body is None:
        return None, None, ""
    return document.title, document.author, "\n\n".join(_blocks(document.body))


def _blocks(body: HtmlElement) -> Iterator[str]:
    """The paragraphs of an extracted body; list items and table rows are lines."""
    for element in body:
        if element.tag == "list":
            lines = [_line(item) for item in element.iter("item")]
        elif element.tag == "table":
            lines = [" | ".join(filter(None, map(_line, row.iter("cell")))) for row in element.iter("row")]
        else:
            lines = [_line(element)]
        if text := "\n".join(filter(None, lines)):
            yield text


def _line(element: HtmlElement) -> str:
    """The text of an element on one line, or on as many as it has line breaks."""
    lines = "".join(element.itertext()).split(_LINE_END)
    return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)


def _reads_as_article(lines: list[str]) -> bool:
    """Whether there is prose, not only link texts and headings."""
    return any((len(line) >= _PARAGRAPH_MIN and is_terminated(line)) or len(line) >= _UNMARKED_MIN for line in lines)


def _plain_paragraphs(tree: HtmlElement) -> list[str]:
    """The paragraphs of a page too short for an extractor; those outside an `article` must read as prose."""
    # Those inside another one, such as comments or boxes, are read with it.
    articles = [each for each in tree.iter("article") if next(each.iterancestors("article"), None) is None]
    found = []
    for scope in articles or [tree]:
        for paragraph in scope.iter("p"):
            text = _line(paragraph)
            beside = any(parent.tag in _SIDE_PARTS for parent in paragraph.iterancestors())
            if text and not beside and (articles or _reads_as_article([text])):
                found.append(text)
    return found if any(is_terminated(text) or len(text) >= _PARAGRAPH_MIN for text in found) else []


def _unlumped(text: str, paragraphs: list[str]) -> str:
    """A short extract as the page's own paragraphs, where these make up most of it."""
    own = [paragraph for paragraph in paragraphs if paragraph in text]
    return "\n\n".join(own) if sum(map(len, own)) > len(text) / 2 else text


def _heading(tree: HtmlElement) -> str | None:
    for tag in ("h1", "title"):
        for element in tree.iter(tag):
            if text := _line(element):
                return " ".join(text.split())
    return None
