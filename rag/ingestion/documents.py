"""One document to one draft, whatever its format: a file, an upload, a response, a line of a dump."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Literal

from rag.errors import NoArticle, SourceUnreadable
from rag.ingestion.decoding import decode
from rag.ingestion.drafting import UNSAFE, RawArticle, finish, read_published
from rag.ingestion.header import split_header
from rag.ingestion.html import read_html
from rag.ingestion.markdown import plain_text, resolve_left_overs, split_front_matter
from rag.ingestion.pdf import read_pdf
from rag.records import Document

__all__ = ["draft_from_bytes", "draft_from_record", "usable_id"]

Format = Literal["text", "markdown", "html", "pdf"]

_SUFFIXES: dict[str, Format] = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
}
_JSON_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*[\[{]")
_ID_MAX = 200
_HTML_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype html|html)\b", re.IGNORECASE | re.DOTALL
)


def draft_from_bytes(
    name: str, data: bytes, *, source: str | None, url: str | None = None, charset: str | None = None
) -> Document:
    """Read one article; its format follows from the name's suffix and from how the bytes begin.

    `charset` is the encoding that a server declared. Raises SourceUnreadable if the bytes cannot be read
    and NoArticle if they hold no article.
    """
    if not data.strip():
        raise NoArticle("it is empty", "give an article with some text in it")
    kind = _format(name, data)
    if kind == "pdf":
        found = read_pdf(data)
    elif kind == "html":
        found = read_html(data, url=url, charset=charset)
    elif kind == "markdown":
        found = _read_markdown(decode(data, declared=charset))
    else:
        found = _read_text(decode(data, declared=charset))
    # A fetched article stands at the address it was fetched from, whatever it calls itself.
    return finish(replace(found, url=url or found.url), source=source)


def draft_from_record(record: Mapping[str, object], *, where: str) -> Document:
    """One line of a dump, or an article as JSON: `text` and what else INTERFACE.md names.

    `where` names the place in errors ("dump.jsonl:7"). Raises SourceUnreadable for a field of the wrong
    type and NoArticle if there is no text.
    """
    text = _string(record, "text", where)
    if not text:
        raise NoArticle(f"{where} has no text", 'give the article\'s text as "text"')
    identity = _identity(record, where)
    url = _string(record, "url", where)
    published = _string(record, "published", where) or _string(record, "date", where)
    day, found_in, warnings = read_published(published or "", where="record")
    found = RawArticle(
        resolve_left_overs(text),
        title=_string(record, "title", where),
        publisher=_string(record, "publisher", where),
        authors=_names(record.get("authors"), where),
        published=day,
        published_from=found_in,
        url=url,
        warnings=warnings,
    )
    draft = finish(found, source=f"id:{identity}" if identity else None, id=identity)
    return draft if identity else replace(draft, source=draft.url)


def _format(name: str, data: bytes) -> Format:
    suffix = PurePosixPath(name.lower()).suffix
    if data.startswith(b"%PDF-") or suffix == ".pdf":
        return "pdf"
    if suffix in (".jsonl", ".ndjson"):
        raise SourceUnreadable("it is a dump of several articles", "`rag ingest` takes dumps as files")
    if suffix == ".json" and _JSON_START.match(data):
        raise SourceUnreadable("it is JSON, no text", "write one JSON object a line into a .jsonl file")
    if suffix not in (".md", ".markdown") and _HTML_START.match(data):
        return "html"
    return _SUFFIXES.get(suffix, "text")


def _read_text(source: str) -> RawArticle:
    header = split_header(resolve_left_overs(source))
    day, found_in, warnings = read_published(header.published or "", where="header")
    return RawArticle(
        header.text,
        title=header.title,
        publisher=header.publisher,
        authors=_names(re.sub(r",? and | & ", ", ", header.authors or ""), "the header"),
        published=day,
        published_from=found_in,
        url=header.url,
        warnings=warnings,
    )


def _read_markdown(source: str) -> RawArticle:
    front = split_front_matter(source)
    text, heading = plain_text(front.body)
    keys = front.keys
    day, found_in, warnings = read_published(_first_string(keys, "published", "date") or "", where="front matter")
    authors = keys.get("authors") or keys.get("author")
    return RawArticle(
        text,
        title=_first_string(keys, "title") or heading,
        publisher=_first_string(keys, "publisher"),
        authors=_names(authors if isinstance(authors, (str, list)) else None, "the front matter"),
        published=day,
        published_from=found_in,
        url=_first_string(keys, "url"),
        warnings=((front.problem,) if front.problem else ()) + warnings,
    )


def _identity(record: Mapping[str, object], where: str) -> str | None:
    """The record's own id; a number is taken as its digits. Raises SourceUnreadable for one of no use."""
    key = "id" if "id" in record else "_id"
    value = record.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        identity = str(value)
    else:
        identity = (_string(record, key, where) or "").strip()
    return usable_id(identity, where=f"{where}: {key!r}") if identity else None


def usable_id(identity: str, *, where: str) -> str:
    """The id itself. Raises SourceUnreadable for one that cannot be stored, shown or addressed."""
    if UNSAFE.search(identity):
        raise SourceUnreadable(f"{where} holds a control character or half a character", "leave it out")
    if identity in (".", ".."):
        raise SourceUnreadable(f"{where} is {identity!r}, which no address can hold", "give another id")
    if len(identity) > _ID_MAX:
        raise SourceUnreadable(f"{where} is longer than {_ID_MAX} characters", "give a shorter one")
    return identity


def _string(record: Mapping[str, object], key: str, where: str) -> str | None:
    value = record.get(key)
    if value is None or isinstance(value, str):
        return value
    raise SourceUnreadable(f"{where}: {key!r} is {_kind(value)}, not a string", "put it in quotes")


def _names(value: object, where: str) -> tuple[str, ...]:
    """Authors as a list of strings, or as one string with the names between commas or semicolons."""
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(name.strip() for name in re.split(r"[;,]", value) if name.strip())
    if not isinstance(value, list):
        raise SourceUnreadable(f"{where}: 'authors' is {_kind(value)}, not a list of names", "put each name in quotes")
    for name in value:
        if not isinstance(name, str):
            raise SourceUnreadable(f"{where}: 'authors' holds {_kind(name)}, not only names", "put each name in quotes")
    return tuple(name.strip() for name in value if name.strip())


def _first_string(keys: Mapping[str, object], *names: str) -> str | None:
    """The first of these front matter keys that has a plain value."""
    return next((value for name in names if isinstance(value := keys.get(name), str) and value.strip()), None)


def _kind(value: object) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return "null" if value is None else kinds.get(type(value), f"a {type(value).__name__}")
