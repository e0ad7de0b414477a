"""What a web page says about itself: date, publisher, address. Nothing is read out of its prose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

from rag.ingestion.dates import parse_date

__all__ = ["PageMetadata", "page_metadata"]

_DATE_NAMES = (
    *("article:published_time", "og:published_time", "og:article:published_time", "datepublished", "parsely-pub-date"),
    *("publication_date", "publish-date", "publish_date", "pubdate", "publishdate", "sailthru.date", "dc.date.issued"),
    *("dc.date", "dcterms.date", "dcterms.issued", "citation_publication_date", "date"),
)
_PUBLISHER_NAMES = ("og:site_name", "dc.publisher", "citation_publisher", "application-name")
_DATE_IN_ADDRESS = re.compile(r"/((?:19|20)\d\d)[/-](\d\d)[/-](\d\d)(?:[/-]|$)")


@dataclass(frozen=True, slots=True)
class PageMetadata:
    """`published_from` is "meta", "json-ld", "time element" or "address"."""

    published: str | None = None
    published_from: str | None = None
    publisher: str | None = None
    canonical: str | None = None


def page_metadata(tree: HtmlElement, url: str | None) -> PageMetadata:
    """Collect the metadata of a page; `url` is the address it was fetched from, if any."""
    metas = _meta_contents(tree)
    linked = list(_linked_data(tree))
    published, published_from = _published(tree, metas, linked, url)
    publisher = next((metas[name] for name in _PUBLISHER_NAMES if name in metas), None)
    return PageMetadata(published, published_from, publisher or _linked_publisher(linked), _canonical(tree, url))


def _meta_contents(tree: HtmlElement) -> dict[str, str]:
    """The first content of every `meta`, by its name, property or itemprop in lower case."""
    contents: dict[str, str] = {}
    for element in tree.iter("meta"):
        for key in ("property", "name", "itemprop"):
            name, content = element.get(key), (element.get("content") or "").strip()
            if name and content:
                contents.setdefault(name.strip().lower(), content)
    return contents


def _linked_data(tree: HtmlElement) -> Iterator[dict[str, Any]]:
    """Every object of the page's JSON-LD blocks, down to one level of `@graph` or list."""
    for script in tree.iterfind('.//script[@type="application/ld+json"]'):
        try:
            found = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        for item in found if isinstance(found, list) else [found]:
            if isinstance(item, dict):
                yield item
                graph = item.get("@graph")
                yield from (node for node in graph if isinstance(node, dict)) if isinstance(graph, list) else ()


def _published(
    tree: HtmlElement, metas: dict[str, str], linked: list[dict[str, Any]], url: str | None
) -> tuple[str | None, str | None]:
    said = [
        *((metas[name], "meta") for name in _DATE_NAMES if name in metas),
        *((item["datePublished"], "json-ld") for item in linked if isinstance(item.get("datePublished"), str)),
        *((stamp, "time element") for stamp in _time_elements(tree)),
    ]
    for value, where in said:
        if published := parse_date(value):
            return published, where
    in_address = _DATE_IN_ADDRESS.search(urlsplit(url).path) if url else None
    published = parse_date("-".join(in_address.groups())) if in_address else None
    return published, "address" if published else None


def _time_elements(tree: HtmlElement) -> list[str]:
    """The stamp of the article's own `time`; of several on a page, only one that is marked as its own."""
    stamps = [(element, element.get("datetime") or "") for element in tree.iter("time") if element.get("datetime")]
    marked = [stamp for element, stamp in stamps if element.get("pubdate") is not None or _is_publication(element)]
    return marked[:1] or ([stamps[0][1]] if len(stamps) == 1 else [])


def _is_publication(element: HtmlElement) -> bool:
    return element.get("itemprop") == "datePublished" or "publish" in (element.get("class") or "").lower()


def _linked_publisher(linked: list[dict[str, Any]]) -> str | None:
    for item in linked:
        publisher = item.get("publisher")
        name = publisher.get("name") if isinstance(publisher, dict) else publisher
        if isinstance(name, str) and name.strip():
            return name
    return None


def _canonical(tree: HtmlElement, url: str | None) -> str | None:
    for link in tree.iterfind('.//link[@rel="canonical"]'):
        address: str = urljoin(url or "", (link.get("href") or "").strip())
        if urlsplit(address).scheme in ("http", "https"):
            return address
    return None
