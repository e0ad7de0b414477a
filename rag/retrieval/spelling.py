"""Words of a question that stand nowhere in the library, as the library spells them.

A name from another script has many spellings ("Araghchi", "Araqchi"), and what is typed has slips. Only a word that
the index holds in no form is respelled, as a word of a passage that one slip or one such sound away is spelled.

What a question is taken to have asked must be a slip rather than another name. Most pairs of real names that are one
letter apart have some letter more ("Roman", "Romano"), differ in their first letter ("Russian", "Prussian") or are
short ("Miller", "Muller"); slips seldom are like that.

The index is an ordered list of stems, so those that share a word's first letters are read in one stretch. Other
first letters have to be guessed and looked up, 40 µs each at 100,000 passages: only the likeliest slips are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from rag.english.words import WORD, fold, stem
from rag.retrieval.lexical import Frequency, unheld

__all__ = ["Vocabulary", "correct_spelling", "is_one_slip"]

# Letters; a shorter word is near to too many others, and one without a capital more often a word than a slip.
_SHORTEST = 7
_SHORTEST_NAME = 6
_SAME = 4  # first letters of the stems that are read in one stretch
_MOST_WORDS = 3  # of a question that are respelled
_MOST_NEAR = 3  # stems near to one word whose passages are read
_MOST_READ = 5  # passages of one stem

_LONGEST_SOUND = 3  # letters
_VOWELS = frozenset("aeiouy")
# Letters that stand for one sound of another script.
_SOUNDS = """
gh g, gh q, q g, q k, kh k, kh h, ck k, c k, ch sh, sch sh, ch tch, zh j, dj j, dh d, th t, ph f, w v,
ei ey, ei ai, ai ay, ou u, oo u, y i, y j, ts tz, ts z, ts c, ks x
"""
_PAIRS = [pair.split() for pair in _SOUNDS.split(",")]
_SAME_SOUND = [(one, other) for one, other in _PAIRS] + [(other, one) for one, other in _PAIRS]
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_PLACE = {letter: (row, column) for row, letters in enumerate(_KEYS) for column, letter in enumerate(letters)}


class Vocabulary(Protocol):
    """What a library holds of words."""

    def terms(self, prefix: str) -> dict[str, int]:
        """The stems that begin so, each with the number of passages that hold it."""

    def examples(self, word: str, most: int) -> list[str]:
        """Title and text of passages that hold the word or another of its stem."""


def correct_spelling(question: str, frequency: Frequency, vocabulary: Vocabulary) -> str:
    """The question with words that stand nowhere in the library spelled as a passage spells them, where one does.

    A question whose words are all held comes back as it is, whatever else they are near to. What has a capital
    is respelled as something that has one, so that no name becomes a thing. A word that may as well be another name
    stays.
    """
    missing = [word for word in unheld(question, frequency) if len(word) >= _SHORTEST_NAME and word.isalpha()]
    if not missing:
        return question
    names = {fold(_bare(match.group())) for match in WORD.finditer(question) if match.group()[0].isupper()}
    wanted = [word for word in missing if len(word) >= _SHORTEST or word in names]
    held = {word: _as_held(word, word in names, frequency, vocabulary) for word in wanted[:_MOST_WORDS]}

    def spelled(written: str) -> str:
        bare = _bare(written)
        return (held.get(fold(bare)) or bare) + written[len(bare) :]

    return WORD.sub(lambda match: spelled(match.group()), question)


def _as_held(word: str, is_name: bool, frequency: Frequency, vocabulary: Vocabulary) -> str | None:
    """The most frequent spelling in the library that is near to a folded word."""
    guesses = {*_slips(word), *_transliterations(word)} - {word}
    near = {
        term: count
        for term, count in vocabulary.terms(word[:_SAME]).items()
        if term in guesses or is_one_slip(word, term) or is_one_slip(stem(word), term)
    }
    near |= {guess: count for guess in guesses if not guess.startswith(word[:_SAME]) and (count := frequency(guess))}
    for term in sorted(near, key=lambda term: (-near[term], term))[:_MOST_NEAR]:
        for written in _words(vocabulary.examples(term, _MOST_READ)):
            if (written[0].isupper() or not is_name) and abs(len(written) - len(word)) <= _LONGEST_SOUND:
                folded = fold(written)
                if (folded in guesses or is_one_slip(word, folded)) and _is_slip(word, folded, is_name):
                    return written
    return None


def _words(texts: Iterable[str]) -> Iterator[str]:
    """The different words of some texts, without a possessive ending."""
    seen = set()
    for text in texts:
        for match in WORD.finditer(text):
            written = _bare(match.group())
            if written not in seen:
                seen.add(written)
                yield written


def _slips(word: str) -> Iterator[str]:
    """Slips in the first letters: one left out, doubled, exchanged with the next, or another vowel."""
    for at in range(_SAME):
        yield word[:at] + word[at + 1 :]
        yield word[:at] + word[at] + word[at:]
        yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if word[at] in _VOWELS:
            yield from (word[:at] + vowel + word[at + 1 :] for vowel in _VOWELS)


def _transliterations(word: str) -> Iterator[str]:
    """The word with one sound spelled another way."""
    for one, other in _SAME_SOUND:
        at = word.find(one)
        while at >= 0:
            yield word[:at] + other + word[at + len(one) :]
            at = word.find(one, at + 1)


def is_one_slip(word: str, other: str) -> bool:
    """Whether one letter more, less or exchanged, or two neighbours exchanged, make one of the other."""
    if abs(len(word) - len(other)) > 1:
        return False
    _, left, right = _difference(word, other)
    return (len(left) <= 1 and len(right) <= 1) or _exchanged(left, right)


def _is_slip(word: str, meant: str, is_name: bool) -> bool:
    """Whether a word that is near to another is likelier mistyped than another name: two letters exchanged, one sound
    for another; and in longer words, behind the first letter, one letter left out, one typed twice or with the key
    beside it, another vowel or the key beside."""
    at, left, right = _difference(word, meant)
    if _exchanged(left, right) or meant in _transliterations(word):
        return True
    if not at or (is_name and len(word) < _SHORTEST):
        return False
    if left and right:
        return _beside(left, right) or {left, right} <= _VOWELS
    return bool(right) or any(_beside(left, letter) for letter in (word[at - 1], word[at + 1 : at + 2]))


def _difference(word: str, other: str) -> tuple[int, str, str]:
    """Where two words begin to differ, and what each has there up to their common end."""
    shorter = min(len(word), len(other))
    start = next((n for n in range(shorter) if word[n] != other[n]), shorter)
    left, right = word[start:], other[start:]
    while left and right and left[-1] == right[-1]:
        left, right = left[:-1], right[:-1]
    return start, left, right


def _exchanged(left: str, right: str) -> bool:
    return len(left) == len("ab") and left == right[::-1]


def _beside(one: str, other: str) -> bool:
    """Whether two letters lie on one key or on neighbouring ones."""
    if one not in _PLACE or other not in _PLACE:
        return False
    (row, column), (other_row, other_column) = _PLACE[one], _PLACE[other]
    return abs(row - other_row) <= 1 and abs(column - other_column) <= 1


def _bare(written: str) -> str:
    return written.removesuffix("'s").removesuffix("’s")
