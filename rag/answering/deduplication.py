"""Whether one sentence repeats another. A reader must see both where they differ in anything that counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from rag.answering.generation.fuzzy import turning_words
from rag.english.names import group
from rag.english.words import WORD, fold, is_stop_word, stem

# Shares of the words that make a repetition, and a copy.
_SAME_WORDS = 0.8
_AS_GOOD_AS_ALL = 0.85

_FIGURE = re.compile(
    r"\d[\d.,]*\b|\b(?:no|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?)\b"
)
_ORDER_IN_TIME = re.compile(r"\b(?:before|after|until|since|during)\b")


def repeats(sentence: str, quoted: str) -> bool:
    """Whether a sentence says the same as what is quoted already, in nearly the same words and their order.

    It does not if it has a figure of its own, denies or limits what the other says ("will not join"), names
    the same people in another order ("Norland attacked Sudmark"), or puts before what the other puts after.
    """
    mine, theirs = _terms(sentence), _terms(quoted)
    if not mine or _common(mine, theirs) < _SAME_WORDS * len(mine):
        return False
    return (
        _figures(sentence) <= _figures(quoted) and _turns(sentence) == _turns(quoted) and _names_alike(sentence, quoted)
    )


def is_copy(sentence: str, other: str) -> bool:
    """Whether two sentences are the same as good as word for word."""
    mine, theirs = _words(sentence), _words(other)
    alike = _common(mine, theirs) >= _AS_GOOD_AS_ALL * max(len(mine), len(theirs))
    return (
        alike
        and _figures(sentence) == _figures(other)
        and _turns(sentence) == _turns(other)
        and _names_alike(sentence, other)
    )


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words stand in both in the same order."""
    return sum(block.size for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks())


def _words(text: str) -> list[str]:
    return [fold(match.group()) for match in WORD.finditer(text)]


def _terms(text: str) -> list[str]:
    """Stems of the content words in their order, a country, its people and its capital as one."""
    return [
        stem(group(fold(match.group()).removesuffix("'s")))
        for match in WORD.finditer(text)
        if not is_stop_word(match.group())
    ]


def _figures(text: str) -> frozenset[str]:
    return frozenset(_FIGURE.findall(text.casefold()))


def _turns(text: str) -> list[str]:
    return sorted({*turning_words(text), *_ORDER_IN_TIME.findall(text.casefold())})


def _names_alike(one: str, other: str) -> bool:
    """Whether the names that both have stand in the same order."""
    mine, theirs = _named(one), _named(other)
    return [name for name in mine if name in theirs] == [name for name in theirs if name in mine]


def _named(text: str) -> list[str]:
    """Capitalised words, each at its first place."""
    found = (fold(m.group()).removesuffix("'s") for m in WORD.finditer(text) if m.group()[0].isupper())
    return list(dict.fromkeys(group(word) for word in found if not is_stop_word(word)))
