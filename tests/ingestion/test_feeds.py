from __future__ import annotations

import time

import pytest

from rag.ingestion.feeds import is_feed, read_feed

ITEM = "<item><link>{link}</link><author>{author}</author></item>"
FEED = "<rss version='2.0'><channel><title>{title}</title>{items}</channel></rss>"


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"<rss version='2.0'>", True),
        (b"\xef\xbb\xbf <?xml version='1.0'?>\n<!-- a -> b --> <!---->\n<feed xmlns='x'>", True),
        (b"<rdf:RDF>", True),
        (b"<!-- <rss> --><html>", False),
        (b"<!-- <rss>", False),
        (b"<!doctype html><rss>", False),
    ],
)
def test_a_feed_is_known_by_how_it_begins(start: bytes, expected: bool) -> None:
    assert is_feed("text/html", start) is expected


def test_comments_before_a_page_take_no_time() -> None:
    started = time.thread_time()
    assert not is_feed("text/html", b"<!---->" * 24 + b"<html>")
    assert not is_feed("text/html", b"<!---->" * 500 + b"<html>")
    assert time.thread_time() - started < 1


def test_what_a_feed_says_is_fit_for_a_terminal_and_for_storage() -> None:
    odd = "\x1b[31m\x9b1m\u202e"
    items = ITEM.format(link=f"https://a.example/{odd}b", author=f"Jane{odd} \n Roe")
    feed = FEED.format(title=f"Gulf{odd}\nDaily", items=items)
    (entry,) = read_feed(feed.encode(), "https://a.example/feed")
    shown = (entry.link, entry.publisher, *entry.authors)
    assert all(text.isprintable() for text in shown if text), shown
