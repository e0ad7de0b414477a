"""Whether words that nobody asked for find what was asked for.

    .venv/bin/python -m benchmarks.expansion LIBRARY...

The libraries are those of `benchmarks/retrieval_sets.py`, the rest of retrieval is the product's as in
`benchmarks.retrieval`. Prints nDCG@10 of articles by way and set, with a star where the paired randomisation test
against the question as asked gives p < 0.05, and how many questions each way changed. Then the same questions with a
slip in their rarest name, typed so that the word stands nowhere in the library, and what respelling makes of them.
"""

from __future__ import annotations

import random
import re
import string
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import fmean

import numpy as np

from benchmarks.retrieval import Pool, asked, candidates, fed_back, ndcg, opened
from rag.english.words import WORD, content_words, fold, is_stop_word
from rag.evaluation.significance import randomisation_test
from rag.records import Filters
from rag.retrieval.lexical import Frequency, expression
from rag.retrieval.retriever import Retriever
from rag.retrieval.spelling import correct_spelling

Ask = Callable[[Retriever, str, set[str]], Pool]
Sets = dict[str, list[tuple[Retriever, list[tuple[str, set[str]]]]]]

# A country and the seat of its government, which news uses for it.
_LANDS = """
us usa america washington, uk britain london, eu brussels, iran tehran, iraq baghdad, israel jerusalem, oman muscat,
qatar doha, saudi riyadh, syria damascus, yemen sanaa, lebanon beirut, egypt cairo, turkey ankara, russia moscow,
ukraine kyiv kiev, china beijing, japan tokyo, korea seoul, india delhi, pakistan islamabad, afghanistan kabul,
france paris, germany berlin, italy rome, spain madrid
"""
LANDS = [line.split() for line in _LANDS.split(",")]

_COMMON = 10_000
_COMMON_SHARE = 0.1  # of the passages; a word in more of them is no word to expand with
_SHORTEST = 5  # letters of a name that is mistyped
_CHANCE = 0.05


def as_asked(retriever: Retriever, text: str, relevant: set[str]) -> Pool:
    return candidates(retriever, text, relevant, expression(text))


def as_held(retriever: Retriever, text: str, relevant: set[str]) -> Pool:
    return as_asked(retriever, correct_spelling(text, counting(retriever), retriever.library), relevant)


def with_aliases(retriever: Retriever, text: str, relevant: set[str]) -> Pool:
    """With the other names of a country, its people and its capital as further words."""
    named = {fold(match.group()) for match in WORD.finditer(text) if not is_stop_word(match.group())}
    others = [word for land in LANDS if named & set(land) for word in land if word not in named]
    phrase = " OR ".join([expression(text) or "", *(f'"{word}"' for word in others)])
    return candidates(retriever, text, relevant, phrase.removeprefix(" OR ") or None)


def relevance_model(weight: float, terms: int = 10, passages: int = 10) -> Ask:
    """RM3 (Abdul-Jaleel et al., "UMass at TREC 2004") on the side of the words: `weight` is that of the words of
    the best passages, the rest that of the question's."""

    def ask(retriever: Retriever, text: str, relevant: set[str]) -> Pool:
        library, phrase = retriever.library, expression(text)
        best = library.match(phrase, Filters(), passages) if phrase else []
        stored = library.passages([id_ for id_, _ in best])
        own, most = set(content_words(text)), library.counts()[1] * _COMMON_SHARE
        model: dict[str, float] = {}
        for id_, score in best:
            words = Counter(w for w in map(fold, WORD.findall(stored[id_][0].text)) if w.isalpha() and content_words(w))
            for word, times in words.items():
                model[word] = model.get(word, 0.0) + score * times / words.total()
        fresh = [word for word in sorted(model, key=lambda word: -model[word])[: 10 * terms] if word not in own]
        chosen = [word for word in fresh if library.frequency(word, _COMMON) < most][:terms]
        pool = candidates(retriever, text, relevant, " OR ".join([phrase or "", *(f'"{w}"' for w in chosen)]))
        total = sum(model[word] for word in chosen) or 1.0
        bm25 = library.scores(phrase, pool.ids) if phrase else {}
        for word in chosen:
            share = weight / (1 - weight) * len(own) * model[word] / total
            for id_, score in library.scores(f'"{word}"', pool.ids).items():
                bm25[id_] = bm25.get(id_, 0.0) + share * score
        return replace(pool, bm25=np.array([bm25.get(id_, 0.0) for id_ in pool.ids]))

    return ask


