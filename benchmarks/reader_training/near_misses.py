"""Questions that a passage nearly answers: another name or number of the same kind in place of the one asked about.

In the manner of the questions that annotators wrote for SQuAD 2.0 (Rajpurkar et al., 2018, table 1), "entity swap".
What comes in stands elsewhere in the same passage, or about the same topic, or in any passage.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache

from benchmarks.reader_training.data import Example, Passage
from rag.text.names import group
from rag.text.sentences import sentences
from rag.text.words import STOP_WORDS, fold

# Shares of the swaps; what has no candidate falls to the next.
SAME_PASSAGE, SAME_TOPIC = 0.5, 0.4

_NUMBER = re.compile(r"(?<![\w.,])\d[\d,.]*\d\b|(?<![\w.,])\d\b")
_NAME = re.compile(r"(?<!^)(?<![.!?:] )(?<![\"“(’'\w])[A-Z]\w+(?: [A-Z]\w+)*(?!\w)")
_PLACE = re.compile(rf"\b(?:in|at|near) (?:the )?({_NAME.pattern})")
_PLAIN = re.compile(r"(?<![\w.'’-])[a-z]{2,}(?![\w'’-])")
_MONTHS = frozenset(
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)


class NearMisses:
    """Draws near misses of examples. What a name names is told by its form: a year, another number, a month, an
    abbreviation, or so many words, and apart from these what some passage has behind "in", a place. A single word
    that some passage writes small is no name."""

    def __init__(self, passages: list[Passage], numbers: Iterable[int]) -> None:
        """`numbers` are the passages from which names may be taken."""
        self._passages = passages
        self._plain = frozenset(word for passage in passages for word in _PLAIN.findall(passage.text))
        self._places = frozenset(match[1] for passage in passages for match in _PLACE.finditer(passage.text))
        self._by_topic: defaultdict[tuple[tuple[str, bool], str], set[str]] = defaultdict(set)
        everywhere: defaultdict[tuple[str, bool], set[str]] = defaultdict(set)
        for number in numbers:
            for name in self._names(passages[number].text):
                self._by_topic[self._kind(name), passages[number].topic].add(name)
                everywhere[self._kind(name)].add(name)
        self._everywhere = {one: sorted(found) for one, found in everywhere.items()}
        self._of_passage = cache(self._away_from_answers)
        self._of_topic = cache(lambda one, topic: sorted(self._by_topic[one, topic]))

    def draw(self, example: Example, chance: random.Random) -> Example | None:
        """The example with another question, which its passage does not answer; None if nothing can be swapped."""
        question = example.question
        found = self._names(question)
        chance.shuffle(found)
        for old in found:
            new = self._other(old, example, chance)
            if new is not None:
                return Example(question.replace(old, new), example.passage, ())
        return None

    def _other(self, old: str, example: Example, chance: random.Random) -> str | None:
        passage = self._passages[example.passage]
        known = f"{passage.title} {passage.text}".lower()
        wanted = self._kind(old)
        here = [name for name in self._of_passage(example) if self._kind(name) == wanted]
        about = [name for name in self._of_topic(wanted, passage.topic) if name.lower() not in known]
        pools = [here, about, self._everywhere.get(wanted, [])]
        drawn = chance.random()
        for pool in pools[0 if drawn < SAME_PASSAGE else 1 if drawn < SAME_PASSAGE + SAME_TOPIC else 2 :]:
            taken = [example.question, *(passage.text[place.start : place.end] for place in example.answers)]
            for new in chance.sample(pool, min(8, len(pool))):
                if (pool is here or new.lower() not in known) and not any(_akin(new, one) for one in taken):
                    return new
        return None

    def _away_from_answers(self, example: Example) -> list[str]:
        """The names of the passage that stand in no sentence with an answer: of those it may well say the same."""
        text = self._passages[example.passage].text
        parts = [text[one.start : one.end] for one in sentences(text)]
        starts = {place.start for place in example.answers}
        near = [text[one.start : one.end] for one in sentences(text) if any(one.start <= at < one.end for at in starts)]
        answered = " ".join(near).lower()
        return sorted({name for part in parts for name in self._names(part) if name.lower() not in answered})

    def _names(self, text: str) -> list[str]:
        """Numbers, and what is written with a capital behind the first word of a sentence."""
        found = [match.group() for pattern in (_NUMBER, _NAME) for match in pattern.finditer(text)]
        return [name for name in found if _form(name) != "1 word" or name.lower() not in self._plain]

    def _kind(self, name: str) -> tuple[str, bool]:
        return _form(name), name in self._places


@cache
def _form(name: str) -> str:
    words = name.split()
    if name[0].isdigit():
        return "year" if re.fullmatch(r"1\d{3}|20\d\d", name) else "number"
    if words[0].lower() in _MONTHS:
        return "month"
    if name.isupper():
        return "abbreviation"
    return "1 word" if len(words) == 1 else f"{min(len(words), 3)} words"


def _akin(name: str, text: str) -> bool:
    """Whether a text holds a word of the name, or one that begins like it ("Australian"), its abbreviation, or another
    name for the same land."""
    others = [word.strip(".,?!'\"()").removesuffix("'s") for word in text.split()]
    mine = {_root(word) for word in name.split() if word.lower() not in STOP_WORDS}
    initials = "".join(word[0] for word in name.split() if word[0].isupper())
    capitals = "".join(word[0] for word in others if word[:1].isupper())
    abbreviated = (len(initials) > 1 and initials in others) or (name.isupper() and name in capitals)
    return abbreviated or bool(mine & {_root(word) for word in others})


def _root(word: str) -> str:
    return group(fold(word))[:5]
