"""Does a quote hold an expected string, whatever their case, punctuation and way of writing numbers?

"$6 billion", "6bn" and "6,000,000,000 dollars" say the same number, "six" is "6", "12%" is "12 percent",
"third" is "3rd", "U.S." is "US", and "cease-fire" is "ceasefire" as well as "cease fire".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from rag.english.words import fold

__all__ = ["holds", "tokens"]

_UNIT_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)
_TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINAL_WORDS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_UNITS = {word: n for n, word in enumerate(_UNIT_WORDS.split())}
_TENS = {word: 10 * n for n, word in enumerate(_TEN_WORDS.split(), start=2)}
_ORDINAL = {word: f"{n}{('st', 'nd', 'rd', 'th')[min(n, 4) - 1]}" for n, word in enumerate(_ORDINAL_WORDS.split(), 1)}
_SCALES = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12, "mn": 6, "bn": 9, "tn": 12}

_INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}")
_LETTER_HYPHEN = re.compile(r"(?<=[^\W\d_])[-‐‑](?=[^\W\d_])")
_SHORT_SCALE = re.compile(r"(?<=[$€£¥])\s*(\d[\d,.]*)\s?([mk])\b")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?!,?\d)")
_TOKEN = re.compile(r"\d+(?:\.\d+)?(?:st|nd|rd|th)\b|\d+(?:\.\d+)?|[^\W\d_]+")


def holds(quote: str, expected: str) -> bool:
    """Whether the words of `expected` stand one after the other in `quote`.

    A hyphen between letters may be a gap in both or nothing in both. An expected string without a letter or
    digit is looked for as it stands.
    """
    if not tokens(expected):
        return expected in quote
    return any(_runs_in(tokens(expected, hyphen=gap), tokens(quote, hyphen=gap)) for gap in (" ", ""))


def tokens(text: str, *, hyphen: str = " ") -> list[str]:
    """The words and numbers of a text in their normal form; `hyphen` takes the place of one between letters."""
    text = fold(text).replace("per cent", "percent").replace("%", " percent ")
    text = _SHORT_SCALE.sub(lambda m: f"{m[1]} {'million' if m[2] == 'm' else 'thousand'}", text)
    text = _INITIALS.sub(lambda m: m.group().replace(".", ""), text)
    text = _THOUSANDS.sub(lambda m: m.group().replace(",", ""), text)
    # "twenty-one" is a number however the others are read.
    text = re.sub(rf"\b({'|'.join(_TENS)})-(?=[a-z])", r"\1 ", text)
    found = [_ORDINAL.get(token, token) for token in _TOKEN.findall(_LETTER_HYPHEN.sub(hyphen, text))]
    return _with_numbers(found)


def _runs_in(part: Sequence[str], whole: Sequence[str]) -> bool:
    return any(whole[at : at + len(part)] == part for at in range(len(whole) - len(part) + 1))


def _with_numbers(found: Sequence[str]) -> list[str]:
    """The tokens with every run of number words, digits and scales as one number in digits."""
    kept = []
    at = 0
    while at < len(found):
        value, after = _number(found, at)
        if value is None:
            kept.append(found[at])
            at += 1
            continue
        kept.append(_plain(value))
        at = after
    return kept


def _number(found: Sequence[str], at: int) -> tuple[Decimal | None, int]:
    """The number that begins at a token, and where it ends; None if none does.

    "two hundred and six" goes on after its "and", "ten and six" does not.
    """
    value, at = _below_thousand(found, at)
    if value is None:
        return None, at
    total = Decimal(0)
    while at < len(found) and found[at] in _SCALES:
        total += value.scaleb(_SCALES[found[at]])
        at += 1
        value = Decimal(0)
        skipped = at + 1 if found[at : at + 1] == ["and"] else at
        if found[skipped : skipped + 1] and found[skipped] in _UNITS | _TENS:
            following, after = _below_thousand(found, skipped)
            assert following is not None
            value, at = following, after
    return total + value, at


def _below_thousand(found: Sequence[str], at: int) -> tuple[Decimal | None, int]:
    word = found[at]
    if re.fullmatch(r"\d+(?:\.\d+)?", word):
        return Decimal(word), at + 1
    value, at = _below_hundred(found, at)
    if value is None or found[at : at + 1] != ["hundred"]:
        return value, at
    value, at = value * 100, at + 1
    skipped = at + 1 if found[at : at + 1] == ["and"] else at
    rest, after = _below_hundred(found, skipped)
    return (value, at) if rest is None else (value + rest, after)


def _below_hundred(found: Sequence[str], at: int) -> tuple[Decimal | None, int]:
    word = found[at] if at < len(found) else ""
    if word in _UNITS:
        return Decimal(_UNITS[word]), at + 1
    if word not in _TENS:
        return None, at
    unit = _UNITS.get(found[at + 1], 0) if at + 1 < len(found) else 0
    return (Decimal(_TENS[word] + unit), at + 2) if 0 < unit < 10 else (Decimal(_TENS[word]), at + 1)


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
