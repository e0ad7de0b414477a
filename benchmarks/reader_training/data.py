"""What the reader learns from: questions about the training titles of SQuAD, and the passages each is confused with.

All answered questions of v1.1 dev and the unanswerable ones of the v2-like set. The titles that
`benchmarks.squad` holds out give no question and no wrong passage; their paragraphs count only in how rare
BM25 takes a word to be.

The files are read here once more, because learning takes what measuring leaves out: every place that an
annotator marked, and the few paragraphs that only the v2-like set has (as wrong passages).
"""

from __future__ import annotations

import gzip
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from heapq import nlargest
from typing import Any

from benchmarks import squad
from rag.records import Span

_WORD = re.compile(r"\w+")
_STOP_WORDS = frozenset(
    _WORD.findall(
        "a an the of in on at to for by with and or is are was were be been did do does what which who whom when where "
        "how why that this it its as from has had have not"
    )
)


@dataclass(frozen=True, slots=True)
class Passage:
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """A question and the number of the passage it was asked of; `answers` are its places there, none if that
    passage does not answer it."""

    question: str
    passage: int
    answers: tuple[Span, ...]


class BM25:
    """Passages ranked by Okapi BM25 (Robertson et al., 1994) with k1 = 1.2 and b = 0.75, over plain words."""

    def __init__(self, texts: Iterable[str]) -> None:
        counts = [Counter(_words(text)) for text in texts]
        lengths = [count.total() for count in counts]
        holders = Counter(word for count in counts for word in count)
        average = sum(lengths) / len(counts)
        self._weights: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, (count, length) in enumerate(zip(counts, lengths, strict=True)):
            for word, times in count.items():
                rare = math.log(1 + (len(counts) - holders[word] + 0.5) / (holders[word] + 0.5))
                weight = rare * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * length / average))
                self._weights[word].append((number, weight))

    def best(self, question: str, count: int) -> list[int]:
        """The numbers of the `count` best passages, the best first."""
        scores: defaultdict[int, float] = defaultdict(float)
        for word in dict.fromkeys(_words(question)):
            for number, weight in self._weights.get(word, ()):
                scores[number] += weight
        return nlargest(count, scores, key=scores.__getitem__)


class RawSource:
    """All passages, and the examples of the training titles.

    `examples` are those of v1.1 dev in the order of the file, then the unanswerable ones.
    """

    def __init__(self) -> None:
        self.passages = _passages()
        self.held = frozenset(n for n, passage in enumerate(self.passages) if passage.title in squad.held_out())
        self.examples = _examples(self.passages)
        assert not any(example.passage in self.held for example in self.examples)
        self._ranking = BM25(f"{passage.title.replace('_', ' ')} {passage.text}" for passage in self.passages)
        self._negatives = cache(self._find_negatives)

    def negatives(self, number: int) -> list[int]:
        """Passages of training titles that an example may be confused with, the likeliest first: the best by
        BM25 that are not its own and hold none of its answers."""
        return self._negatives(number)

    def _find_negatives(self, number: int) -> list[int]:
        example = self.examples[number]
        own = self.passages[example.passage].text
        answers = [own[place.start : place.end].lower() for place in example.answers]
        return [
            other
            for other in self._ranking.best(example.question, 12)
            if other != example.passage
            and other not in self.held
            and not any(answer in self.passages[other].text.lower() for answer in answers)
        ]


def _passages() -> list[Passage]:
    passages = [Passage(paragraph.title, paragraph.text) for paragraph in squad.paragraphs()]
    known = {passage.text for passage in passages}
    more = (Passage(title, one["context"]) for title, one in _paragraphs(squad.V2))
    return passages + [passage for passage in more if passage.text not in known]


def _examples(passages: list[Passage]) -> list[Example]:
    titles = {paragraph.title for paragraph in squad.paragraphs()} - squad.held_out()
    numbers = {passage.text: number for number, passage in enumerate(passages)}
    answered, unanswerable = [], []
    for title, one in _paragraphs(squad.V1):
        if title in titles:
            answered += [Example(qa["question"], numbers[one["context"]], _places(qa)) for qa in one["qas"]]
    for title, one in _paragraphs(squad.V2):
        if title in titles:
            asked = [qa["question"] for qa in one["qas"] if qa["is_impossible"]]
            unanswerable += [Example(question, numbers[one["context"]], ()) for question in asked]
    return answered + unanswerable


def _paragraphs(name: str) -> list[tuple[str, dict[str, Any]]]:
    with gzip.open(squad.FOLDER / name, "rt", encoding="utf-8") as stream:
        articles = json.load(stream)["data"]
    return [(article["title"], one) for article in articles for one in article["paragraphs"]]


def _places(qa: dict[str, Any]) -> tuple[Span, ...]:
    places = (Span(one["answer_start"], one["answer_start"] + len(one["text"])) for one in qa["answers"])
    return tuple(dict.fromkeys(places))


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.lower()) if word not in _STOP_WORDS]
