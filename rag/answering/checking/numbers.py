"""Numbers of a text with their units: "$6 billion", "six percent", "three-day", "the second"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

__all__ = ["CURRENCIES", "Quantity", "quantities"]

_SMALL_WORDS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen"""
_TENS_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINAL_WORDS = "second third fourth fifth sixth seventh eighth ninth tenth"  # "first" is too often no number
_SMALL = {word: n for n, word in enumerate(_SMALL_WORDS.split())}
_TENS = {word: 10 * n for n, word in enumerate(_TENS_WORDS.split(), start=2)}
_ORDINALS = {word: n for n, word in enumerate(_ORDINAL_WORDS.split(), start=2)}
_SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
_SHORT_SCALES = {"k": 10**3, "mn": 10**6, "m": 10**6, "bn": 10**9, "b": 10**9, "tn": 10**12}
_SIGNS = {"$": "$", "€": "€", "£": "£", "¥": "¥", "₹": "₹"}
CURRENCIES = frozenset({"$", "€", "£", "¥", "₹", "rial", "shekel"})

_UNIT_WORDS = {
    "%": r"%|per ?cent\b|percentage points?\b",
    "$": r"(?:US |U\.S\. |American )?dollars?\b",
    "€": r"euros?\b",
    "£": r"pounds?(?: sterling)?\b",
    "¥": r"(?:yen|yuan)\b",
    "₹": r"rupees?\b",
    "rial": r"rials?\b",
    "shekel": r"shekels?\b",
    "second": r"seconds?\b",
    "minute": r"minutes?\b",
    "hour": r"(?:hours?|hrs?)\b",
    "day": r"days?\b",
    "week": r"weeks?\b",
    "month": r"months?\b",
    "year": r"years?\b",
    "km": r"(?:km|kilomet(?:er|re)s?)\b",
    "mile": r"miles?\b",
    "metre": r"met(?:er|re)s?\b",
    "foot": r"(?:foot|feet)\b",
    "ton": r"(?:tons?|tonnes?)\b",
    "kg": r"(?:kg|kilos?|kilograms?)\b",
    "degree": r"degrees?\b|°",
    "barrel": r"barrels?\b",
}
_UNIT = re.compile("|".join(f"(?P<u{n}>{words})" for n, words in enumerate(_UNIT_WORDS.values())), re.IGNORECASE)
_UNIT_NAMES = list(_UNIT_WORDS)

_DIGITS = re.compile(
    r"(?<![\w.,])(?:(?:US|A|C)?(?P<sign>[$€£¥₹]) ?)?(?P<minus>(?<![\w)])[-−])?"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.:]\d+)?)(?P<ordinal>st|nd|rd|th)?"
    r"(?:[ -]?(?P<scale>hundred|thousand|million|billion|trillion|dozen|mn|bn|tn|[mbk])\b)?(?![\d])"
)
_NUMBER_WORD = "|".join(sorted([*_SMALL, *_TENS, *_SCALES], key=len, reverse=True))
_AND = r"(?:(?<=hundred)|(?<=thousand)|(?<=million)|(?<=billion))(?:,| and) "  # not in "two and three"
_WORDS = re.compile(rf"\b(?:{_NUMBER_WORD})(?:(?:[ -]|{_AND})(?:{_NUMBER_WORD}))*\b", re.IGNORECASE)
_ORDINAL = re.compile(rf"\b(?:{'|'.join(_ORDINALS)})\b", re.IGNORECASE)

