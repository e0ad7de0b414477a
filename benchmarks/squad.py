"""SQuAD as a library and questions: every paragraph is an article, questions come from held-out titles only.

The one place that says which questions may be measured with. What is learned on SQuAD (the weights of the
sentence scorer, the calibration) learns on the other titles, so that a figure on these is a figure on texts
whose questions nothing has seen. All paragraphs are in the library, learned on or not: they are what the
right one has to be found among.

The data stay where they are: `../shared/data/squad`, SQuAD v1.1 dev (Rajpurkar et al., 2016) and a v2-like
set with questions that their paragraph does not answer. CC BY-SA 4.0.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "squad"
V1, V2 = "dev-v1.1.json.gz", "dev-v2-like.json.gz"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph; `id` ("Super_Bowl_50-0") is its title and its number there, in the order of the file."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """One question about a paragraph. `answers` are distinct and stand in its text at `starts` (code points);
    both are empty where the paragraph does not answer it."""

    id: str
    question: str
    paragraph: Paragraph
    answers: tuple[str, ...]
    starts: tuple[int, ...]


def present() -> bool:
    return (FOLDER / V1).is_file()


@cache
def held_out() -> frozenset[str]:
    """The titles that nothing in this project learns from: every fifth of SQuAD v1.1 dev, by name."""
    return frozenset(sorted({paragraph.title for paragraph in paragraphs()})[::5])


@cache
def paragraphs() -> tuple[Paragraph, ...]:
    """All 2,067 paragraphs of SQuAD v1.1 dev."""
    return tuple(
        Paragraph(f"{article['title']}-{n}", article["title"], one["context"])
        for article in _read(V1)
        for n, one in enumerate(article["paragraphs"])
    )


def questions(*, held: bool = True) -> list[Case]:
    """The questions of SQuAD v1.1 dev, all answered: 2,968 of held-out titles, or the others."""
    return [asked for asked in _questions(V1) if (asked.paragraph.title in held_out()) is held]


def questions_with_unanswerable(*, held: bool = True) -> list[Case]:
    """The questions of the v2-like set, about as many of them unanswerable as not. Those of its few paragraphs
    that SQuAD v1.1 dev lacks are left out."""
    return [asked for asked in _questions(V2) if (asked.paragraph.title in held_out()) is held]


def sample(asked: Sequence[Case], count: int, *, seed: int = 4) -> list[Case]:
    """The same `count` of them every time, in the order of the file."""
    chosen = random.Random(seed).sample(range(len(asked)), min(count, len(asked)))
    return [asked[n] for n in sorted(chosen)]


def _questions(name: str) -> list[Case]:
    by_text = {paragraph.text: paragraph for paragraph in paragraphs()}
    found = []
    for article in _read(name):
        for one in article["paragraphs"]:
            paragraph = by_text.get(one["context"])
            if paragraph is not None:
                found += [_asked(qa, paragraph) for qa in one["qas"]]
    return found


def _asked(qa: dict[str, Any], paragraph: Paragraph) -> Case:
    places = {answer["text"]: answer["answer_start"] for answer in reversed(qa["answers"])}
    return Case(qa["id"], qa["question"].strip(), paragraph, tuple(places), tuple(places.values()))


def _read(name: str) -> list[dict[str, Any]]:
    with gzip.open(FOLDER / name, "rt", encoding="utf-8") as stream:
        data: list[dict[str, Any]] = json.load(stream)["data"]
        return data
