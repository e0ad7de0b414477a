"""Sources to articles: what a path, a folder, a dump, a web address or a feed holds, loaded one by one."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath
from stat import S_ISREG
from tempfile import TemporaryDirectory

from rag.errors import NoArticle, SourceError, SourceNotFound, SourceTooLarge, SourceUnreadable
from rag.ingestion.documents import draft_from_bytes, draft_from_record
from rag.ingestion.dump import draft_from_line, is_dump, read_lines
from rag.ingestion.feeds import Entry, is_feed, read_feed
from rag.ingestion.fetching import Fetched, fetch
from rag.records import Document

__all__ = ["IngestLimits", "RawSource", "SourceRef", "discover", "from_paste", "from_upload", "from_web"]

# Part of every fingerprint: raise it when the reading or the cleaning of articles changes, so that what
# was taken in before is read again.
_READING = b"5"

_ARTICLE_SUFFIXES = (".txt", ".text", ".md", ".markdown", ".html", ".htm", ".pdf")
_SUFFIX_OF_TYPE = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "application/x-pdf": ".pdf",
    "text/markdown": ".md",
    "text/plain": ".txt",
}


@dataclass(frozen=True, slots=True)
class IngestLimits:
    """Limits of a run: bytes of one article, and whether private addresses may be fetched."""

    max_bytes: int
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class RawSource:
    """An article's bytes before they are read; `draft` reads them and raises SourceError.

    The same fingerprint means the same draft: what is known by it need not be read again, which for
    pages and PDFs takes far longer than getting at their bytes.
    """

    fingerprint: str
    draft: Callable[[], Document]


@dataclass(frozen=True, slots=True)
class SourceRef:
    """Where one article comes from; `name` is shown to people, `open` raises SourceError."""

    name: str
    open: Callable[[], RawSource]

    def load(self) -> Document:
        """The article itself. Raises SourceError."""
        return self.open().draft()


def discover(source: str, rules: IngestLimits) -> Iterator[SourceRef]:
    """The articles of a source, found as the iteration goes on and read when they are loaded.

    Raises SourceError, in the iteration, where the source as a whole is of no use.
    """
    if re.match(r"https?://", source, re.IGNORECASE):
        yield from from_web(source, rules)
    else:
        yield from _from_disk(source, rules)


def from_upload(name: str, data: bytes, rules: IngestLimits) -> Iterator[SourceRef]:
    """The articles of a file that was sent: its name tells the format, its text is its identity.

    Raises SourceError, in the iteration, where the file as a whole is of no use.
    """
    _check_size(name, len(data), rules)
    if not is_dump(name):
        read = partial(draft_from_bytes, name, data, source=None)
        yield SourceRef(name, partial(_material, read, f"upload{PurePath(name.lower()).suffix}", data))
        return
    with TemporaryDirectory(prefix="dateline-") as folder:
        # A name of our own: what was sent may be no name of a file here.
        path = Path(folder, "dump.jsonl.gz" if name.lower().endswith(".gz") else "dump.jsonl")
        path.write_bytes(data)
        yield from _from_dump(path, rules, name=name, line="line ")


def from_paste(text: str, title: str, rules: IngestLimits) -> Iterator[SourceRef]:
    """An article as somebody typed or pasted it; without a title it takes its own. Raises SourceTooLarge."""
    name, data = title.strip() or "the pasted text", text.encode("utf-8", "replace")
    _check_size(name, len(data), rules)
    read = partial(draft_from_record, {"text": text, "title": title.strip() or None}, where=name)
    yield SourceRef(name, partial(_material, read, f"paste {title.strip()}", data))


def _from_disk(source: str, rules: IngestLimits) -> Iterator[SourceRef]:
    try:
        path = Path(source).expanduser()
        is_folder = path.is_dir()
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError, RuntimeError) as error:
        raise SourceNotFound(f"there is no file or folder {source[:300]!r}", "check the path") from error
    except OSError as error:
        raise _unreadable(source, error) from error
    if is_folder:
        yield from _from_folder(path, rules)
    else:
        yield from _from_file(path, rules)


def _from_folder(folder: Path, rules: IngestLimits) -> Iterator[SourceRef]:
    """The articles below a folder in the order of their names; hidden ones and circular links are left out."""
    empty = True
    for origin in _walk(folder, rules, seen=set()):
        empty = False
        yield origin
    if empty:
        kinds = " ".join((*_ARTICLE_SUFFIXES, ".jsonl"))
        raise NoArticle(f"the folder {_shown(folder)} holds no articles", f"articles are files ending in {kinds}")


def _walk(folder: Path, rules: IngestLimits, *, seen: set[tuple[int, int]]) -> Iterator[SourceRef]:
    try:
        at = folder.stat()
        entries = sorted(folder.iterdir())
    except OSError as error:
        yield _failing(_shown(folder), _unreadable(_shown(folder), error))
        return
    if (at.st_dev, at.st_ino) in seen:
        return
    seen.add((at.st_dev, at.st_ino))
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry, rules, seen=seen)
        elif is_dump(entry.name):
            yield from _from_dump_in_folder(entry, rules)
        elif entry.name.lower().endswith(_ARTICLE_SUFFIXES):
            yield SourceRef(_shown(entry), partial(_open_file, entry, rules.max_bytes))


def _from_dump_in_folder(path: Path, rules: IngestLimits) -> Iterator[SourceRef]:
    """A broken dump is one failure of the folder, not its end."""
    try:
        yield from _from_dump(path, rules)
    except SourceError as error:
        yield _failing(_shown(path), error)


def _from_file(path: Path, rules: IngestLimits) -> Iterator[SourceRef]:
    if is_dump(path.name):
        yield from _from_dump(path, rules)
    else:
        yield SourceRef(_shown(path), partial(_open_file, path, rules.max_bytes))


def _from_dump(
    path: Path, rules: IngestLimits, *, name: str | None = None, line: str | None = None
) -> Iterator[SourceRef]:
    """`name` is shown for the file and `line` before the number of a line; both tell the path by default."""
    shown = _shown(path) if name is None else name
    empty = True
    try:
        for read_line in read_lines(path, max_bytes=rules.max_bytes):
            empty = False
            where = f"{shown}:{read_line.number}" if line is None else f"{line}{read_line.number}"
            read = partial(draft_from_line, read_line, where=where, max_bytes=rules.max_bytes)
            # A line says itself what it is: the dump may have another name the next time.
            yield SourceRef(where, partial(_material, read, "", read_line.data))
    except SourceUnreadable as error:
        raise SourceUnreadable(error.message.replace(str(path), shown, 1), error.remedy) from error
    if empty:
        raise NoArticle(f"{shown} is empty", "a dump holds one JSON object a line")


def _open_file(path: Path, max_bytes: int) -> RawSource:
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise SourceUnreadable(f"{_shown(path)} is no regular file", "give a file, a folder or an address")
        if status.st_size > max_bytes:
            raise _too_large(path, max_bytes)
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise SourceNotFound(f"there is no file {_shown(path)}", "it was removed, or a link leads nowhere") from error
    except OSError as error:
        raise _unreadable(_shown(path), error) from error
    if len(data) > max_bytes:
        raise _too_large(path, max_bytes)
    uri = path.resolve().as_uri()
    return _material(partial(draft_from_bytes, path.name, data, source=uri), uri, data)


def from_web(address: str, rules: IngestLimits) -> Iterator[SourceRef]:
    """The article, or those of the feed, at an address; never a file of this machine.

    Raises SourceError, in the iteration, where the address as a whole is of no use.
    """
    fetched = fetch(address, max_bytes=rules.max_bytes, allow_private=rules.allow_private)
    if not is_feed(fetched.content_type, fetched.data):
        yield SourceRef(fetched.url, partial(_material, partial(_draft_from_web, fetched), fetched.url, fetched.data))
        return
    entries = read_feed(fetched.data, fetched.url)
    if not entries:
        raise NoArticle(f"the feed {fetched.url} has no entries", "try again when it has some")
    for entry in entries:
        yield SourceRef(entry.link, partial(_open_entry, entry, rules))


def _open_entry(entry: Entry, rules: IngestLimits) -> RawSource:
    fetched = fetch(entry.link, max_bytes=rules.max_bytes, allow_private=rules.allow_private)
    return _material(partial(_draft_from_entry, entry, fetched), f"{fetched.url} {entry}", fetched.data)


def _draft_from_entry(entry: Entry, fetched: Fetched) -> Document:
    """The article behind an entry of a feed; what the page does not say is taken from the entry."""
    draft = _draft_from_web(fetched)
    if draft.published is None and entry.published is not None:
        draft = replace(draft, published=entry.published, published_from="feed")
    return replace(draft, publisher=draft.publisher or entry.publisher, authors=draft.authors or entry.authors)


def _draft_from_web(fetched: Fetched) -> Document:
    name = fetched.url.partition("?")[0] + _SUFFIX_OF_TYPE.get(fetched.content_type, "")
    if fetched.content_type.startswith(("image/", "video/", "audio/", "font/")):
        raise SourceUnreadable(f"{fetched.url} is {fetched.content_type}, no article", "give an article's address")
    return draft_from_bytes(name, fetched.data, source=fetched.url, url=fetched.url, charset=fetched.charset)


def _failing(name: str, error: SourceError) -> SourceRef:
    def fail() -> RawSource:
        raise error

    return SourceRef(name, fail)


def _material(draft: Callable[[], Document], identity: str, data: bytes) -> RawSource:
    """`identity` is what the draft depends on besides the bytes."""
    whole = hashlib.sha256(_READING)
    for part in (os.fsencode(identity), data):
        whole.update(len(part).to_bytes(8, "big") + part)
    return RawSource(whole.hexdigest(), draft)


def _check_size(name: str, size: int, rules: IngestLimits) -> None:
    if size > rules.max_bytes:
        limit = f"{rules.max_bytes / 1_000_000:g} MB"
        raise SourceTooLarge(f"{name} is larger than {limit}", "raise RAG_MAX_ARTICLE_MB or split it")


def _too_large(path: Path, max_bytes: int) -> SourceTooLarge:
    limit = f"{max_bytes / 1_000_000:g} MB"
    return SourceTooLarge(f"{_shown(path)} is larger than {limit}", "raise RAG_MAX_ARTICLE_MB or split it")


def _unreadable(name: str, error: OSError) -> SourceUnreadable:
    if isinstance(error, PermissionError):
        return SourceUnreadable(f"{name} may not be read (permission denied)", "grant access to it")
    return SourceUnreadable(f"{name} can't be read ({error.strerror or error})", "check the path and the disk")


def _shown(path: Path) -> str:
    """The path in letters that can be printed, whatever bytes its name is made of."""
    return os.fsencode(path).decode("utf-8", errors="replace")
