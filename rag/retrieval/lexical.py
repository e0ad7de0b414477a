"""Questions as full-text expressions.

The index folds case and diacritics, stems (Porter) and splits words at hyphens, full stops and commas:
"cease-fire" is held as two words beside each other, "1,200" and "U.S." too. So what is one word in a question
and two in an article, or the other way round, is asked for both ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, pairwise

from rag.english.words import WORD, content_words, fold, is_stop_word

__all__ = ["Frequency", "counts", "expression", "unheld"]

Frequency = Callable[[str], int]
"""In how many passages words stand beside each other; a number that is large enough may be cut off."""

_MOST_TERMS = 64
_MOST_VARIANTS = 32
_SHORTEST_SOLID = 7  # letters of a word that may be two: "airstrike"
_SHORTEST_PART = 3
_RAREST = 4  # times that a word may be as frequent as its other spelling
_FEWEST = 2  # words that are searched whatever their frequency

_ACRONYM = re.compile(r"[A-Z]{2,4}")
_DOTTED = re.compile(r"(?:\w\.)+\w")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_AMOUNT = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?) ?(bn|billion|tn|trillion|mn|million)\b", re.IGNORECASE)
_SCALES = {"bn": "billion", "tn": "trillion", "mn": "million", "billion": "bn", "trillion": "tn", "million": "m"}
_BESIDE = re.compile(r"[ \-\u2010\u2011]")


def expression(text: str, frequency: Frequency | None = None, *, common: int | None = None) -> str | None:
    """The FTS5 expression of a question: any of its content words; None if it has no words.

    A question of nothing but stop words ("who are they?") is searched with all its words. With `frequency`,
    the other spellings that the index holds are searched too; and with `common`, words that stand in so
    many passages are left out as long as two others are found, and the most frequent of the others if together
    they stand in twice as many.
    """
    plain = _plain(text)
    terms = content_words(plain) or list(dict.fromkeys(fold(m.group()) for m in WORD.finditer(plain)))
    terms = terms[:_MOST_TERMS]
    if frequency is not None:
        variants = _attested(_variants(plain, terms), frequency)
        variants = [variant for variant in variants if variant not in terms]
        terms = _without_common(terms, frequency, common) if common else terms
        terms += variants[:_MOST_VARIANTS]
    # In quotation marks a term is data, whatever it looks like; a word never holds one itself.
    return " OR ".join(f'"{term}"' for term in terms) or None


def counts(phrase: str, frequency: Frequency) -> dict[str, int]:
    """In how many passages each word of an expression stands."""
    return {quoted: frequency(quoted.strip('"')) for quoted in phrase.split(" OR ")}


def unheld(text: str, frequency: Frequency) -> list[str]:
    """The content words of a question, folded, that the index holds neither as they stand nor spelled otherwise."""
    plain = _plain(text)
    terms = content_words(plain)[:_MOST_TERMS]
    missing = [term for term in terms if not frequency(term)]
    if not missing:
        return []
    other = {
        word for new, old in _variants(plain, missing) for word in old.split() if word in missing and frequency(new)
    }
    return [term for term in missing if term not in other]


def _plain(text: str) -> str:
    """The text with its numbers written as one word."""
    return _THOUSANDS.sub(lambda m: m.group().replace(",", ""), text)


def _attested(variants: Iterable[tuple[str, str]], frequency: Frequency) -> list[str]:
    """Those that the index holds. BM25 makes much of what is rare, so a slip or an accident ("dec isions")
    would outweigh the word itself: a variant has to be about as frequent as what it stands for."""
    return [new for new, old in dict.fromkeys(variants) if (n := frequency(new)) and n * _RAREST >= frequency(old)]


def _without_common(terms: list[str], frequency: Frequency, common: int) -> list[str]:
    counts = {term: frequency(term) for term in terms}
    rare = sorted((term for term in terms if 0 < counts[term] < common), key=counts.__getitem__)
    if len(rare) < _FEWEST:
        return terms
    matches = accumulate(counts[term] for term in rare)
    return [
        term for n, (term, so_far) in enumerate(zip(rare, matches, strict=True)) if n < _FEWEST or so_far <= 2 * common
    ]


def _variants(text: str, terms: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Other spellings of a question's words and numbers, most of them words of no language, each with what it
    stands for."""
    for first, second in pairwise(WORD.finditer(text)):
        if _BESIDE.fullmatch(text, first.end(), second.start()) and not (
            is_stop_word(first.group()) or is_stop_word(second.group())
        ):
            left, right = fold(first.group()), fold(second.group())
            if len(left) > 1 and len(right) > 1 and (left + right).isalpha():
                yield left + right, f"{left} {right}"
    for match in WORD.finditer(text):
        if _ACRONYM.fullmatch(match.group()):
            yield " ".join(fold(match.group())), fold(match.group())
    for term in terms:
        if term.isdecimal():
            if len(term) > _SHORTEST_PART:
                yield f"{int(term):,}".replace(",", " "), term
        elif term.isalpha() and len(term) >= _SHORTEST_SOLID:
            for at in range(_SHORTEST_PART, len(term) - _SHORTEST_PART + 1):
                yield f"{term[:at]} {term[at:]}", term
        elif _DOTTED.fullmatch(term):
            yield term.replace(".", ""), term
    for amount in _AMOUNT.finditer(text):
        number, scale = amount[1], amount[2].lower()
        other = f"{number} {_SCALES[scale]}" if len(scale) == len("bn") else f"{number}{_SCALES[scale]}"
        yield other, amount.group()
