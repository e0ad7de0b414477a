"""Whether a writer's quote differs from a text only in ways that change nothing of what is said.

A writer that copies puts a spelling right, leaves out an article, spells a word the other side of the
Atlantic's way or writes "ceasefire" for "cease-fire". All other words, numbers, signs and names must be
the same, in the same order: a similarity alone takes "would halt" for "would not halt" and "$7 billion"
for "$6 billion", which are 95 percent alike in any sentence of some length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from rag.answering.generation.normalise import fold
from rag.records import Span

__all__ = ["names_or_counts", "near_matches", "turning_words"]

ALIKE = 95  # RapidFuzz ratio of the words of the quote and of the slice, of 100
MIN_WORDS = 4
MAX_CHARS = 1500  # longer than passages are
MIN_LETTERS = 8  # in a shorter word a lost letter is too often another word

_TURNING = """
no not none nor neither never nothing nobody nowhere without cannot can't n't hardly barely scarcely seldom rarely
unless if except only all some most many few several any each every both either half majority minority
may might could would will shall should must can
allegedly reportedly possibly probably apparently likely unlikely
""".split()  # noqa: SIM905  # reads better as prose than as a list
_COUNTING = """
hundred hundreds thousand thousands million millions billion billions trillion trillions dozen dozens
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety twice double triple third quarter
percent percentage kilogram kilograms kilometer kilometers kilometre kilometres
january february march april june july august september october november december
monday tuesday wednesday thursday friday saturday sunday yesterday today tomorrow
""".split()  # noqa: SIM905
_GUARDED = frozenset(_TURNING) | frozenset(_COUNTING)

_TURNS = re.compile(rf"\b(?:a few|a little|{'|'.join(_TURNING)})\b|n['’]t\b", re.IGNORECASE)
_NAMES = re.compile(rf"\d|[$€£¥₹%]|\b[A-Z]|\b(?:{'|'.join(_COUNTING)})\b")

_TOKEN = re.compile(
    r"(?P<percent>[Pp]er ?cent\b|%)|(?P<number>\d+(?:[.,:/]\d+)*)|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)"
    r"|[-+](?=[$€£¥₹]?\d)|[^\w\s'.,;:!()\[\]\"…-]"
)
_THOUSANDS = re.compile(r",(?=\d{3}(?!\d))")
_CONTRACTED = {"can't": "can", "cannot": "can", "won't": "will", "shan't": "shall"}
_ARTICLES = frozenset({"a", "an", "the"})
# "A few" is not "few", "a third" is not "the third".
_AFTER_ARTICLE = frozenset(
    """few little lot number third quarter fifth sixth seventh eighth ninth tenth half hundred thousand million
    billion trillion dozen""".split()  # noqa: SIM905
)
_SPELLINGS = (
    (re.compile(r"is(?=(?:e|ed|es|ing|ation|ations|er|ers)$)"), "iz"),
    (re.compile(r"our(?=(?:s|ed|ing|able|ite|al|er|ers|hood)?$)"), "or"),
    (re.compile(r"enc(?=es?$)"), "ens"),
    (re.compile(r"tre(?=s?$)"), "ter"),
    (re.compile(r"(?<=\w{4}l)l(?=(?:ed|ing|er|ers)$)"), ""),
    (re.compile(r"mme(?=s?$)"), "m"),
)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int
    hyphened: bool  # a hyphen stands before it


def near_matches(quote: str, text: str) -> Iterator[Span]:
    """The places of `text` that say what `quote` says, but for an article, a slip of the pen or a spelling."""
    if len(quote) > MAX_CHARS:
        return
    wanted, given = _tokens(quote), _tokens(text)
    while wanted and wanted[-1].text == "?":
        wanted = wanted[:-1]
    if len(wanted) < MIN_WORDS:
        return
    steps = iter(range(500 + 4 * len(wanted)))  # prose takes a fraction; "a a a ..." would take the square
    for first in _starts(wanted, _positions(text)):
        after = _follow(wanted, given, first, steps)
        if after is None or _drops_a_name(wanted, given, first):
            continue
        if fuzz.ratio(_said(wanted), _said(given[first:after])) >= ALIKE:
            yield Span(given[first].start, given[after - 1].end)


def turning_words(text: str) -> list[str]:
    """The words of a text that turn or limit what stands around them, in lower case: "not", "only", "may"."""
    return [match.group().lower() for match in _TURNS.finditer(text)]


def names_or_counts(text: str) -> bool:
    """Whether a text holds a number, a date or a capital letter."""
    return bool(_NAMES.search(text))


def _said(tokens: tuple[_Token, ...]) -> str:
    return " ".join(token.text for token in tokens)


@lru_cache(maxsize=1024)
def _tokens(text: str) -> tuple[_Token, ...]:
    folded = fold(text)
    found: list[_Token] = []
    for match in _TOKEN.finditer(folded.text):
        start, end = folded.starts[match.start()], folded.ends[match.end() - 1]
        hyphened = folded.text[match.start() - 1 : match.start()] == "-"
        found.extend(_Token(word, start, end, hyphened) for word in _read(match, folded.text))
    return tuple(found)


def _read(match: re.Match[str], text: str) -> tuple[str, ...]:
    """A token as it is compared; a contracted negation is two."""
    token = match.group()
    if match["percent"]:
        return ("%",)
    if match["number"]:
        return (_THOUSANDS.sub("", token),)
    word = token.lower()
    if word.endswith("n't") or word == "cannot":
        verb = _CONTRACTED.get(word, word.removesuffix("n't"))
        return (token[0] + verb[1:] if verb else verb, "not")
    if word in ("no", "not") and text[match.end() : match.end() + 1] in (",", ".", ";", ":"):
        return (token + ",",)  # "No, sanctions stay" is not "No sanctions stay"
    return (token,)


@lru_cache(maxsize=1024)
def _positions(text: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for index, token in enumerate(_tokens(text)):
        found.setdefault(token.text.lower(), []).append(index)
    return found


def _starts(wanted: tuple[_Token, ...], positions: dict[str, list[int]]) -> Iterator[int]:
    """Where the quote may begin: at its first word or, if that is the one that was misspelt, before its second."""
    first = 1 if wanted[0].text.lower() in _ARTICLES else 0
    begins = positions.get(wanted[first].text.lower(), [])
    follows = positions.get(wanted[first + 1].text.lower(), [])
    candidates = {index - n for index in begins for n in range(first + 1)}
    candidates |= {index - 1 - n for index in follows for n in range(first + 1)}
    yield from sorted(index for index in candidates if index >= 0)


def _drops_a_name(wanted: tuple[_Token, ...], given: tuple[_Token, ...], first: int) -> bool:
    """Whether the quote begins with an article, and the text has a name or a number in its place: "The (TUC) union"."""
    is_article = wanted[0].text.lower() in _ARTICLES and given[first].text.lower() not in _ARTICLES
    if not is_article or first == 0 or given[first].text[:1].isupper():
        return False
    before = given[first - 1].text
    return not before.islower() or before in _GUARDED


def _follow(wanted: tuple[_Token, ...], given: tuple[_Token, ...], first: int, steps: Iterator[int]) -> int | None:
    """The index after the last token of `given` if the quote is said from `first` on, else None.

    Takes one of `steps` for each token; None too when they are used up.
    """
    i, j = 0, first
    while i < len(wanted):
        if next(steps, None) is None:
            return None
        if j < len(given) and wanted[i].text == given[j].text:
            i, j = i + 1, j + 1
            continue
        step = _step(wanted, given, i, j, is_first=i == 0 or j == first)
        if step is None:
            return None
        i, j = i + step[0], j + step[1]
    cuts_before = first > 0 and given[first - 1].start == given[first].start
    cuts_after = j < len(given) and given[j].start == given[j - 1].start
    return None if j == first or cuts_before or cuts_after else j


def _step(
    wanted: tuple[_Token, ...], given: tuple[_Token, ...], i: int, j: int, *, is_first: bool
) -> tuple[int, int] | None:
    """How many tokens of both sides say the same although they are not the same; None if they do not."""
    if j < len(given):
        one, other = wanted[i].text, given[j].text
        if (is_first and _lower_first(one) == _lower_first(other)) or _is_slip(one, other):
            return 1, 1
        if _joined(wanted, i) == other:
            return 2, 1
        if _joined(given, j) == one:
            return 1, 2
    if _is_loose_article(wanted, i, is_first=is_first):
        return 1, 0
    if not is_first and _is_loose_article(given, j, is_first=False):
        return 0, 1
    return None


def _joined(tokens: tuple[_Token, ...], index: int) -> str:
    """Two words joined by a hyphen as one; "re-sign" stays apart from "resign"."""
    if index + 1 >= len(tokens):
        return ""
    one, other = tokens[index], tokens[index + 1]
    is_word = other.hyphened and one.text.isalpha() and other.text.isalpha() and one.text.lower() != "re"
    return one.text + other.text if is_word else ""


def _is_loose_article(tokens: tuple[_Token, ...], index: int, *, is_first: bool) -> bool:
    if index + 1 >= len(tokens):
        return False
    word = _lower_first(tokens[index].text) if is_first else tokens[index].text
    return word in _ARTICLES and tokens[index + 1].text.lower() not in _AFTER_ARTICLE


def _is_slip(one: str, other: str) -> bool:
    """Whether two words are one long ordinary word, spelt two ways or with one letter lost, doubled or swapped.

    A letter put for another is no slip: it makes "converged" out of "converted".
    """
    if one[:2] != other[:2] or min(len(one), len(other)) < MIN_LETTERS - 2:
        return False
    if not all(w.isalpha() and w.islower() and w not in _GUARDED for w in (one, other)):
        return False
    if _spelling(one) == _spelling(other):
        return True
    is_close = min(len(one), len(other)) >= MIN_LETTERS and one[:3] == other[:3] and one[-1] == other[-1]
    swapped = sorted(one) == sorted(other)
    return is_close and (len(one) != len(other) or swapped) and OSA.distance(one, other, score_cutoff=1) == 1


def _spelling(word: str) -> str:
    for pattern, american in _SPELLINGS:
        word = pattern.sub(american, word)
    return word


def _lower_first(word: str) -> str:
    return word[:1].lower() + word[1:]
