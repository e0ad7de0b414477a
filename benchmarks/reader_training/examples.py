"""Examples as the model sees them: drawn at random, varied, cut into tokens, in batches of like length.

    [CLS] question [SEP] title . passage [SEP]        token type 0 up to the first [SEP], then 1

the sequence that `rag.models.reader` builds. The variations keep the reader from trusting what it will not
find elsewhere: a question mark, a title in front, a passage that answers because it was asked about.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tokenizers import Tokenizer

from benchmarks.reader_training.data import Example, RawSource
from rag.records import Span

FIRST, END = 101, 102  # [CLS], [SEP]
LONGEST = 300  # tokens of question, title and passage together
LONGEST_QUESTION = 48  # tokens
QUESTIONS_AT_ONCE = 16
SORTED_AT_ONCE = 256  # questions

# Shares of the questions.
SWAPPED = 0.10  # a name or a number replaced, so that the passage no longer answers
UNMARKED = 0.30  # without the question mark
WITHHELD = 0.08  # a wrong passage in place of the right one
TITLED = 0.60  # of the passages: the title in front

_NUMBER = re.compile(r"\b\d[\d,.]*\b")
_NAME = re.compile(r"(?<!^)\b[A-Z][a-z]+(?: [A-Z][a-z]+)*")


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text's tokens, and the code points of each."""

    ids: list[int]
    places: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A question with one passage. `second` is where token type 1 begins, `body` where the passage does; `starts`
    and `ends` are the tokens at which an answer starts and ends, none if the passage does not answer."""

    ids: list[int]
    second: int
    body: int
    starts: list[int]
    ends: list[int]


Group = list[Pair]
"""The passages of one question."""


def tokens(tokenizer: Tokenizer, text: str) -> Tokens:
    """Expects a tokenizer that neither pads nor truncates."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    return Tokens(encoding.ids, encoding.offsets)


def pair(question: list[int], title: list[int], passage: Tokens, window: range, answers: tuple[Span, ...]) -> Pair:
    """The sequence of a question and of the tokens of a passage that lie in `window`."""
    head = [FIRST, *question, END]
    body = len(head) + len(title)
    starts, ends = set(), set()
    for answer in answers:
        first = next((n for n in window if passage.places[n][1] > answer.start), None)
        last = next((n for n in reversed(window) if passage.places[n][0] < answer.end), None)
        if first is not None and last is not None and first <= last:
            starts.add(body + first - window.start)
            ends.add(body + last - window.start)
    ids = [*head, *title, *passage.ids[window.start : window.stop], END]
    return Pair(ids, len(head), body, sorted(starts), sorted(ends))


class Sampler:
    """Draws batches of groups from the material, each epoch in another order and with other variations."""

    def __init__(self, material: RawSource, tokenizer: Tokenizer, seed: int) -> None:
        self._material = material
        self._tokenizer = tokenizer
        self._random = random.Random(seed)
        self._passages: dict[int, Tokens] = {}
        asked = [example.question for example in material.examples]
        self._numbers = [match.group() for question in asked for match in _NUMBER.finditer(question)]
        self._names = [match.group() for question in asked for match in _NAME.finditer(question)]

    def epoch(self) -> Iterator[list[Group]]:
        """Every example once, in batches of 16 questions of like length."""
        order = list(range(len(self._material.examples)))
        self._random.shuffle(order)
        for at in range(0, len(order), SORTED_AT_ONCE):
            groups = [self._group(number) for number in order[at : at + SORTED_AT_ONCE]]
            groups.sort(key=lambda group: max(len(one.ids) for one in group))
            batches = [groups[n : n + QUESTIONS_AT_ONCE] for n in range(0, len(groups), QUESTIONS_AT_ONCE)]
            self._random.shuffle(batches)
            yield from batches

    def _group(self, number: int) -> Group:
        """The passage it was asked about and, if that answers, a wrong one to tell it from."""
        example = self._material.examples[number]
        if example.answers and self._random.random() < SWAPPED:
            example = self._swapped(example)
        question = example.question
        if self._random.random() < UNMARKED:
            question = question.rstrip("?. ")
        if not example.answers:
            return [self._pair(question, example.passage, ())]
        negatives = self._material.negatives(number)
        if not negatives:
            return [self._pair(question, example.passage, example.answers)]
        if self._random.random() < WITHHELD:
            return [self._pair(question, self._random.choice(negatives[:4]), ())]
        right = self._pair(question, example.passage, example.answers)
        return [right, self._pair(question, self._random.choice(negatives[:6]), ())]

    def _swapped(self, example: Example) -> Example:
        """With a name or number of the passage replaced in the question by another question's; as it was where
        that cannot be done."""
        text, question = self._material.passages[example.passage].text, example.question
        found = [(match.group(), self._numbers) for match in _NUMBER.finditer(question)]
        # The first letter is a capital in any case.
        found += [(match.group(), self._names) for match in _NAME.finditer(question[1:])]
        found = [(old, others) for old, others in found if old in text]
        if not found:
            return example
        old, others = self._random.choice(found)
        new = self._random.choice(others)
        if new == old or new.lower() in text.lower():
            return example
        return Example(question.replace(old, new, 1), example.passage, ())

    def _pair(self, question: str, number: int, answers: tuple[Span, ...]) -> Pair:
        assert number not in self._material.held
        asked = self._tokens(question).ids[:LONGEST_QUESTION]
        title: list[int] = []
        if self._random.random() < TITLED:
            title = self._tokens(self._material.passages[number].title.replace("_", " ") + " .").ids
        if number not in self._passages:
            self._passages[number] = self._tokens(self._material.passages[number].text)
        passage = self._passages[number]
        window = self._window(passage, LONGEST - len(asked) - len(title) - 3, answers)
        return pair(asked, title, passage, window, answers)

    def _window(self, passage: Tokens, room: int, answers: tuple[Span, ...]) -> range:
        """The tokens of a passage that is too long: about its first answer, at a random place, else the first."""
        length = len(passage.ids)
        if length <= room:
            return range(length)
        start = 0
        if answers:
            places = enumerate(passage.places)
            first = next(n for n, (_, end) in places if any(end > answer.start for answer in answers))
            earliest, latest = max(0, first - room + 30), min(first, length - room)
            start = self._random.randint(earliest, latest) if earliest <= latest else latest
        return range(start, start + room)

    def _tokens(self, text: str) -> Tokens:
        return tokens(self._tokenizer, text)
