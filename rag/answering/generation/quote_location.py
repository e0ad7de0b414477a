"""Find what a language model quotes in the stored articles.

A quote that cannot be located does not exist: what a reader sees is cut from the article, never what
the writer wrote. A quote is looked for as it is, then with its characters levelled (`folding`), then
with a slip of the pen forgiven (`likeness`), which never forgives a negation, a number or a name: "would
halt" is not found in "would not halt". What a writer put together from several places is taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from rag.answering.generation.fuzzy import names_or_counts, near_matches, turning_words
from rag.answering.generation.normalise import fold
from rag.english.sentences import sentences
from rag.records import Evidence, Span

__all__ = ["MIN_WORDS", "Locator"]

MIN_WORDS = 3  # a shorter quote says nothing by itself and shows its whole sentence instead
MIN_PART_WORDS = 4  # of a quote that was put together without a sign of it
MAX_PARTS = 8
NEIGHBOURS = 2  # a quote may run over this many sentences before and after the one it names

_EDGES = " '.,;:"
_OPENING = " \"'“‘«("

# A letter or digit of a script that puts spaces between words: only there a cut can fall inside a word.
_LETTER = r"[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
_JOINER = r"['’\u00ad\u200b-\u200d\u2060‐‑-]"
_INSIDE = re.compile(
    r"(?=[\u0300-\u036f\u200d\ufe00-\ufe0f])"  # a mark belongs to the character before it
    rf"|(?<={_LETTER})(?={_JOINER}?{_LETTER})|(?<={_LETTER}{_JOINER})(?={_LETTER})"
    r"|(?<=\d)(?=[.,:]\d)|(?<=\d[.,:])(?=\d)"
)

# What turns or limits the words after it, or belongs to a number, is never cut off.
_TURNING_BEFORE = re.compile(
    r"\b(?:(?:not|never|no|nor|neither|without|cannot|\w+n['’]t|only|hardly|barely|may|might|could"
    r"|(?:all|some|most|few|many|half|none)(?: of)?(?: the)?)\s+)$",
    re.IGNORECASE,
)
_FEW = re.compile(r"(?:few|little)\b", re.IGNORECASE)
_SIGN_BEFORE = re.compile(r"(?:(?<![\w)])[-−–+])?[$€£¥₹]?$")
_UNIT_AFTER = re.compile(r"\s?(?:[%‰]|(?:per\s?cent|hundred|thousand|million|billion|trillion)\b)")

_ELLIPSIS = re.compile(r"\s*(?:[\[(]\s*(?:…|\.{2,}|(?:\. ){2}\.)\s*[\])]|…|\.{3,}|(?:\. ){2}\.)\s*")
_CLAUSE_END = re.compile(r"[;:,]\s+(?:(?:and|but|while)\s+)?|\s+[–—-]+\s+|\s+(?:and|but|while)\s+")

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

    def locate_all(self, quote: str, at: str = "") -> tuple[Evidence, ...]:
        """The slices that a quote was put together from, in its order: one, as a rule; none if a part is missing.

        An ellipsis, a sentence end or the end of a clause may stand where words were left out. Where the
        words left out turn the meaning ("would ... halt" of "would not halt"), the slice runs over them; where
        they were left out without a sign and name or count something, nothing is found.
        """
        whole = self.locate(quote, at)
        if whole:
            return (whole,)
        parts = [part for part in _ELLIPSIS.split(quote) if _WORD.search(part)]
        if len(parts) > MAX_PARTS:
            return ()
        found: list[Evidence] = []
        for part in parts:
            near = self._number_of(found[-1]) if found else at
            one = self.locate(part, near) if len(parts) > 1 else None
            located = (one,) if one else self._stitched(part, near)
            if not located:
                return ()
            found.extend(located)
        return self._apart(found)

    def _stitched(self, quote: str, at: str) -> tuple[Evidence, ...]:
        """The parts of a quote that was put together without an ellipsis, each as long as can be."""
        clauses = _clauses(quote)
        found: list[Evidence] = []
        first = 0
        while first < len(clauses):
            near = self._number_of(found[-1]) if found else at
            part, first = self._longest(quote, clauses, first, near)
            if part is None or (found and self._hides_words(found[-1], part)):
                return ()
            found.append(part)
        return tuple(found)

    def _longest(self, quote: str, clauses: list[Span], first: int, at: str) -> tuple[Evidence | None, int]:
        """What the clauses from `first` on quote, and the clause after it."""
        best, after = None, first
        for last in range(first, len(clauses)):
            said = quote[clauses[first].start : clauses[last].end]
            found = self.locate(said, at)
            if found is None or turning_words(found.text) != turning_words(said):
                break
            best, after = found, last + 1
        return best, after

    def _hides_words(self, one: Evidence, other: Evidence) -> bool:
        """Whether the two stand in one sentence without the words that name, count or turn something in it."""
        sentence = self._sentence_of(one, other)
        if sentence is None:
            return False
        gap = one.hit.article.text[one.end : other.start]
        return one.end > other.start or bool(turning_words(gap)) or names_or_counts(gap)

    def _apart(self, found: list[Evidence]) -> tuple[Evidence, ...]:
        """Without those that others hold; two that a negation in their sentence stands between as one."""
        kept: list[Evidence] = []
        for part in found:
            if any(_holds(other, part) for other in kept):
                continue
            kept = [other for other in kept if not _holds(part, other)]
            before = kept[-1] if kept else None
            gap = part.hit.article.text[before.end : part.start] if before else ""
            if before and self._sentence_of(before, part) and turning_words(gap):
                kept[-1] = Evidence(before.hit, before.start, part.end)
            else:
                kept.append(part)
        return tuple(kept)

    def _sentence_of(self, *parts: Evidence) -> Evidence | None:
        return next((s for s in self._sentences.values() if all(_holds(s, part) for part in parts)), None)

    def _number_of(self, found: Evidence) -> str:
        """The number of the sentence in which a slice begins."""
        start = Evidence(found.hit, found.start, found.start + 1)
        return next((number for number, s in self._sentences.items() if _holds(s, start)), "")

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
_MATCHERS: tuple[Matcher, ...] = (_same_words, near_matches)


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
        if _INSIDE.match(text, start) or _INSIDE.match(text, end):
            continue
        found = _widened(Evidence(window.hit, start, end), window)
        # A capital that the text does not have makes a sentence of what follows "no" or "some".
        is_sentence = quote.lstrip(_OPENING)[:1].isupper() and text[start : start + 1].islower()
        if not (is_sentence and turning_words(text[found.start : start])):
            return found
    return None


def _widened(found: Evidence, window: Evidence) -> Evidence:
    text, start, end = found.hit.article.text, found.start, found.end
    while text[start].isspace():
        start += 1
    while text[end - 1].isspace():
        end -= 1
    if text[start].isdigit() or text[start] in "$€£¥₹":
        start -= len(_matched(_SIGN_BEFORE.search(text[window.start : start])))
    start -= len(_matched(_TURNING_BEFORE.search(text[max(window.start, start - 20) : start])))
    if _FEW.match(text, start) and text[max(window.start, start - 2) : start].lower() == "a ":
        start -= 2
    if text[end - 1].isdigit():
        end += len(_matched(_UNIT_AFTER.match(text[end : window.end])))
    return Evidence(found.hit, start, end)


def _clauses(quote: str) -> list[Span]:
    """The clauses of a quote, short ones together with their neighbour; its sentences if those are too many."""
    ends = [(span.end, span.end, True) for span in sentences(quote)]
    marks = [(mark.start(), mark.end(), False) for mark in _CLAUSE_END.finditer(quote)]
    clauses = _cut(quote, sorted(ends + marks))
    if len(clauses) > MAX_PARTS:
        clauses = _cut(quote, ends)
    return clauses if 1 < len(clauses) <= MAX_PARTS else []


def _cut(quote: str, ends: list[tuple[int, int, bool]]) -> list[Span]:
    """Pieces up to each end; a short one goes to the piece before it at a sentence's end, else to the next."""
    pieces: list[Span] = []
    start = 0
    for end, after, is_sentence in ends:
        words = len(_WORD.findall(quote[start:end]))
        if words >= MIN_PART_WORDS:
            pieces.append(Span(start, end))
        elif is_sentence and pieces and words:
            pieces[-1] = Span(pieces[-1].start, end)
        else:
            continue
        start = after
    return pieces


def _holds(whole: Evidence, part: Evidence) -> bool:
    same = whole.hit.article.id == part.hit.article.id
    return same and whole.start <= part.start and part.end <= whole.end


def _matched(match: re.Match[str] | None) -> str:
    return match.group() if match else ""


def _joined(sentences: list[Evidence]) -> Evidence:
    return Evidence(sentences[0].hit, sentences[0].start, sentences[-1].end)


def _passage_of(number: str) -> str:
    return number.partition(".")[0]
