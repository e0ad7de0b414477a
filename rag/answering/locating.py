"""Finding what a writer quotes in the stored articles.

A quote that cannot be located does not exist: what a reader sees is cut from the article, never what
the writer wrote. Two texts are the same words here when they are equal after folding, which levels how
characters are written (Unicode compatibility forms, quotation marks, dashes, white space, invisible
characters) and nothing else, so "would halt" is never found in "would not halt".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from rag.records import Evidence, Span

__all__ = ["MIN_WORDS", "Folded", "Locator", "fold"]

MIN_WORDS = 3  # a shorter quote says nothing by itself and shows its whole sentence instead
NEIGHBOURS = 2  # a quote may run over this many sentences before and after the one it names

_QUOTES = frozenset("\"'`´‘’‚‛“”„‟«»‹›′″‵‶〝〞〟「」『』")
_DASHES = frozenset("-‐‑‒–—―−⁃﹘﹣－")
_RUN = re.compile(r" *-[ -]*|  +|''+")  # white space around a dash is typography
_EDGES = " '.,;:"

# A letter or digit of a script that puts spaces between words: only there a cut can fall inside a word.
_LETTER = r"[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
_JOINER = r"['’\u00ad\u200b-\u200d\u2060‐‑-]"
_INSIDE = re.compile(
    r"(?=[\u0300-\u036f\u200d\ufe00-\ufe0f])"  # a mark belongs to the character before it
    rf"|(?<={_LETTER})(?={_JOINER}?{_LETTER})|(?<={_LETTER}{_JOINER})(?={_LETTER})"
    r"|(?<=\d)(?=[.,:]\d)|(?<=\d[.,:])(?=\d)"
)

# What turns the words after it round, or belongs to a number, is never cut off.
_NEGATION_BEFORE = re.compile(r"(?:\b(?:not|never|no|nor|neither|without|cannot|\w+n['’]t)\s+)$", re.IGNORECASE)
_SIGN_BEFORE = re.compile(r"(?:(?<![\w)])[-−–+])?[$€£¥₹]?$")
_UNIT_AFTER = re.compile(r"\s?(?:[%‰]|(?:per\s?cent|hundred|thousand|million|billion|trillion)\b)")

_WORD = re.compile(r"\w+")

Matcher = Callable[[str, str], Iterator[Span]]


class Locator:
    """Locates quotes among the numbered sentences of one prompt (`Prompt.sentences`)."""

    def __init__(self, sentences: Mapping[str, Evidence]) -> None:
        self._sentences = sentences
        self._passages: dict[str, list[Evidence]] = {}
        for number, sentence in sentences.items():
            self._passages.setdefault(_passage_of(number), []).append(sentence)

    def locate(self, quote: str, at: str = "") -> Evidence | None:
        """The slice of a stored article that says the same words as `quote`, or None.

        `at` is the number of the sentence the writer names; that sentence is searched first, then its
        neighbours, its passage and the other passages in their order. The slice never begins or ends
        inside a word or a number, and takes a negation, a sign or a unit next to it along.
        """
        if len(_WORD.findall(quote)) < MIN_WORDS:
            return self._locate_short(quote, at)
        for matcher in _MATCHERS:
            for window in self._windows(at):
                found = _first(matcher, quote, window)
                if found:
                    return found
        return None

    def _locate_short(self, quote: str, at: str) -> Evidence | None:
        words = fold(quote).text.strip(_EDGES)
        if not words:
            return None
        named = self._sentences.get(at)
        if named and _first(_same_words, quote, named):
            return named
        return next((s for s in self._sentences.values() if fold(s.text).text.strip(_EDGES) == words), None)

    def _windows(self, at: str) -> Iterator[Evidence]:
        home = _passage_of(at)
        near = self._passages.get(home, [])
        if at in self._sentences:
            index = near.index(self._sentences[at])
            yield near[index]
            yield _joined(near[max(0, index - NEIGHBOURS) : index + NEIGHBOURS + 1])
        if near:
            yield _joined(near)
        for number, passage in self._passages.items():
            if number != home:
                yield _joined(passage)


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text; `starts[i]` and `ends[i]` bound in the original what its i-th character came from."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


@lru_cache(maxsize=512)
def fold(text: str) -> Folded:
    """Level how the characters of a text are written, and remember where each came from."""
    levelled = [(start, end, c) for start, end in _clusters(text) for c in _levelled(text[start:end])]
    joined = "".join(c for _, _, c in levelled)
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    while position < len(joined):
        run = _RUN.match(joined, position)
        last = run.end() - 1 if run else position
        characters.append("-" if run and "-" in run.group() else joined[position])
        starts.append(levelled[position][0])
        ends.append(levelled[last][1])
        position = last + 1
    return Folded("".join(characters), tuple(starts), tuple(ends))


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Bounds of each character together with the marks that are combined with it."""
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or text[index].isascii() or not unicodedata.combining(text[index]):
            yield start, index
            start = index


