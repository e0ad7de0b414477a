"""What becomes of mistyped questions, and of names that only look mistyped.

    .venv/bin/python -m benchmarks.typing_slips DATA [FOLDER]

DATA is the folder of the public sets, FOLDER keeps the two libraries between runs: all paragraphs of SQuAD v1.1 dev,
and the news of EvoTemp (see `learn_quoting.py`). Three kinds of questions are asked of them in quotes mode:

    as it is      those that the library answers, those that it does not (SQuAD's unanswerable ones, those off topic,
                  those about missing articles)
    with a slip   the same with a slip in a word of six letters or more: one left out, typed twice, with or by the
                  key beside it, or exchanged with the next, each as often
    another name  an answered question with a name in place of which stands a real one, of Reuters, BBC or Wikipedia,
                  that is one letter away and stands nowhere in the library; a few of these are slips themselves

Prints for each the share whose first quote is right and the share declined, with the question as it is typed and as
the product respells it.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from benchmarks import squad
from benchmarks.gate import off_topic_questions
from benchmarks.learn_quoting import news_set
from rag.answering.pipeline import AnswerPipeline
from rag.engine import LocalEngine
from rag.english.words import fold, is_stop_word
from rag.evaluation.matching import holds
from rag.records import Document, Done, Question, Quote
from rag.retrieval.retriever import Retriever
from rag.retrieval.spelling import is_one_slip
from rag.settings import Settings
from rag.wiring import connect

Right = Callable[[Quote], bool]

_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SHORTEST = 6  # letters of a word that is mistyped, or of another name
_SQUAD_QUESTIONS = 400
_UNANSWERABLE = 300
_NAMES = 250
_NEWS = ("news/reuters21578.jsonl.gz", "news/bbc.jsonl.gz", "mtrag/passages-clapnq.jsonl.gz")


@dataclass(frozen=True, slots=True)
class Case:
    kind: str
    question: str
    right: Right


@dataclass(frozen=True, slots=True)
class Outcome:
    right: bool
    declined: bool


class AsTyped(Retriever):
    """Leaves the question as it is typed."""

    __slots__ = ()

    def correct_spelling(self, query: str) -> str:
        return query


# Questions


def squad_set() -> tuple[list[Document], list[Case]]:
    drafts = [Document(p.text, p.title.replace("_", " "), f"id:{p.id}", id=p.id) for p in squad.paragraphs()]
    asked = [Case("answered", q.question, _from(q)) for q in squad.sample(squad.questions(), _SQUAD_QUESTIONS)]
    without = [q for q in squad.questions_with_unanswerable() if not q.answers]
    asked += [Case("unanswerable", q.question, _never) for q in squad.sample(without, _UNANSWERABLE)]
    return drafts, [*asked, *(Case("off topic", question, _never) for question in off_topic_questions())]


def evotemp_set() -> tuple[list[Document], list[Case]]:
    drafts, asked = news_set()
    found = []
    for one in asked:
        # `answers` is a partial of the expected words, which any quote may hold.
        words: Sequence[str] = getattr(one.answers, "args", ((),))[0]
        kind = "answered" if one.kind == "answerable" else "missing articles"
        found.append(Case(kind, one.question, _holding(words)))
    return drafts, found


def _never(_: Quote) -> bool:
    return False


def _from(asked: squad.Case) -> Right:
    return lambda quote: quote.article_id == asked.paragraph.id and any(holds(quote.text, a) for a in asked.answers)


def _holding(words: Sequence[str]) -> Right:
    return lambda quote: any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", quote.text.casefold()) for word in words)


def mistyped(question: str) -> str | None:
    """The question with a slip in one of its longer words, the same every time; None if it has none."""
    chance = random.Random(question)
    words = [m for m in re.finditer(rf"[A-Za-z]{{{_SHORTEST},}}", question) if not is_stop_word(m.group())]
    if not words:
        return None
    word = chance.choice(words)
    while fold(slipped := _slip(word.group(), chance)) == fold(word.group()):
        pass
    return question[: word.start()] + slipped + question[word.end() :]


def _slip(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word) - 1)
    before, letter, after = word[:at], word[at].lower(), word[at + 1 :]
    beside = chance.choice(_beside(letter))
    slips = [after, letter * 2 + after, letter + beside + after, beside + after, after[0] + letter + after[1:]]
    slipped = before + chance.choice(slips)
    return slipped[0].upper() + slipped[1:] if word[0].isupper() else slipped


def _beside(letter: str) -> list[str]:
    places = {key: (row, column) for row, keys in enumerate(_KEYS) for column, key in enumerate(keys)}
    row, column = places[letter]
    return [key for key, (r, c) in places.items() if key != letter and abs(r - row) <= 1 and abs(c - column) <= 1]


def with_other_names(asked: Sequence[Case], names: Sequence[str], retriever: Retriever) -> Iterator[Case]:
    """Answered questions with another name, which the library lacks, in place of one that it has."""
    alike: dict[str, list[str]] = {}
    for name in names:
        for part in _parts(name):
            alike.setdefault(part, []).append(name)
    for one in asked:
        pairs = []
        for match in re.finditer(r"(?<=\w )[A-Z][a-z]{4,}\b", one.question):
            near = {name for part in _parts(match.group()) for name in alike.get(part, ())}
            if retriever.library.frequency(fold(match.group()), 1):
                pairs += [(match, n) for n in sorted(near) if _is_other(match.group(), n, retriever)]
        if pairs:
            match, name = random.Random(one.question).choice(pairs)
            question = one.question[: match.start()] + name + one.question[match.end() :]
            yield Case("another name", question, _never)


def _is_other(name: str, other: str, retriever: Retriever) -> bool:
    one, two = fold(name), fold(other)
    return one != two and is_one_slip(one, two) and not retriever.library.frequency(two, 1)


def _parts(word: str) -> set[str]:
    return {word.lower()[at : at + 3] for at in range(len(word) - 2)}


def names_of(data: Path) -> list[str]:
    """Words of news and of Wikipedia that have a capital within sentences, at least twice, and are seldom small."""
    capital: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for path in _NEWS:
        with gzip.open(data / path, "rt", encoding="utf-8") as lines:
            for line in lines:
                text = json.loads(line)["text"]
                capital.update(re.findall(rf"(?<=[a-z,] )[A-Z][a-z]{{{_SHORTEST - 1},}}\b", text))
                small.update(re.findall(r"\b[a-z]{5,}\b", text))
    return sorted(name for name, count in capital.items() if count > 1 and small[name.lower()] <= count // 10)


# Asking


def opened(folder: Path, drafts: Sequence[Document]) -> LocalEngine:
    engine = connect(Settings(rag_home=folder))
    assert isinstance(engine, LocalEngine)  # nobody else holds the folder
    if not engine.count():
        for start in range(0, len(drafts), 128):
            engine.store(drafts[start : start + 128])
    return engine


def outcome(pipeline: AnswerPipeline, question: str, right: Right) -> Outcome:
    *_, last = pipeline.answer(Question(question, mode="quotes"))
    assert isinstance(last, Done)  # the contract of AnswerPipeline.answer
    quotes = [quote for claim in last.answer.claims for quote in claim.quotes]
    return Outcome(bool(quotes) and right(quotes[0]), last.answer.verdict == "no_evidence")


def report(label: str, pipeline: AnswerPipeline, asked: Sequence[Case]) -> None:
    retriever = pipeline.retriever
    plain = replace(pipeline, retriever=AsTyped(retriever.library, retriever.projection, retriever.encode))
    pairs, changed = [], 0
    for one in asked:
        typed = outcome(plain, one.question, one.right)
        is_changed = retriever.correct_spelling(one.question) != one.question
        changed += is_changed
        pairs.append((typed, outcome(pipeline, one.question, one.right) if is_changed else typed))
    cells = [fmean(getattr(pair[way], name) for pair in pairs) for name in ("right", "declined") for way in (0, 1)]
    print(f"{label:36} {len(asked):4} {changed:4}   " + "   ".join(f"{cell:.3f}" for cell in cells), flush=True)


def main(data: Path, folder: Path) -> None:
    names = names_of(data)
    print(f"{'':36} asked, respelled; first quote right: typed, respelled; declined: typed, respelled")
    for name, (drafts, asked) in (("squad", squad_set()), ("news", evotemp_set())):
        engine = opened(folder / name, drafts)
        for kind in dict.fromkeys(one.kind for one in asked):
            own = [one for one in asked if one.kind == kind]
            report(f"{name}, {kind}", engine.pipeline, own)
            slips = [replace(one, question=slip) for one in own if (slip := mistyped(one.question))]
            report(f"{name}, {kind}, with a slip", engine.pipeline, slips)
        source = asked if name == "news" else [Case("answered", q.question, _never) for q in squad.questions()]
        others = with_other_names([one for one in source if one.kind == "answered"], names, engine.retriever)
        report(f"{name}, another name", engine.pipeline, [one for one, _ in zip(others, range(_NAMES), strict=False)])
        engine.close()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) == 3 else temporary))