_RANGE = re.compile(r" ?(?:[-–]|to|and|or) ?")
_ABOUT = re.compile(r"\b(?:about|around|roughly|nearly|almost|approximately|some|close to|an estimated)\s+$", re.I)
_ABOVE = re.compile(r"\b(?:more than|over|at least|above|in excess of|exceeding|upwards of)\s+$", re.IGNORECASE)
_BELOW = re.compile(r"\b(?:less than|under|fewer than|below|at most|up to)\s+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as it is written and what it counts; `low` and `high` bound what it may stand for.

    "More than 100" may stand for 104, "about 6 billion" for 5.9 billion. `unit` is empty where none is
    named, "ordinal" for "second" and "2nd".
    """

    text: str
    start: int
    value: float
    low: float
    high: float
    unit: str

    def rests_on(self, other: Quantity) -> bool:
        """Whether a text with the other one says this one."""
        close = abs(self.value - other.value) <= 1e-9 * abs(self.value)
        if not (close or self.low <= other.value <= self.high):
            return False
        if self.unit == other.unit:
            return True
        if not self.unit:  # "6 billion" of "$6 billion"; "3" of "3 days", but not of "3 percent"
            return other.unit not in ("%", "ordinal")
        return not other.unit and self.unit not in CURRENCIES | {"%", "ordinal"}


def quantities(text: str) -> list[Quantity]:
    """The numbers of a text, in order. "One" alone and "first" are words more than numbers and left out."""
    found = sorted(chain(_in_digits(text), _in_words(text), _ordinals(text)), key=lambda q: q.start)
    for n in range(len(found) - 1):
        one, other = found[n], found[n + 1]
        if not one.unit and _RANGE.fullmatch(text[one.start + len(one.text) : other.start]):
            found[n] = replace(one, unit=other.unit)  # "50 to 70 percent"
    return [quantity for quantity in found if quantity.text.lower() != "one"]


def _in_digits(text: str) -> Iterator[Quantity]:
    for match in _DIGITS.finditer(text):
        digits, scale = match["digits"], (match["scale"] or "").lower()
        if ":" in digits:
            hours, minutes = digits.split(":")
            value, unit = int(hours) + int(minutes) / 100, "clock"
            yield _quantity(text, match.start(), match.end(), value, unit)
            continue
        end = match.end()
        is_thousands = scale == "k" and text[match.start("scale") - 1].isdigit()
        if scale in ("m", "b", "k") and not match["sign"] and not is_thousands:  # "100 m" are metres
            scale, end = "", match.start("scale")
        value = float(digits.replace(",", "")) * {**_SCALES, **_SHORT_SCALES}.get(scale, 1)
        unit = "ordinal" if match["ordinal"] else _SIGNS.get(match["sign"] or "", "")
        yield _quantity(text, match.start(), end, -value if match["minus"] else value, unit)


def _in_words(text: str) -> Iterator[Quantity]:
    for match in _WORDS.finditer(text):
        if match.group().lower() in _SCALES and re.search(r"\d[ -]?$", text[: match.start()]):
            continue  # the scale of digits, read with them
        yield _quantity(text, match.start(), match.end(), _value(match.group().lower()), "")


def _ordinals(text: str) -> Iterator[Quantity]:
    for match in _ORDINAL.finditer(text):
        value = float(_ORDINALS[match.group().lower()])
        yield Quantity(match.group(), match.start(), value, value, value, "ordinal")


def _quantity(text: str, start: int, end: int, value: float, unit: str) -> Quantity:
    after = re.compile(r"[ -]?").match(text, end)
    named = _UNIT.match(text, after.end() if after else end)
    if named and not unit:
        unit = _UNIT_NAMES[int((named.lastgroup or "u0")[1:])]
    if named and unit in _UNIT_NAMES:
        end = named.end()
    before = text[max(0, start - 20) : start]
    low = high = value
    if _ABOUT.search(before):
        low, high = 0.95 * value, 1.05 * value
    elif _ABOVE.search(before):
        high = 1.15 * value
    elif _BELOW.search(before):
        low = 0.85 * value
    return Quantity(text[start:end].strip(), start, value, low, high, unit)


def _value(words: str) -> float:
    total = current = 0
    for word in re.findall(r"[a-z]+", words):
        if word in _SMALL or word in _TENS:
            current += _SMALL.get(word, 0) + _TENS.get(word, 0)
        elif word in ("hundred", "dozen"):
            current = max(current, 1) * _SCALES[word]
        elif word in _SCALES:
            total, current = total + max(current, 1) * _SCALES[word], 0
    return float(total + current)
