"""The parts of a question that a follow-up takes up or replaces: names, places, dates, topic words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rag.english.names import group, question_names
from rag.english.words import WORD, fold, is_stop_word

__all__ = [
    "YEAR",
    "Part",
    "content",
    "is_city",
    "is_country",
    "parts",
    "people",
    "plain_answer",
    "things",
    "topic_phrase",
]

PartKind = Literal["date", "place", "name"]

_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)"
)
_DATE = re.compile(
    # "may" and "march" are verbs too: a month counts with a capital only.
    rf"\b(?:(?i:in|on|by|since|before|after|until|during)\s+(?:(?i:early|mid|late)[\s-]+)?)?"
    rf"(?:(?:\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?)?{_MONTH}\b\.?"
    rf"(?:\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?!\d))?(?:,?\s+(?:1[89]|20)\d\d)?"
    rf"|(?:1[89]|20)\d\d|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|(?i:yesterday|today)"
    rf"|(?i:last|this|next)\s+(?i:week|month|year|spring|summer|autumn|fall|winter))\b"
)
YEAR = re.compile(r"\b(?:1[89]|20)\d\d\b")
_LEADING = re.compile(r"\b(?:(?P<place>in|at|near|outside|around|across|inside) (?:the )?|the )\Z", re.IGNORECASE)
_OPENING = re.compile(
    r"(?:(?:in|on|at|by|since|before|after|until|during|near|outside|around|across|inside|the)\s+)+", re.IGNORECASE
)
# Names that are cities when nothing beside them says so: where news is made, and what names.py groups.
_CITIES = frozenset(
    """
    geneva vienna doha muscat cairo istanbul ankara riyadh jeddah dubai baghdad beirut damascus amman jerusalem gaza
    rafah tehran sanaa aden hodeidah brussels paris london berlin rome madrid moscow kyiv kiev minsk warsaw budapest
    oslo stockholm helsinki davos washington beijing shanghai tokyo seoul pyongyang delhi islamabad kabul karachi
    lagos abuja nairobi khartoum tripoli tunis algiers rabat johannesburg caracas havana bogota lima brasilia
    """.split()  # noqa: SIM905  # reads better as prose than as a list
)
_NOT_NAMED = frozenset(
    """
    i i'm i've i'd i'll ok okay yes no please thanks thank mr mrs ms dr tell list give name explain describe summarize
    summarise compare show find say said speaking talking going
    later earlier meanwhile afterwards finally president minister
    """.split()  # noqa: SIM905  # reads better as prose than as a list
)
_NO_PERSON = frozenset(
    """
    the sea gulf strait strip bank river island islands mount lake east west north south middle central city state
    states street house ministry council nations department union university court party army navy guard guards force
    forces office agency bureau company corporation group press news times post street security supreme united white
    embassy foreign international national world hospital airport church
    """.split()  # noqa: SIM905  # reads better as prose than as a list
)
_CLOSE = re.compile(
    r" (?:in|at|of|on|with|for|near|from|to|about|by|during|since|against|between)(?: (?:the|an?))? ", re.IGNORECASE
)
_RUN_GAP = re.compile(r"[ -]+(?:of (?:the )?)?")
_THIN = frozenset(
    """
    know want need think mean like think explain tell say said give get make made use go went happen happened look
    find speaking talking going name list describe summarize please thanks ok okay good well really new many much
    lot kind type types thing things way ways people most more years year time last first example examples work works
    sure part meant different differences difference able great pretty soon old right sounds
    familiar better big large small high low long short possible available
    """.split()  # noqa: SIM905  # reads better as prose than as a list
)
_THING = re.compile(
    r"\b(?:the|an?|his|her|its|their)\s+((?:[a-z][\w-]*\s+){0,2}?[a-z][\w-]{2,})(?=\s*(?:[?.,!)]|$)|\s+(\w+))"
)
_MARKUP = re.compile(
    r"\[\d[\d,; ]{0,40}\]|!?\[([^\]\n]{0,200})\]\([^)\n]{0,400}\)|[*_`#>|]+|^[ \t]{0,8}[-+•]\s|https?://\S+",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Part:
    """A name, a place or a date in a question, with the words in front that belong to it.

    `text[start:end]` of a place or date begins with its preposition where it has one; that of a name
    begins with its article.
    """

    kind: PartKind
    text: str
    start: int
    end: int

    @property
    def bare(self) -> str:
        """Without the preposition or the article."""
        return _OPENING.sub("", self.text)

    @property
    def preposition(self) -> str:
        """The preposition it begins with, in lower case; empty if there is none."""
        opening = _OPENING.match(self.text)
        first = opening.group().split()[0].lower() if opening else ""
        return first if first != "the" else ""


def content(text: str) -> list[str]:
    """Folded content words in order, possessives cut."""
    return [fold(m.group()).removesuffix("'s") for m in WORD.finditer(text) if not is_stop_word(m.group())]


@lru_cache(maxsize=4096)
def is_country(word: str) -> bool:
    """Whether a word goes for a country, its people or its seat of government."""
    plain = fold(word).removesuffix("'s").replace(".", "")
    return group(plain) != plain or bool(question_names(plain, lambda _: True).words)


def is_city(name: str) -> bool:
    return fold(name) in _CITIES


def parts(text: str, *, fragment: bool = False) -> list[Part]:
    """Names, places and dates of a question, in order. A `fragment` opens with a capital only for a name."""
    dates = [Part("date", m.group(), m.start(), m.end()) for m in _DATE.finditer(text)]
    taken = [(d.start, d.end) for d in dates]
    names = [
        part for part in _names(text, fragment=fragment) if not any(s < part.end and part.start < e for s, e in taken)
    ]
    return sorted(dates + names, key=lambda part: part.start)


def people(text: str) -> list[str]:
    """Names of two or three words in a text that are no place and no office, as far as the words tell."""
    found = [p.text for p in parts(text) if p.kind == "name" and len(p.text.split()) in (2, 3)]
    return [n for n in found if not any(is_country(w) or w.casefold() in _NO_PERSON for w in n.split())]


def _names(text: str, *, fragment: bool) -> Iterator[Part]:
    matches = list(WORD.finditer(text))
    capitals = sum(m.group()[0].isupper() for m in matches)
    titled = not fragment and len(matches) > 3 and capitals > 0.8 * len(matches)
    is_name = [_is_name(matches, n, titled=titled, text=text) for n in range(len(matches))]
    if fragment and matches:
        opening = matches[0].group()
        is_name[0] = is_name[0] or (opening[0].isupper() and not is_stop_word(opening))
    n = 0
    while n < len(matches):
        if not is_name[n]:
            n += 1
            continue
        last = n
        while last + 1 < len(matches) and _joins(text, matches, last) and is_name[last + 1]:
            last += 1
        yield _part(text, matches, n, last)
        n = last + 1


def _is_name(matches: list[re.Match[str]], n: int, *, titled: bool, text: str) -> bool:
    word = matches[n].group()
    folded = fold(word).removesuffix("'s")
    if is_stop_word(word) or folded in _NOT_NAMED or not word[0].isalpha():
        return False
    if is_country(word):
        return True
    if not word[0].isupper() or titled:
        return False
    opens = n == 0 or text[matches[n - 1].end() : matches[n].start()].strip()[-1:] in (".", "?", "!")
    # The first word of a sentence has its capital for nothing, unless another one follows.
    follows = n + 1 < len(matches) and matches[n + 1].group()[0].isupper()
    return not opens or follows or word.isupper()


def _joins(text: str, matches: list[re.Match[str]], n: int) -> bool:
    between = text[matches[n].end() : matches[n + 1].start()]
    return between in (" ", "-", ". ") and not matches[n].group().endswith(("'s", "’s"))


def _part(text: str, matches: list[re.Match[str]], first: int, last: int) -> Part:
    start, end = matches[first].start(), matches[last].end()
    if matches[last].group().endswith(("'s", "’s")):
        end -= 2
    before = _LEADING.search(text, max(0, start - 16), start)
    kind: PartKind = "name"
    if before:
        start = before.start()
        kind = "place" if before["place"] else "name"
    return Part(kind, text[start:end], start, end)


def topic_phrase(text: str, most: int, known: frozenset[str]) -> str:
    """What a question is about, as far as it is not `known` (folded content words): at most `most` runs of
    content words ("filing fee", "secretary of state"), those with names first, put down in their order."""
    runs: list[tuple[int, int]] = []
    for match in WORD.finditer(text):
        if is_stop_word(match.group()):
            continue
        if runs and _RUN_GAP.fullmatch(text, runs[-1][1], match.start()):
            runs[-1] = (runs[-1][0], match.end())
        else:
            runs.append(match.span())
    named = [(p.start, p.end) for p in parts(text)]
    telling = [
        span for run in runs if (span := _trimmed(text, *run)) and not known.issuperset(content(text[slice(*span)]))
    ]
    telling.sort(key=lambda span: not any(span[0] < end and start < span[1] for start, end in named))
    phrases: list[tuple[int, int]] = []
    for start, end in sorted(telling[:most]):
        if phrases and _CLOSE.fullmatch(text, phrases[-1][1], start):
            phrases[-1] = (phrases[-1][0], end)
        else:
            phrases.append((start, end))
    return ", ".join(dict.fromkeys(text[start:end] for start, end in phrases))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """A run without the words at its ends that say little."""
    words = [m for m in WORD.finditer(text, start, end) if not is_stop_word(m.group())]
    telling = [m for m in words if fold(m.group()) not in _THIN and any(c.isalpha() for c in m.group())]
    return (telling[0].start(), telling[-1].end()) if telling else None


def things(text: str) -> list[str]:
    """Noun phrases without a name behind an article, as "the deal": the last one first."""
    found = [m[1] for m in _THING.finditer(text) if m[2] is None or is_stop_word(m[2]) or m[2].endswith("ed")]
    return [f"the {phrase}" for phrase in reversed(found) if not set(content(phrase)) <= _THIN]


def plain_answer(markdown: str, longest: int = 1500) -> str:
    """The beginning of an answer without its Markdown and its [n] markers."""
    return " ".join(_MARKUP.sub(lambda m: m.group(1) or " ", markdown[: 2 * longest]).split())[:longest]
