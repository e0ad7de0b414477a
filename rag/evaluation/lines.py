"""Files of one JSON object a line, packed with gzip or not, as the evaluations read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import InvalidRequest
from rag.ingestion.dump import read_lines

__all__ = ["located", "records", "text_lines"]

_LONGEST_LINE = 100_000_000


def located(*places: Path) -> Path:
    """The first of the files that is there, as it is named or with `.gz` behind it. Raises InvalidRequest."""
    for place in places:
        for path in (place, place.with_name(f"{place.name}.gz")):
            if path.is_file():
                return path
    names = " or ".join(place.name if place.parent == places[0].parent else str(place) for place in places)
    raise InvalidRequest(f"{places[0].parent} holds no {names}", "plain or .gz, as BEIR lays a set out")


def text_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Every line that is not blank, behind its place ("queries.jsonl:7"). Raises InvalidRequest, SourceUnreadable."""
    if not path.is_file():
        trouble = f"{path} is a folder" if path.is_dir() else f"there is no file {path}"
        raise InvalidRequest(trouble, "name a file of one JSON object a line")
    for line in read_lines(path, max_bytes=_LONGEST_LINE):
        where = f"{path}:{line.number}"
        if line.too_long:
            raise InvalidRequest(f"{where} is longer than {_LONGEST_LINE // 1_000_000} MB", "split it")
        try:
            yield where, line.data.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise InvalidRequest(f"{where} is not UTF-8 text", "save the file as UTF-8") from error


def records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The object of every line, behind its place. Raises InvalidRequest for a line that holds none."""
    for where, line in text_lines(path):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InvalidRequest(f"{where} is no JSON", "write one JSON object a line") from error
        if not isinstance(record, dict):
            raise InvalidRequest(f"{where} is JSON, but no object", "write one JSON object a line")
        yield where, record
