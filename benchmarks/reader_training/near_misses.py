"""Questions that a passage nearly answers: another name or number of the same kind in place of the one asked about.

In the manner of the questions that annotators wrote for SQuAD 2.0 (Rajpurkar et al., 2018, table 1), "entity swap".
What comes in stands elsewhere in the same passage, or about the same topic, or in any passage.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache

from benchmarks.reader_training.data import Example, Passage
from rag.text.names import group
from rag.text.sentences import sentences
from rag.text.words import STOP_WORDS, fold

# Shares of the swaps; what has no candidate falls to the next.
SAME_PASSAGE, SAME_TOPIC = 0.5, 0.4

_NUMBER = re.compile(r"(?<![\w.,])\d[\d,.]*\d\b|(?<![\w.,])\d\b")
_NAME = re.compile(r"(?<!^)(?<![.!?:] )(?<![\"“(])\b[A-Z]\w+(?: [A-Z]\w+)*")
_MONTHS = frozenset(
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)


class NearMisses:
    """Draws near misses of examples. A name counts for what it is by its words: a year, another number, a month, a
    land, an abbreviation, or so many words."""

    def __init__(self, passages: list[Passage], numbers: Iterable[int]) -> None:
        """`numbers` are the passages from which names may be taken."""
        self._passages = passages
        self._by_topic: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        everywhere: defaultdict[str, set[str]] = defaultdict(set)
        for number in numbers:
            for name in names(passages[number].text):
                self._by_topic[kind(name), passages[number].topic].add(name)
                everywhere[kind(name)].add(name)
        self._everywhere = {one: sorted(found) for one, found in everywhere.items()}
        self._of_passage = cache(self._away_from_answers)
        self._of_topic = cache(lambda one, topic: sorted(self._by_topic[one, topic]))

    def draw(self, example: Example, chance: random.Random) -> Example | None:
        """The example with another question, which its passage does not answer; None if nothing can be swapped."""
        question = example.question
        found = [name for name in names(question) if not name.startswith(tuple(STOP_WORDS))]
        chance.shuffle(found)
        for old in found:
            new = self._other(old, example, chance)
            if new is not None:
                return Example(re.sub(rf"\b{re.escape(old)}(?!\w)", lambda _: new, question), example.passage, ())
        return None

    def _other(self, old: str, example: Example, chance: random.Random) -> str | None:
        passage = self._passages[example.passage]
        known = f"{passage.title} {passage.text}".lower()
        here = [name for name in self._of_passage(example) if kind(name) == kind(old)]
        about = [name for name in self._of_topic(kind(old), passage.topic) if name.lower() not in known]
        pools = [here, about, self._everywhere.get(kind(old), [])]
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
        return sorted({name for part in parts for name in names(part) if name.lower() not in answered})


def names(text: str) -> Iterator[str]:
    """Numbers, and what is written with a capital behind the first word of a sentence."""
    for pattern in (_NUMBER, _NAME):
        yield from (match.group() for match in pattern.finditer(text))


@cache
def kind(name: str) -> str:
    words = name.split()
    if name[0].isdigit():
        return "year" if re.fullmatch(r"1\d{3}|20\d\d", name) else "number"
    if words[0].lower() in _MONTHS:
        return "month"
    if len(words) == 1 and group(fold(name)) != fold(name):
        return "land"
    return "abbreviation" if name.isupper() else f"{min(len(words), 3)} words"


def _akin(name: str, text: str) -> bool:
    """Whether a text holds a word of the name, its abbreviation, or another name for the same land."""
    mine = {group(fold(word)) for word in name.split() if word.lower() not in STOP_WORDS}
    others = [word.strip(".,?!'\"()") for word in text.split()]
    initials = "".join(word[0] for word in name.split() if word[0].isupper())
    capitals = "".join(word[0] for word in others if word[:1].isupper())
    if mine & {group(fold(word.removesuffix("'s"))) for word in others}:
        return True
    return (len(initials) > 1 and initials in others) or (name.isupper() and name in capitals)
