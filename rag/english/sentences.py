"""Sentences of news prose, with exact offsets.

A stop is weighed by the word before it (titles, initials, abbreviations) and the word after it; a line
end by what stands on its two sides. Every look around a position is bounded, so the time is linear in
the length of the text, whatever the text is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.english import abbreviations
from rag.records import Span

__all__ = ["MAX_CHARS", "sentences"]

MAX_CHARS = 1000

_CLOSERS = "\"'”’»›)]}」』）】》"
_OPENERS = "\"'“‘«‹([{「『（【《¿¡"
_SYMBOLS = tuple("$£€¥#@")
_IDEOGRAPHIC = "。！？｡"
_ENDERS = ".!?…؟۔।॥։" + _IDEOGRAPHIC

_MARK = re.compile(rf"[\n{_ENDERS}]")
_NEWLINES = re.compile(r"\n\s*+")
_STOP = re.compile(rf"[{_ENDERS}]++(?: \.)*+(?:[{re.escape(_CLOSERS)}]|\[\d{{1,3}}\])*+(?: [\"'”’](?=\s))?+")
_NEXT = re.compile(rf"(\s*+)[{re.escape(_OPENERS)}]*+(\w{{0,24}})")
_ATTRIBUTION = re.compile(
    r"\s+(?:[A-Z][\w.'’-]{0,30}\s+){1,4}"
    r"(?:said|says|asked|asks|added|adds|told|wrote|writes|replied|answered|shouted|tweeted|posted|quipped)\b"
)
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_TORN_MIN = 40  # a paragraph that was torn is at least this long; shorter lines are headings and list items


def sentences(text: str) -> list[Span]:
    """The sentences of `text` in order, without the white space around them.

    Every character that is not white space is in exactly one span; no span is longer than MAX_CHARS.
    """
    spans: list[Span] = []
    start = 0
    for end in _boundaries(text):
        spans.extend(_pieces(text, start, end))
        start = end
    return spans


def _boundaries(text: str) -> Iterator[int]:
    """Positions where a sentence ends, in order; the last is the end of the text."""
    lower_starts = _is_lower_case(text[:4000])
    start = position = 0
    held = -1  # end of a stop that was judged to be no end ("Mr."): a line end right after it is none either
    while mark := _MARK.search(text, position):
        at = mark.start()
        if text[at] == "\n":
            position = _end_of(_NEWLINES, text, at)
            is_end = _ends_at_newline(text, start, at, position, held)
            end, held = at, -1
        else:
            position = end = _end_of(_STOP, text, at)
            is_end = _ends_at_stop(text, start, at, end, lower_starts=lower_starts)
            held = -1 if is_end else end
        if is_end:
            yield end
            start = end
    yield len(text)


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at + 1


def _is_lower_case(sample: str) -> bool:
    """Whether the text was put in lower case as a whole, so that a small letter may open a sentence."""
    return sample == sample.lower() and sample != sample.upper()


def _ends_at_newline(text: str, start: int, at: int, after: int, held: int) -> bool:
    line = text[max(start, at - 200) : at].rstrip()
    if not line or after >= len(text):
        return True
    blank = text.count("\n", at, after) > 1
    if not blank and held >= 0 and not text[held:at].strip():
        return False
    if line.rstrip(_CLOSERS)[-1:] in (*_ENDERS, ":", ";", ""):
        return True
    if not blank and line.endswith(","):
        return False
    is_long = len(line) - (line.rfind("\n") + 1) >= _TORN_MIN
    if not blank:  # in hard-wrapped prose either of two lines may be short
        is_long = is_long or (len(text) >= after + _TORN_MIN and text.find("\n", after, after + _TORN_MIN) < 0)
    return not (text[after].islower() and is_long)


def _ends_at_stop(text: str, start: int, at: int, end: int, *, lower_starts: bool) -> bool:
    if end >= len(text):
        return True
    run = text[at:end]
    if any(mark in _IDEOGRAPHIC for mark in run):
        return True
    following = _NEXT.match(text, end)
    gap, word = following.groups() if following else ("", "")
    after_word = following.end() if following else end
    if not text[end].isspace():
        return run == "." and _is_glued(text, start, at, word)
    if not word:
        return "\n" in gap or text[after_word : after_word + 1] in _SYMBOLS
    if not _can_open(word, lower_starts):
        return False
    if run.rstrip(_CLOSERS) != ".":
        return run[-1] not in _CLOSERS or not _ATTRIBUTION.match(text, end)
    if len(word) == 1 and word.isalpha() and text[after_word : after_word + 1] == ".":
        word = ""  # an initial, not the article "A" or the pronoun "I"
    return _ends_at_period(text, start, at, word)


def _can_open(word: str, lower_starts: bool) -> bool:
    """Whether a sentence can begin with the word: no small letter first, but for names such as iPhone."""
    return lower_starts or not word[0].islower() or word[1:2].isupper()


def _is_glued(text: str, start: int, at: int, word: str) -> bool:
    """Whether a space was lost after the period ("deaths.The")."""
    before = text[max(start, at - 3) : at]
    return len(before) == 3 and before.isalpha() and before.islower() and _is_starter(word)


def _is_starter(word: str) -> bool:
    return word[:1].isupper() and word.lower() in abbreviations.STARTERS


def _ends_at_period(text: str, start: int, at: int, word: str) -> bool:
    """Whether one period ends its sentence; `word` is the next word, empty when that is an initial."""
    before = text[max(start, at - 24) : at].split()
    token = before[-1].lstrip(_OPENERS).rpartition("-")[2] if before else ""
    name = token.lower()
    starter = word.lower() in abbreviations.STARTERS
    as_name = token[:1].isupper() or word[:1].islower()  # "Ill." is a state, "ill." is not
    if not token or name in abbreviations.NEVER_LAST:
        return False
    if name in abbreviations.TITLES and as_name:
        return name == "st" and starter
    if name in abbreviations.BEFORE_NUMBERS:
        return not word[:1].isdigit()
    if name in abbreviations.CLOCK:
        return word.lower() not in abbreviations.AFTER_CLOCK
    if len(token) == 1 and token.isalpha() and token.isupper():
        return starter or (token == "I" and bool(before[:-1]) and before[-2].islower())
    if (name in abbreviations.SOMETIMES_LAST and as_name) or _DOTTED.fullmatch(token):
        return starter
    is_list_number = token.isdigit() and len(token) <= 3 and len(before) == 1 and at - start <= 24
    return not is_list_number


def _pieces(text: str, start: int, end: int) -> Iterator[Span]:
    """The trimmed sentence; one that is too long is cut at white space."""
    body = text[start:end]
    start += len(body) - len(body.lstrip())
    end -= len(body) - len(body.rstrip())
    while end - start > MAX_CHARS:
        window = text[start : start + MAX_CHARS]
        kept = window[: _last_space(window)].rstrip()
        yield Span(start, start + len(kept))
        start += len(kept)
        rest = text[start : start + MAX_CHARS]
        while not rest.lstrip():
            start += len(rest)
            rest = text[start : start + MAX_CHARS]
        start += len(rest) - len(rest.lstrip())
    if start < end:
        yield Span(start, end)


def _last_space(window: str) -> int:
    found = max(window.rfind(" ", 1), window.rfind("\n", 1))
    return found if found > 0 else len(window)
