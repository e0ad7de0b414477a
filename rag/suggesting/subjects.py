"""Who a sentence speaks of, by a name that can be understood without the article."""

from __future__ import annotations

import re

from rag.answering.followups.subjects import is_country
from rag.english.words import fold, is_stop_word

__all__ = ["CAPITAL", "NAME", "Cast", "is_role"]

# A word with a capital, without "'s". Initials keep their periods.
CAPITAL = r"(?:(?:[A-Z]\.){2,}|[A-Z]\.(?= [A-Z])|(?:al-)?[A-ZÀ-ÖØ-Þ](?:[\w&-]|\.(?=\w)|['’](?!s\b)(?=\w))*)"
NAME = rf"{CAPITAL}(?: (?:(?:of the|of|for|and|bin|de|van|von|al|&) )?{CAPITAL}){{0,5}}"
_READ = 20_000  # code points of an article in which full names are looked for
_SMALL = re.compile(r"\b[a-z][\w-]*")
_RUN = re.compile(rf"(?<![\w’'-]){CAPITAL}(?: (?:(?:bin|de|van|von|al) )?{CAPITAL}){{1,4}}(?![\w-])")
_TITLES = frozenset(
    "mr mrs ms dr prof sir lord lady president justice sultan ayatollah sheikh king queen prince rabbi dame".split()  # noqa: SIM905
)
_ROLES = frozenset(
    """
    president minister secretary chancellor chairman chairwoman chair chief leader head director executive spokesman
    spokeswoman ambassador envoy commander governor mayor senator judge coach captain founder manager editor
    negotiator adviser advisor economist analyst scientist professor author singer actor actress striker midfielder
    lawyer commissioner speaker premier treasurer deputy champion winger goalkeeper defender boss representative
    lock prop hooker flanker centre fly-half scrum-half full-back skipper vice-president
    mp mps comedian star businessman businesswoman trader dealer
    """.split()  # noqa: SIM905  # reads better as prose than as a list
)
# Names that open a sentence and need no proof; those of `is_country` come to them.
_LANDS = frozenset(
    """
    africa algeria argentina asia australia austria bahrain bangladesh belgium bolivia brazil britain bulgaria cameroon
    canada chile colombia croatia cuba denmark ecuador england estonia ethiopia europe finland ghana greece hungary
    iceland indonesia ireland jordan kenya kuwait latvia libya lithuania malaysia mexico morocco nepal netherlands
    nicaragua nigeria norway panama peru philippines poland portugal romania rwanda scotland senegal serbia singapore
    slovakia slovenia somalia sudan sweden switzerland taiwan tanzania thailand tunisia uganda uruguay venezuela vietnam
    wales zambia zimbabwe
    """.split()  # noqa: SIM905  # reads better as prose than as a list
)
_NO_SUBJECT = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
    october november december one two three four five six seven eight nine ten another many several some analysts
    officials police critics dealers traders sources economists experts both former according last next new earlier
    yesterday today however meanwhile also nobody everyone people others shares profits sales there it he she they
    reuters reuter note yes no sentence company government rival committee
    """.split()  # noqa: SIM905  # reads better as prose than as a list
)
_INSTITUTIONS = frozenset(
    """
    sea gulf strait bank river island islands street house ministry council nations department union university court
    party army navy force forces office agency bureau company corporation corp inc ltd plc co group press news times
    post football club united city town cup league open awards association federation commission committee board
    airlines motors oil gas energy systems international industries holdings financial insurance games studios network
    telecom mobile software technologies the of and for act bill treaty pact accord festival prize brothers first
    choir award trophy
    world wide web national new south north east west
    """.split()  # noqa: SIM905  # reads better as prose than as a list
)


def is_role(phrase: str) -> bool:
    """Whether a phrase such as "secretary of the council" says what a person does."""
    return any(word in _ROLES for word in re.findall(r"[a-z-]+", phrase.lower())[:6])


class Cast:
    """The names of an article."""

    def __init__(self, text: str) -> None:
        self._text = text[:_READ]
        self._small = frozenset(_SMALL.findall(self._text))
        self._full: dict[str, str] = {}
        for match in _RUN.finditer(self._text):
            words = _without_titles(match.group().split())
            if 1 < len(words) < 4 and words[0].lower() not in self._small and not any(map(_is_no_person, words)):
                self._full.setdefault(words[-1], " ".join(words))

    def called(self, name: str, *, opens: bool) -> str:
        """The name in full, as it stands in the middle of a sentence; empty if it is none, or would not be
        understood without the article.

        `opens`: it stands at the beginning of its sentence, where any word has a capital.
        """
        article = "the " if name.startswith(("The ", "the ")) else ""
        words = name[len(article) :].split()
        bare = words if article else _without_titles(words)
        if not bare or fold(bare[0]).rstrip(".") in _NO_SUBJECT or is_stop_word(bare[0]):
            return ""
        if len(bare) == 1:
            return self._single(bare[0], article, titled=bare != words, opens=opens and not article)
        person = self._full.get(bare[-1], "")
        if not article and person and "of" not in bare and " ".join(bare).endswith(f" {person}"):
            return person  # "Rival Tony Smith", "South Korean Hyung-Taik Lee"
        if (opens and not article and bare[0].lower() in self._small) or (article and is_role(bare[-1])):
            return ""  # "Now Paula", "The Home Secretary"
        if (
            opens
            and len(bare) > 2
            and re.search(rf"(?<!{re.escape(bare[0])} ){re.escape(' '.join(bare[1:]))}", self._text)
        ):
            return " ".join(bare[1:])  # "Defiant Matt Williams"
        if len(bare) > 2 and not article and is_country(bare[0]) and not any(fold(w) in _INSTITUTIONS for w in bare):
            return ""  # "American Kevin Kim"
        return article + " ".join(bare)

    def person(self, name: str) -> bool:
        """Whether a name is that of a person, as far as its words tell."""
        return 1 < len(name.split()) < 5 and not any(map(_is_no_person, name.split()))

    def _single(self, word: str, article: str, *, titled: bool, opens: bool) -> str:
        if not article and word in self._full:
            return self._full[word]
        if titled or len(word) < 2 or is_role(word):
            return ""  # "Mr Smith" of whom the first name is not known
        if not opens or is_country(word) or fold(word) in _LANDS or word.isupper() or self._is_name(word):
            return article + word
        return ""

    def _is_name(self, word: str) -> bool:
        """Whether a word that opens a sentence has its capital elsewhere too."""
        inside = re.search(rf"[a-z,] {re.escape(word)}\b", self._text)
        return inside is not None and word.lower() not in self._small


def _without_titles(words: list[str]) -> list[str]:
    """The words behind the last title or office: "Home Office Minister Des Browne" is Des Browne."""
    for n in range(len(words) - 1, -1, -1):
        word = fold(words[n]).rstrip(".")
        if word in _TITLES or (word in _ROLES and (n < len(words) - 2 or n == len(words) - 1)):
            return words[n + 1 :]
    return words


def _is_no_person(word: str) -> bool:
    return is_country(word) or fold(word) in _NO_SUBJECT or fold(word) in _INSTITUTIONS or word.isupper()
