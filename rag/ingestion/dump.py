"""Dumps: one article as JSON on each line, gzip or not, read line by line."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from rag.errors import SourceTooLarge, SourceUnreadable
from rag.ingestion.decoding import decode
from rag.ingestion.documents import draft_from_record
from rag.records import Document

__all__ = ["DumpLine", "draft_from_line", "is_dump", "read_lines"]

_SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")


@dataclass(frozen=True, slots=True)
class DumpLine:
    """One line that is not blank; of a line above the limit only the beginning is held."""

    number: int
    data: bytes
    too_long: bool = False


def is_dump(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES)


def read_lines(path: Path, *, max_bytes: int) -> Iterator[DumpLine]:
    """The lines of a dump, never more than one of at most `max_bytes` in memory.

    Raises SourceUnreadable if the file cannot be opened or breaks off in the middle.
    """
    number = 0
    try:
        with _open(path) as stream:
            while data := stream.readline(max_bytes + 1):
                number += 1
                too_long = len(data) > max_bytes and not data.endswith(b"\n")
                if too_long:
                    _skip_line(stream)
                if data.strip():
                    yield DumpLine(number, data[:100] if too_long else data, too_long)
    except PermissionError as error:
        raise SourceUnreadable(f"{path} may not be read (permission denied)", "grant access to it") from error
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, gzip.BadGzipFile) and str(error).startswith("Not a gzipped file") and not number:
            raise SourceUnreadable(f"{path} is not gzip", "rename it or pack it") from error
        raise SourceUnreadable(f"{path} breaks off after line {number}", "fetch or pack it again") from error


def draft_from_line(line: DumpLine, *, where: str, max_bytes: int) -> Document:
    """The article of one line; `where` names it in errors ("dump.jsonl:7")."""
    if line.too_long:
        limit = f"{max_bytes / 1_000_000:g} MB"
        raise SourceTooLarge(f"{where} is longer than {limit}", "raise RAG_MAX_ARTICLE_MB or split it")
    try:
        record = json.loads(decode(line.data))
    except (ValueError, RecursionError) as error:
        raise SourceUnreadable(f"{where} is no JSON", "write one JSON object a line") from error
    if not isinstance(record, dict):
        raise SourceUnreadable(f"{where} is JSON, but no object", 'write {"text": ...} on every line')
    return draft_from_record(record, where=where)


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if path.name.lower().endswith(".gz") else path.open("rb")


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(1 << 20)) and not rest.endswith(b"\n"):
        pass
