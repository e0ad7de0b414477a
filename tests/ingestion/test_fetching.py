from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rag.errors import FetchFailed, NoArticle, SourceTooLarge, SourceUnreadable
from rag.ingestion import fetching
from rag.ingestion.fetching import fetch
from rag.ingestion.loading import IngestLimits, discover

TEXT = "The harbour of Salalah opened again on Tuesday after a week of storms, the port authority said."
PAGE = f"<html><body><article><h1>Port</h1><p>{TEXT}</p></article></body></html>".encode()
RULES = IngestLimits(max_bytes=100_000, allow_private=True)

Reply = tuple[int, dict[str, str], bytes]


class Site:
    """A web server on a free port of this machine; `pages` maps a path to what it answers."""

    def __init__(self) -> None:
        self.pages: dict[str, Callable[[dict[str, str]], Reply]] = {}
        self.asked: list[dict[str, str]] = []
        self.piece, self.pause = 1 << 20, 0.0
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                site.asked.append({"path": self.path, **headers})
                page = site.pages.get(self.path)
                status, out, body = page(headers) if page else (404, {}, b"nothing here")
                self.send_response(status)
                for name, value in out.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                with suppress(OSError):  # the client may have had enough
                    for at in range(0, len(body), site.piece):
                        self.wfile.write(body[at : at + site.piece])
                        time.sleep(site.pause)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.base = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, path: str, body: bytes, kind: str = "text/html", status: int = 200, **headers: str) -> str:
        out = {"content-type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.pages[path] = lambda _: (status, out, body)
        return self.base + path


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


def test_a_page_is_fetched_once_and_knows_its_address(site: Site) -> None:
    url = site.add("/port?a=1", PAGE)
    (origin,) = discover(f"{url}#top", RULES)
    draft = origin.load()
    assert (draft.text, draft.title) == (TEXT, "Port")
    assert draft.source == draft.url == origin.name == url
    assert len(site.asked) == 1
    assert site.asked[0]["user-agent"].startswith("dateline/")
    assert site.asked[0]["host"] == f"127.0.0.1:{site.port}"


def test_formats_follow_the_content_type(site: Site) -> None:
    text = site.add("/a.html", f"# Port\n\n{TEXT}".encode(), "text/markdown; charset=utf-8")
    assert next(discover(text, RULES)).load().title == "Port"
    russian = "Министр иностранных дел заявил, что переговоры продолжатся."
    plain = site.add("/b", russian.encode("koi8_r"), "text/plain; charset=koi8-r")
    assert next(discover(plain, RULES)).load().text == russian
    with pytest.raises(SourceUnreadable):
        next(discover(site.add("/c", b"\x89PNG", "image/png"), RULES)).load()


def test_private_addresses_are_refused_unless_allowed(site: Site) -> None:
    url = site.add("/port", PAGE)
    hosts = ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
    for address in [url, *(f"http://{host}:{site.port}/port" for host in hosts)]:
        with pytest.raises(FetchFailed):
            fetch(address, max_bytes=1000, allow_private=False)
    for address in ("http://10.0.0.1/", "http://169.254.169.254/latest", "http://192.168.1.1/", "http://[fd00::1]/"):
        with pytest.raises(FetchFailed, match="RAG_ALLOW_PRIVATE_URLS"):
            fetch(address, max_bytes=1000, allow_private=False)
    assert site.asked == []
    assert fetch(f"http://localhost:{site.port}/port", max_bytes=1000, allow_private=True).data == PAGE


def test_what_counts_as_public() -> None:
    for address in ("8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"):
        assert fetching._is_public(address)
    for address in ("100.64.0.1", "224.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "fe80::1%eth0", "::", "198.18.0.1"):
        assert not fetching._is_public(address)


def test_a_redirect_into_a_private_network_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    # The first hop counts as public here, the second is one that never may be.
    monkeypatch.setattr(fetching, "_is_public", lambda address: address == "127.0.0.1")
    url = site.add("/out", b"", status=302, location="http://169.254.169.254/latest/meta-data")
    with pytest.raises(FetchFailed, match="private network"):
        fetch(url, max_bytes=1000, allow_private=False)


def test_the_connection_goes_to_the_address_that_was_checked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add("/port", PAGE)
    asked = []

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(fetching, "_checked_address", lambda url, **_: resolve(url.host, 0)[0][4][0])
    fetched = fetch(f"http://port.example:{site.port}/port", max_bytes=1000, allow_private=False)
    assert fetched.url == f"http://port.example:{site.port}/port"
    assert site.asked[0]["host"] == f"port.example:{site.port}"
    assert asked == ["port.example"]


def test_redirects(site: Site) -> None:
    end = site.add("/end", PAGE)
    url = site.add("/start", b"", status=301, location="/end#part")
    assert fetch(url, max_bytes=1000, allow_private=True).url == end
    loop = site.add("/loop", b"", status=302, location="/pool")
    site.add("/pool", b"", status=302, location="/loop")
    with pytest.raises(FetchFailed, match="loop"):
        fetch(loop, max_bytes=1000, allow_private=True)
    for number in range(9):
        site.add(f"/{number}", b"", status=307, location=f"/{number + 1}")
    with pytest.raises(FetchFailed, match="more than 5 times"):
        fetch(f"{site.base}/0", max_bytes=1000, allow_private=True)
    for target in ("file:///etc/passwd", "ftp://a.example/", "http://", "http://a b/", "//"):
        with pytest.raises(FetchFailed):
            fetch(site.add("/odd", b"", status=302, location=target), max_bytes=1000, allow_private=True)


@pytest.mark.parametrize("status", [404, 403, 500, 204])
def test_a_status_that_is_no_answer(site: Site, status: int) -> None:
    with pytest.raises(FetchFailed, match=f"answers {status}"):
        fetch(site.add("/x", b"", status=status), max_bytes=1000, allow_private=True)


def test_a_server_that_is_not_there_and_addresses_that_are_none(site: Site) -> None:
    site.server.shutdown()
    site.server.server_close()
    for address in (
        site.base,
        "http://",
        "http://name:word@a.example/",
        "http://no-such-host.invalid/",
        "ftp://a.example",
    ):
        with pytest.raises(FetchFailed) as caught:
            fetch(address, max_bytes=1000, allow_private=True)
        assert "\n" not in str(caught.value)
        assert "word" not in str(caught.value)


def test_large_answers_and_packed_floods_are_refused(site: Site) -> None:
    with pytest.raises(SourceTooLarge, match="RAG_MAX_ARTICLE_MB"):
        fetch(site.add("/a", b"x" * 2000), max_bytes=1000, allow_private=True)
    flood = gzip.compress(b"x" * 50_000_000)
    with pytest.raises(SourceTooLarge):
        fetch(site.add("/b", flood, content_encoding="gzip"), max_bytes=1000, allow_private=True)
    for body, name in ((gzip.compress(PAGE), "gzip"), (zlib.compress(PAGE), "deflate")):
        assert fetch(site.add("/c", body, content_encoding=name), max_bytes=1000, allow_private=True).data == PAGE
    for body, name in ((b"no gzip", "gzip"), (PAGE, "br")):
        with pytest.raises(FetchFailed):
            fetch(site.add("/d", body, content_encoding=name), max_bytes=1000, allow_private=True)


FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Gulf Daily</title>
<item><title>One</title><link>/one</link><pubDate>Sat, 03 Feb 2024 08:00:00 GMT</pubDate></item>
<item><title>Two</title><link>{base}/two</link></item>
<item><title>Two again</title><link>{base}/two</link></item>
<item><title>None</title><link>javascript:alert(1)</link></item>
</channel></rss>"""


def test_a_feed_gives_the_articles_behind_its_entries(site: Site) -> None:
    site.add("/one", PAGE)
    url = site.add("/feed", FEED.replace("{base}", site.base).encode(), "text/xml")
    first, second = discover(url, RULES)
    assert len(site.asked) == 1
    draft = first.load()
    assert (draft.published, draft.published_from) == ("2024-02-03T08:00:00+00:00", "feed")
    assert (draft.publisher, draft.url) == ("Gulf Daily", f"{site.base}/one")
    with pytest.raises(FetchFailed, match="answers 404"):
        second.load()


def test_a_feed_without_entries(site: Site) -> None:
    url = site.add("/feed", b"<rss version='2.0'><channel><title>x</title></channel></rss>", "application/rss+xml")
    with pytest.raises(NoArticle):
        next(discover(url, RULES))


def test_a_server_that_drips_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_TOTAL_S", 0.5)
    site.piece, site.pause = 1, 0.1
    started = time.monotonic()
    with pytest.raises(FetchFailed, match="took longer"):
        fetch(site.add("/drip", PAGE), max_bytes=100_000, allow_private=True)
    assert time.monotonic() - started < 3
