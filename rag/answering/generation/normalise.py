"""Levelling how the characters of a text are written, with a map back to the text.

Unicode compatibility forms, quotation marks, dashes, white space and invisible characters are levelled
and nothing else: two texts that are equal after folding say the same words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Folded", "fold"]

_QUOTES = frozenset("\"'`´‘’‚‛“”„‟«»‹›′″‵‶〝〞〟「」『』")
_DASHES = frozenset("-‐‑‒–—―−⁃﹘﹣－")
_RUN = re.compile(r" *-[ -]*|  +|''+")  # white space around a dash is typography


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text; `starts[i]` and `ends[i]` bound in the original what its i-th character came from."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


@lru_cache(maxsize=1024)
def fold(text: str) -> Folded:
    """Level how the characters of a text are written, and remember where each came from."""
    if text.isascii() or not any(map(unicodedata.combining, text)):
        clusters = [(start, start + 1) for start in range(len(text))]
    else:
        clusters = list(_clusters(text))
    levelled = [_levelled(text[start:end]) for start, end in clusters]
    joined = "".join(levelled)
    places = [place for place, piece in zip(clusters, levelled, strict=True) for _ in piece]
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    for run in _RUN.finditer(joined):
        first, last = run.start(), run.end() - 1
        characters += joined[position:first], "-" if "-" in run.group() else joined[first]
        starts += [start for start, _ in places[position : first + 1]]
        ends += [end for _, end in places[position:first]]
        ends.append(places[last][1])
        position = run.end()
    characters.append(joined[position:])
    starts += [start for start, _ in places[position:]]
    ends += [end for _, end in places[position:]]
    return Folded("".join(characters), tuple(starts), tuple(ends))


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Bounds of each character together with the marks that are combined with it."""
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or text[index].isascii() or not unicodedata.combining(text[index]):
            yield start, index
            start = index


@lru_cache(maxsize=4096)
def _levelled(cluster: str) -> str:
    if cluster in _QUOTES:  # before normalising, which takes an acute accent apart
        return "'"
    plain = cluster if cluster.isascii() else unicodedata.normalize("NFKC", cluster)
    return "".join(
        "'" if c in _QUOTES else "-" if c in _DASHES else " " if c.isspace() else c
        for c in plain
        if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf", "Cs")
    )
