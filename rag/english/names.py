"""What a text names: proper names and years, and the other forms under which they go."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.english.words import WORD, fold, is_stop_word

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
    (re.compile(r"\bUnited Nations\b"), "UN"),
    # So articles say that went through a paraphrasing tool; the word as it stands is kept for who asks by it.
    (re.compile(r"\bCrimson Sea\b"), "Crimson Red Sea"),
)
_NOT_NAMES = frozenset(
    """
    january february march april may june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday i tell list give name explain describe summarize summarise compare show find say
    mr mrs ms dr according today yesterday ok okay faq fyi
    ceo ceos cfo cto coo mp mps pm pms gdp tv pr hr ipo
    """.split()  # noqa: SIM905  # reads better as prose than as a list
)
# "2003", but neither "$2003" nor the count of "2000 jobs"; "the 2000 elections" and "in 2000 shares" are years.
_YEAR = re.compile(
    r"(?<![$£€.,\w])(?!(?<!\bthe )(?<!\bin )(?:1[89]|20)00 (?:people|men|women|children|troops|police|[a-z]+s)\b)"
    r"(1[89]\d\d|20\d\d)\b",
    re.IGNORECASE,
)
_PLACE_BEFORE = frozenset({"in", "at", "near", "from"})
# Words that name nothing without the word before them: the Black Sea is not the Red Sea.
_WATERS = frozenset({"sea", "ocean", "gulf"})
_DIVIDED = frozenset({"korea", "sudan", "ireland"})
_HEADS = _WATERS | _DIVIDED | frozenset({"bank", "house", "cup", "islands", "street"})
_PARTS = frozenset({"north", "south", "northern"})
# Between the name of a land or a person and what else goes by that name.
_ENDINGS = frozenset("s es i is n an ans ian ians ese ite ites ish ic".split())  # noqa: SIM905
_ENDINGS_OF_Y = _ENDINGS | {"ies"}
_OTHERS = frozenset({"niger", "guinea", "congo"})  # whose longer forms are other lands
_SHORTEST = 4  # letters of a name that may take an ending
_INITIALS = re.compile(r"(?:\w\.)*\w")
_LONGEST_ABBREVIATION = 4  # letters of "Prof."; behind a longer word a full stop ends the sentence
_JOINS = re.compile(r",|,? ?(?:and|or|vs\.?|versus)(?: the)?")


@dataclass(frozen=True, slots=True)
class Names:
    """What a question names. A name is its last word, folded ("Brett McGurk" -> "mcgurk"), with the word
    before it where that one tells names apart ("Red Sea" -> "red sea").

    `words` and `years` are all needed. Of each tuple of `alternatives` one name is enough: "what did
    Macron and Scholz say?".
    """

    words: tuple[str, ...] = ()
    years: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.years or self.alternatives)

    def stand_in(self, text_names: frozenset[str]) -> bool:
        """Whether the names (one of each alternatives) are among the words of a text, as `name_words`
        gives them."""
        return all(_present(name, text_names) for name in self.words) and all(
            any(_present(name, text_names) for name in names) for names in self.alternatives
        )


@dataclass(slots=True)
class _Run:
    """A name as a question has it: capitalised words that stand together."""

    words: list[str]  # folded
    before: str  # the word before it
    start: int
    end: int
    opens: bool  # a sentence, where any word has a capital
    is_possessive: bool = False

    @property
    def name(self) -> str:
        last = _as_used(self.words[-1], self.words[-2] if len(self.words) > 1 else self.before)
        return f"{self.words[-2]} {last}" if last in _HEADS and len(self.words) > 1 else last


def group(word: str) -> str:
    """The word that stands for a country, its people and its seat of government; else the word itself."""
    plain = word.replace(".", "")
    return _GROUP_OF.get(plain, plain)


def in_words_of(text: str, question: str) -> str:
    """The question with its countries, peoples and capitals called what a text calls them: asked about Muscat,
    a text that only says Oman is asked about Oman."""
    if not any(_group_named(match.group()) for match in WORD.finditer(question)):
        return question
    held: dict[str, str] = {}
    spoken = set()
    for match in WORD.finditer(text):
        word = match.group()
        if word[0].isupper() and (land := _group_named(word)):
            plain = re.sub(r"['’]s$", "", word)
            held.setdefault(land, plain)
            spoken.add(fold(plain))

    def called(match: re.Match[str]) -> str:
        word = re.sub(r"['’]s$", "", match.group())
        land = _group_named(word)
        if land is None or fold(word) in spoken or land not in held:
            return match.group()
        return held[land] + match.group()[len(word) :]

    return WORD.sub(called, question)


def _group_named(word: str) -> str | None:
    """The country that a word as written goes for, if any; "us" is none, "US" is one."""
    if is_stop_word(word):
        return None
    return _GROUP_OF.get(fold(word).removesuffix("'s").replace(".", ""))


@lru_cache(maxsize=4096)
def name_forms(name: str) -> frozenset[str]:
    """Folded words that go for the same name as a folded word: "gazan" for "gaza", "houthis" for "houthi"."""
    longer = {name + ending for ending in _ENDINGS} if len(name) >= _SHORTEST and name not in _OTHERS else set()
    if longer and name[-1] in "aey":
        longer |= {name[:-1] + ending for ending in _ENDINGS_OF_Y if len(ending) > 1}
    shorter = set()
    for ending in _ENDINGS_OF_Y:
        if name.endswith(ending):
            bare = name.removesuffix(ending)
            shorter |= {bare} if ending in _ENDINGS else set()
            shorter |= {bare + last for last in "aey"} if len(ending) > 1 else set()
    return frozenset({name, *longer, *(word for word in shorter if len(word) >= _SHORTEST and word not in _OTHERS)})


def name_words(text: str) -> frozenset[str]:
    """Folded words of a text under which a name may be found in it: each as it is and as its group."""
    found = set()
    for written in set(WORD.findall(_short_forms(text))):
        word = fold(written).removesuffix("'s")
        found |= {word, group(word)}
    return frozenset(found)


def question_names(question: str, known: Callable[[str], bool]) -> Names:
    """The names and years of a question.

    `known` tells whether a folded word occurs anywhere in the library. A name that it does not know is
    needed even where others are joined to it. A question typed without capitals names the countries,
    capitals and seas in it, and what follows "in", "at", "near" or "from" and is known nowhere.
    """
    text = _short_forms(question)
    matches = list(WORD.finditer(text))
    capitals = [m.group()[0].isupper() for m in matches]
    years = tuple(dict.fromkeys(_YEAR.findall(question)))
    opening = _openings(text, matches)
    # Where nearly every word has a capital, they tell nothing.
    telling = any(capital and n not in opening and matches[n].group() != "I" for n, capital in enumerate(capitals))
    if not telling or sum(capitals) > 0.8 * len(capitals) > 3:
        return Names(tuple(dict.fromkeys(_without_capitals(matches, known))), years)
    return _joined(text, _capitalised_runs(text, matches, opening), years, known)


def _openings(text: str, matches: list[re.Match[str]]) -> frozenset[int]:
    """Which of the words open a sentence."""
    gaps = ((a.group(), text[a.end() : b.start()]) for a, b in pairwise(matches))
    return frozenset(
        n
        for n, (word, gap) in enumerate(gaps, 1)
        if not set(gap).isdisjoint("!?:;") or ("." in gap and len(word) > _LONGEST_ABBREVIATION)
    ) | {0}


def _joined(text: str, runs: list[_Run], years: tuple[str, ...], known: Callable[[str], bool]) -> Names:
    """The names of some runs; those that "and", "or" or a comma joins are alternatives."""
    series: list[list[_Run]] = []
    for run in runs:
        last = series[-1][-1] if series else None
        if last and _JOINS.fullmatch(text[last.end : run.start].strip()) and not _sets_scene(last):
            series[-1].append(run)
        else:
            series.append([run])
    words = [run.name for joined in series for run in joined if len(joined) == 1 or not _is_known(run, known)]
    alternatives = [tuple(dict.fromkeys(run.name for run in joined)) for joined in series if len(joined) > 1]
    return Names(tuple(dict.fromkeys(words)), years, tuple(alternatives))


def _sets_scene(run: _Run) -> bool:
    """Whether a question opens with a place: "In Kenya, ..."."""
    return fold(run.before) in _PLACE_BEFORE and run.start == len(run.before) + 1


def _is_known(run: _Run, known: Callable[[str], bool]) -> bool:
    return group(run.words[-1]) in _GROUP_OF or known(run.words[-1])


def _capitalised_runs(text: str, matches: list[re.Match[str]], opening: frozenset[int]) -> list[_Run]:
    """The names of a question that has capitals."""
    runs: list[_Run] = []
    for n, match in enumerate(matches):
        word = match.group()
        folded = fold(word).removesuffix("'s")
        if not word[0].isupper() or is_stop_word(word) or folded in _NOT_NAMES:
            continue
        before = matches[n - 1].group() if n else ""
        between = text[runs[-1].end : match.start()] if runs else ""
        is_next = between in (" ", "-") or (between == ". " and bool(_INITIALS.fullmatch(before)))
        if is_next and not runs[-1].is_possessive:
            runs[-1].words.append(folded)
            runs[-1].end = match.end()
        else:
            runs.append(_Run([folded], before, match.start(), match.end(), opens=n in opening))
        runs[-1].is_possessive = word.endswith(("'s", "’s"))
    return [run for n, run in enumerate(runs) if not _is_mere_opening(text, run, runs[n + 1 : n + 2])]


def _is_mere_opening(text: str, run: _Run, following: list[_Run]) -> bool:
    """Whether a run is one letter, or one word that has its capital only from its place: "Hello, what ..."."""
    if len(run.words) > 1:
        return False
    word = text[run.start : run.end]
    if len(word) == 1:
        return True
    if run.is_possessive or word.isupper() or group(run.words[0]) in _GROUP_OF:
        return False
    beyond = [text[run.end : other.start].strip(" ") for other in following]
    return run.opens and not any(between != "," and _JOINS.fullmatch(between) for between in beyond)


def _without_capitals(matches: list[re.Match[str]], known: Callable[[str], bool]) -> list[str]:
    words: list[str] = []
    for n, match in enumerate(matches):
        before, folded = matches[n - 1].group() if n else "", fold(match.group()).removesuffix("'s")
        if is_stop_word(match.group()) or folded.isdigit() or folded in _NOT_NAMES:
            continue
        if folded in _GROUP_OF or (fold(before) in _PLACE_BEFORE and not known(folded)):
            words.append(_as_used(folded, before))
        if (folded in _WATERS and before and not is_stop_word(before)) or (folded in _DIVIDED and before in _PARTS):
            words.append(f"{fold(before)} {folded}")
    return words


def _as_used(word: str, before: str) -> str:
    """A capital behind "in" or "at" is the city itself; elsewhere it may stand for the country."""
    return word if fold(before) in _PLACE_BEFORE else group(word)


def _present(name: str, text_names: frozenset[str]) -> bool:
    return all(not name_forms(word).isdisjoint(text_names) for word in name.split())


def _short_forms(text: str) -> str:
    for pattern, short in _PHRASES:
        text = pattern.sub(short, text)
    return text