WAYS: dict[str, Ask] = {
    "as asked": as_asked,
    "correct_spelling": as_held,
    "names of lands": with_aliases,
    "RM3, 0.3": relevance_model(0.3),
    "RM3, 0.5": relevance_model(0.5),
}


def counting(retriever: Retriever) -> Frequency:
    return cache(lambda words: retriever.library.frequency(words, _COMMON))


def mistyped(text: str, frequency: Frequency) -> str | None:
    """The question with a slip in its rarest name; None if it has no name, or none that a slip makes unknown."""
    chance = random.Random(text)
    names = [m.group() for m in re.finditer(r"(?<=\w )[A-Z][a-z]+\b", text) if len(m.group()) >= _SHORTEST]
    names = [name for name in names if content_words(name) and frequency(fold(name))]
    if not names:
        return None
    name = min(names, key=lambda name: frequency(fold(name)))
    for _ in range(20):
        at, letter = chance.randrange(1, len(name)), chance.choice(string.ascii_lowercase)
        left, right = name[:at], name[at:]
        slip = chance.choice(
            [left + letter + right, left + right[1:], left + letter + right[1:], exchanged(left, right)]
        )
        if not frequency(slip):
            return re.sub(rf"\b{name}\b", slip, text)
    return None


def exchanged(left: str, right: str) -> str:
    return left[:-1] + right[0] + left[-1] + right[1:]


def line(label: str, results: dict[str, list[float]], reference: dict[str, list[float]], note: str = "") -> str:
    cells = [
        f"{fmean(result):.4f}{'*' if randomisation_test(reference[name], result) < _CHANCE else ' '} "
        for name, result in results.items()
    ]
    return f"{label:20} {fmean(map(fmean, results.values())):.4f} {' '.join(cells)} {note}"


def natural(sets: Sets) -> None:
    reference: dict[str, list[float]] = {}
    for label, way in WAYS.items():
        results = {name: run(way, homes) for name, homes in sets.items()}
        reference = reference or results
        changed = sum(
            before != after for name in sets for before, after in zip(reference[name], results[name], strict=True)
        )
        print(line(label, results, reference, f"{changed} changed"), flush=True)


def run(way: Ask, homes: Sequence[tuple[Retriever, list[tuple[str, set[str]]]]]) -> list[float]:
    pools = [way(retriever, text, relevant) for retriever, queries in homes for text, relevant in queries]
    return [ndcg(pool, fed_back(pool)) for pool in pools]


def with_slips(sets: Sets) -> None:
    typed: Sets = {}
    meant: Sets = {}
    restored = total = 0
    for name, homes in sets.items():
        for retriever, queries in homes:
            frequency = counting(retriever)
            pairs = [(text, slip, found) for text, found in queries if (slip := mistyped(text, frequency))]
            meant.setdefault(name, []).append((retriever, [(text, found) for text, _, found in pairs]))
            typed.setdefault(name, []).append((retriever, [(slip, found) for _, slip, found in pairs]))
            total += len(pairs)
            restored += sum(
                fold(correct_spelling(slip, frequency, retriever.library)) == fold(text) for text, slip, _ in pairs
            )
    print(f"{total} questions with a slip, {restored} of them correct_spelling as they were meant")
    reference = {name: run(as_asked, homes) for name, homes in typed.items()}
    print(line("with the slip", reference, reference))
    print(line("correct_spelling", {name: run(as_held, homes) for name, homes in typed.items()}, reference))
    print(line("as it was meant", {name: run(as_asked, homes) for name, homes in meant.items()}, reference))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    libraries: Sets = {}
    for home in map(Path, sys.argv[1:]):
        libraries.setdefault(home.name.partition("-")[0], []).append((opened(home), asked(home)))
    print(f"{'':20} mean   {' '.join(f'{name:8}' for name in libraries)}")
    natural(libraries)
    with_slips(libraries)
