"""Fetching one web address, within limits and, unless allowed, never inside a private network.

Every hop's host is resolved here, all its addresses are checked, and the connection goes to the address
that was checked: a name that answers differently the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import time
import zlib
from dataclasses import dataclass
from importlib.metadata import version

import httpx

from rag.errors import FetchFailed, SourceTooLarge

__all__ = ["Fetched", "fetch"]

_MAX_REDIRECTS = 5
_TIMEOUT = httpx.Timeout(15.0, connect=10.0)
_TOTAL_S = 60.0  # httpx has no limit over the whole exchange; a server may drip a byte at a time
_HEADERS = {
    "user-agent": f"dateline/{version('dateline')}",
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,application/pdf,text/*;q=0.8,*/*;q=0.5",
    "accept-encoding": "gzip, deflate",
}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address answered after redirects; `url` is the last address asked, without fragment."""

    url: str
    data: bytes
    content_type: str
    charset: str | None


def fetch(address: str, *, max_bytes: int, allow_private: bool) -> Fetched:
    """GET the address. Raises FetchFailed, or SourceTooLarge above `max_bytes` (after decompression)."""
    deadline = time.monotonic() + _TOTAL_S
    url = _parse(address)
    asked: set[httpx.URL] = set()
    # Keep-alive off: a connection is pinned to the host name that was checked for it.
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(timeout=_TIMEOUT, trust_env=False, limits=limits, headers=_HEADERS) as client:
        while len(asked) <= _MAX_REDIRECTS:
            asked.add(url)
            ip = _checked_address(url, allow_private=allow_private)
            try:
                response = client.send(_pinned(client, url, ip), stream=True)
                try:
                    if response.has_redirect_location:
                        url = _next_hop(url, response, asked)
                        continue
                    if response.status_code != 200:
                        raise FetchFailed(f"{url} answers {response.status_code}", "check the address")
                    data = _read(response, max_bytes, deadline)
                    kind, _, _ = response.headers.get("content-type", "").partition(";")
                    return Fetched(str(url), data, kind.strip().lower(), response.charset_encoding)
                finally:
                    response.close()
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
                raise FetchFailed(f"{url} can't be fetched ({_reason(error)})", "try again later") from error
    raise FetchFailed(f"{address} redirects more than {_MAX_REDIRECTS} times", "give the final address")


def _parse(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address.strip())
    except httpx.InvalidURL as error:
        raise FetchFailed(f"{address[:200]!r} is no web address", "give an http or https address") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise FetchFailed(f"{address[:200]!r} is not fetched", "give an http or https address")
    if url.userinfo:
        raise FetchFailed(f"{url.host}: addresses with a user name are not fetched", "leave the user name out")
    return url.copy_with(fragment=None)


def _next_hop(url: httpx.URL, response: httpx.Response, asked: set[httpx.URL]) -> httpx.URL:
    hop = _parse(str(url.join(response.headers["location"])))
    if hop in asked:
        raise FetchFailed(f"{url} redirects in a loop", "give the final address")
    return hop


def _checked_address(url: httpx.URL, *, allow_private: bool) -> str:
    """One address of the host, after every one of them was found to be public (or private ones are allowed)."""
    try:
        found = socket.getaddrinfo(url.host, url.port or 0, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchFailed(f"{url.host} can't be found", "check the address") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not allow_private and not all(map(_is_public, addresses)):
        raise FetchFailed(
            f"{url} points into a private network and is refused", "set RAG_ALLOW_PRIVATE_URLS=true to allow it"
        )
    return addresses[0]


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast


def _pinned(client: httpx.Client, url: httpx.URL, ip: str) -> httpx.Request:
    """A request to the checked address that names the host in its header and in the TLS handshake."""
    return client.build_request(
        "GET",
        url.copy_with(host=ip),
        headers={"host": url.netloc.decode("ascii")},
        extensions={"sni_hostname": url.raw_host.decode("ascii")},
    )


def _read(response: httpx.Response, max_bytes: int, deadline: float) -> bytes:
    """The body, unpacked piece by piece, so that a small answer cannot unfold into a huge one."""
    packed = response.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise FetchFailed(
            f"{response.url.host} answers in an unknown encoding {packed[:20]!r}", "save the page by hand"
        )
    unpacker = None if packed in ("identity", "") else zlib.decompressobj(47)
    body = bytearray()
    try:
        for chunk in response.iter_raw():
            body += unpacker.decompress(chunk, max_bytes + 1 - len(body)) if unpacker else chunk
            if len(body) > max_bytes:
                limit = f"{max_bytes / 1_000_000:g} MB"
                raise SourceTooLarge(f"the answer is larger than {limit}", "raise RAG_MAX_ARTICLE_MB")
            if time.monotonic() > deadline:
                raise FetchFailed(f"the answer took longer than {_TOTAL_S:g} s", "try again later")
    except zlib.error as error:
        raise FetchFailed("the answer is packed wrongly", "save the page by hand") from error
    return bytes(body)


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return (str(error) or type(error).__name__)[:120]