def _levelled(cluster: str) -> str:
    if cluster in _QUOTES:  # before normalising, which takes an acute accent apart
        return "'"
    plain = cluster if cluster.isascii() else unicodedata.normalize("NFKC", cluster)
    return "".join(
        "'" if c in _QUOTES else "-" if c in _DASHES else " " if c.isspace() else c
        for c in plain
        if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf", "Cs")
    )


def _exact(quote: str, text: str) -> Iterator[Span]:
    for start in _occurrences(quote.strip(), text):
        yield Span(start, start + len(quote.strip()))


def _folded(quote: str, text: str) -> Iterator[Span]:
    folded = fold(text)
    for needle in _needles(fold(quote).text):
        for first in _occurrences(needle, folded.text):
            after = first + len(needle)
            start, end = folded.starts[first], folded.ends[after - 1]
            halves_first = first > 0 and folded.starts[first - 1] == start
            halves_last = after < len(folded.ends) and folded.ends[after] == end
            if not (halves_first or halves_last):  # half of a ligature
                yield Span(start, end)


def _same_words(quote: str, text: str) -> Iterator[Span]:
    return chain(_exact(quote, text), _folded(quote, text))


# From the strictest to the most lenient: a later one is asked only when the earlier ones find nothing anywhere.
_MATCHERS: tuple[Matcher, ...] = (_same_words,)


def _needles(quote: str) -> Iterator[str]:
    """The quote as it is and without marks around it, each also with its first letter in the other case."""
    for needle in dict.fromkeys((quote.strip(), quote.strip(_EDGES))):
        yield needle
        letter = re.search(r"[^\W\d_]", needle)
        if letter:
            yield needle[: letter.start()] + letter.group().swapcase() + needle[letter.end() :]


def _occurrences(needle: str, text: str) -> Iterator[int]:
    start = text.find(needle) if needle else -1
    while start >= 0:
        yield start
        start = text.find(needle, start + 1)


def _first(matcher: Matcher, quote: str, window: Evidence) -> Evidence | None:
    """The first place in the window that does not cut a word in two."""
    text = window.hit.article.text
    for span in matcher(quote, window.text):
        start, end = window.start + span.start, window.start + span.end
        if not (_INSIDE.match(text, start) or _INSIDE.match(text, end)):
            return _widened(Evidence(window.hit, start, end), window)
    return None


def _widened(found: Evidence, window: Evidence) -> Evidence:
    text, start, end = found.hit.article.text, found.start, found.end
    while text[start].isspace():
        start += 1
    while text[end - 1].isspace():
        end -= 1
    if text[start].isdigit() or text[start] in "$€£¥₹":
        start -= len(_matched(_SIGN_BEFORE.search(text[window.start : start])))
    start -= len(_matched(_NEGATION_BEFORE.search(text[max(window.start, start - 20) : start])))
    if text[end - 1].isdigit():
        end += len(_matched(_UNIT_AFTER.match(text[end : window.end])))
    return Evidence(found.hit, start, end)


def _matched(match: re.Match[str] | None) -> str:
    return match.group() if match else ""


def _joined(sentences: list[Evidence]) -> Evidence:
    return Evidence(sentences[0].hit, sentences[0].start, sentences[-1].end)


def _passage_of(number: str) -> str:
    return number.partition(".")[0]
