"""News for the reader: three public sets of questions with reports that disagree, parted by topic.

EvoTemp and NewsPolluted (Ouyang et al., 2025) and RAMDocs (Wang et al., 2025) in `../shared/data/conflict`; MIT.
A topic is all questions that share a report, or half of their words, or a word and an answer. Every second topic
with a question of EvoTemp is held out, whole: nothing in this project learns to read on it, and
`benchmarks.learn_quoting` asks it.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from benchmarks import squad
from rag.text.words import content_words, stem

FOLDER = squad.FOLDER.parent / "conflict"
_ALIKE = 0.5  # of the content words of two questions
_MARK = "Low credibility of text: "
_SQUEEZED = 150  # letters and digits by which a report is known again


@dataclass(frozen=True, slots=True)
class Report:
    """What one report says. `answers` are the strings that answer the question in it, right or wrong; empty where
    none is marked in it, though it may answer in other words."""

    title: str
    text: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class News:
    """A question and the reports collected for it. `topic` is the lowest id among questions of its topic."""

    id: str
    question: str
    topic: str
    reports: tuple[Report, ...]


def present() -> bool:
    return (FOLDER / "EvoTemp.json.gz").is_file()


def training() -> list[News]:
    """The questions of topics that are not held out."""
    return [one for one in everything() if one.topic not in held_out()]


@cache
def held_out() -> frozenset[str]:
    """Every second topic that holds a question of EvoTemp."""
    return frozenset(sorted({one.topic for one in everything() if one.id.startswith("EvoTemp")})[::2])


def topic_of(id_: str) -> str:
    """Of a question by its id, such as "EvoTemp-12"."""
    return _topics()[id_]


@cache
def _topics() -> dict[str, str]:
    return {one.id: one.topic for one in everything()}


@cache
def everything() -> tuple[News, ...]:
    """The 990 questions of the three sets."""
    found = [*_evotemp(), *_polluted(), *_ramdocs()]
    topics = _parted(found)
    return tuple(News(one.id, one.question, topics[one.id], one.reports) for one in found)


def _evotemp() -> Iterator[News]:
    for row in json.loads(_read("EvoTemp.json.gz")):
        answers = strings(row["answers"] or [])
        reports = [_report(doc["text"], answers) for doc in row["docs"] if doc["text"]]
        yield News(f"EvoTemp-{row['id']}", row["question"], "", tuple(reports))


def _polluted() -> Iterator[News]:
    """Without the reports made up: which of their names they mean as an answer is not marked."""
    for row in json.loads(_read("NewsPolluted-half.json.gz")):
        reports = [_report(doc["text"], [row["answer"]]) for doc in row["docs"] if doc["cred"] == "high"]
        yield News(f"NewsPolluted-{row['id']}", row["question"], "", tuple(reports))


def _ramdocs() -> Iterator[News]:
    """With the wrong answers: a reader says what a report says, true or not."""
    for number, line in enumerate(_read("RAMDocs-half.jsonl.gz").splitlines()):
        row = json.loads(line)
        reports = [_report(doc["text"], [doc["answer"]]) for doc in row["documents"] if doc["text"]]
        yield News(f"RAMDocs-{number}", row["question"], "", tuple(reports))


def _read(name: str) -> str:
    with gzip.open(FOLDER / name, "rt", encoding="utf-8") as stream:
        return stream.read()


def strings(answers: Iterable[Any]) -> list[str]:
    """Some of EvoTemp's answers stand alone, some as a list of ways to say it."""
    told = [form for answer in answers for form in (answer if isinstance(answer, list) else [answer])]
    return [form.strip() for form in told if form and form.strip()]


def _report(text: str, answers: Iterable[str]) -> Report:
    """The first line is the title where others follow, as `benchmarks.learn_quoting` has it."""
    title, _, body = text.partition("\n")
    body = body.strip()
    held = [answer for answer in answers if places(body or title, answer)]
    return Report(title if body else "", body or title, tuple(held))


def places(text: str, answer: str) -> list[tuple[int, int]]:
    """Where an answer stands as whole words, whatever its case."""
    found = re.finditer(rf"(?<!\w){re.escape(answer)}(?!\w)", text, re.IGNORECASE)
    return [match.span() for match in found]


def _parted(news: list[News]) -> dict[str, str]:
    """The topic of each question by its id."""
    first = {one.id: one.id for one in news}

    def root(id_: str) -> str:
        while first[id_] != id_:
            id_ = first[id_]
        return id_

    for one, other in _related(news):
        low, high = sorted((root(one), root(other)))
        first[high] = low
    return {one.id: root(one.id) for one in news}


def _related(news: list[News]) -> Iterator[tuple[str, str]]:
    words = {one.id: frozenset(map(stem, content_words(one.question))) for one in news}
    holders: defaultdict[str, list[str]] = defaultdict(list)
    for one in news:
        for report in one.reports:
            known = "".join(re.findall(r"\w+", report.title + report.text)).lower()
            holders[known[:_SQUEEZED]].append(one.id)
    for same in holders.values():
        yield from ((same[0], other) for other in same[1:])
    answers = {one.id: frozenset(a.casefold() for report in one.reports for a in report.answers) for one in news}
    for number, one in enumerate(news):
        for other in news[number + 1 :]:
            common, either = words[one.id] & words[other.id], words[one.id] | words[other.id]
            told = any(len(answer) > 4 for answer in answers[one.id] & answers[other.id])
            if len(common) >= _ALIKE * len(either) or (common and told):
                yield one.id, other.id
