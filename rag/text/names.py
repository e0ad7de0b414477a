"""What a text names: proper names and years, and the other forms under which they go."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rag.text.words import WORD, fold, is_stop_word

# Country, people, seat of government: news uses them for one another.
_GROUPS = """
us usa america american americans washington
uk britain british briton britons london
eu european europeans brussels
iran iranian iranians tehran
iraq iraqi iraqis baghdad
israel israeli israelis jerusalem
oman omani omanis muscat
qatar qatari qataris doha
saudi saudis riyadh
syria syrian syrians damascus
yemen yemeni yemenis sanaa
lebanon lebanese beirut
egypt egyptian egyptians cairo
turkey turkish turks ankara
russia russian russians moscow kremlin
ukraine ukrainian ukrainians kyiv kiev
china chinese beijing
japan japanese tokyo
korea korean koreans seoul
india indian indians delhi
pakistan pakistani pakistanis islamabad
afghanistan afghan afghans kabul
france french paris
germany german germans berlin
italy italian italians rome
spain spanish madrid
"""
_GROUP_OF = {word: line.split()[0] for line in _GROUPS.strip().splitlines() for word in line.split()}

_PHRASES = (
    (re.compile(r"\bUnited States(?: of America)?\b"), "US"),
    (re.compile(r"\bUnited Kingdom\b|\bGreat Britain\b"), "UK"),
    (re.compile(r"\bEuropean Union\b"), "EU"),
)
_NOT_NAMES = frozenset(
    """
    january february march april may june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday i tell list give name explain describe summarize summarise compare show find say
    mr mrs ms dr according
    """.split()  # noqa: SIM905  # reads better as prose than as a list
)
_YEAR = re.compile(r"\b(1[89]\d\d|20\d\d)\b")
_PLACE_BEFORE = frozenset({"in", "at", "near", "from"})


@dataclass(frozen=True, slots=True)
class Names:
    """Names of a question, each by its last word folded ("Red Sea" -> "sea"), and years.

    `alternatives` says that any one of the names is enough: "what did Macron and Scholz say?".
    """

    words: tuple[str, ...] = ()
    years: tuple[str, ...] = ()
    alternatives: bool = False

    def __bool__(self) -> bool:
        return bool(self.words or self.years)

    def stand_in(self, text_names: frozenset[str]) -> bool:
        """Whether the names (one of them, if they are alternatives) are among the words of a text, as
        `name_words` gives them."""
        present = [_present(word, text_names) for word in self.words]
        return all(present) or (self.alternatives and any(present))


def group(word: str) -> str:
    """The word that stands for a country, its people and its seat of government; else the word itself."""
    plain = word.replace(".", "")
    return _GROUP_OF.get(plain, plain)


def name_words(text: str) -> frozenset[str]:
    """Folded words of a text under which a name may be found in it: each as it is and as its group."""
    found = set()
    for match in WORD.finditer(_short_forms(text)):
        word = fold(match.group()).removesuffix("'s")
        found |= {word, group(word)}
    return frozenset(found)


def question_names(question: str, known: Callable[[str], bool]) -> Names:
    """The names and years of a question.

    `known` tells whether a folded word occurs anywhere in the library. A question typed without
    capitals names the countries and capitals in it, and what follows "in", "at", "near" or "from" and
    is known nowhere.
    """
    text = _short_forms(question)
    matches = list(WORD.finditer(text))
    capitals = [m.group()[0].isupper() for m in matches]
    # The first word always has one; where nearly every word has, they tell nothing.
    if not any(capitals[1:]) or sum(capitals) > 0.8 * len(capitals) > 3:
        words, joined = _without_capitals(matches, known), False
    else:
        words, joined = _capitalised_runs(text, matches)
    years = tuple(dict.fromkeys(_YEAR.findall(question)))
    return Names(tuple(dict.fromkeys(words)), years, alternatives=joined)


def _capitalised_runs(text: str, matches: list[re.Match[str]]) -> tuple[list[str], bool]:
    """Last words of the runs of capitalised words, and whether "and" or "or" joins two of them."""
    words: list[str] = []
    joined = False
    end_of_last = -1
    for n, match in enumerate(matches):
        word = match.group()
        folded = fold(word).removesuffix("'s")
        is_name = word[0].isupper() and not is_stop_word(word) and folded not in _NOT_NAMES
        if not is_name:
            continue
        between = text[end_of_last : match.start()] if words else ""
        adjacent = words and between in (" ", "-")
        joined = joined or (bool(words) and between.strip() in ("and", "or", ",", "vs", "versus"))
        end_of_last = match.end()
        name = _as_used(folded, matches[n - 1].group() if n else "")
        if adjacent and not matches[n - 1].group().endswith(("'s", "’s")):
            words[-1] = name
        else:
            words.append(name)
    return words, joined


def _without_capitals(matches: list[re.Match[str]], known: Callable[[str], bool]) -> list[str]:
    words: list[str] = []
    for n, match in enumerate(matches):
        before, folded = matches[n - 1].group() if n else "", fold(match.group()).removesuffix("'s")
        if is_stop_word(match.group()) or folded.isdigit() or folded in _NOT_NAMES:
            continue
        if folded in _GROUP_OF or (fold(before) in _PLACE_BEFORE and not known(folded)):
            words.append(_as_used(folded, before))
    return words


def _as_used(word: str, before: str) -> str:
    """A capital behind "in" or "at" is the city itself; elsewhere it may stand for the country."""
    return word if fold(before) in _PLACE_BEFORE else group(word)


def _present(name: str, text_names: frozenset[str]) -> bool:
    if name in text_names:
        return True
    # "Houthi" and "Houthis", "Gaza" and "Gazan": one is the beginning of the other.
    return len(name) >= 4 and any(
        word.startswith(name) or (len(word) >= 4 and name.startswith(word) and len(name) - len(word) <= 3)
        for word in text_names
    )


def _short_forms(text: str) -> str:
    for pattern, short in _PHRASES:
        text = pattern.sub(short, text)
    return text
