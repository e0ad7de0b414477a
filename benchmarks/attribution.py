"""How well the measure of support tells supported claims from unsupported ones.

    .venv/bin/python -m benchmarks.attribution ../shared/data/attribution/attributionbench-dev.jsonl.gz [CACHE]

The file holds claims with references, labelled attributable or not (AttributionBench, development half).
Prints balanced accuracy and macro-F1 with five folds that keep the claims of one question together
(mean and deviation over ten ways to fold), and with each source data set left out in turn; weights and
the threshold of 0.5 are never fitted on what is scored. Then the share of doubted claims that are in fact
not attributable, by threshold, and the weights of a fit on all rows, for rag/answering/support.py.
CACHE is a folder for the encoder's graph and defaults to that of RAG_HOME.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.logistic import Array, fitted
from rag.answering.checking.support import FEATURES, features, texts_compared
from rag.models.local_encoder import LocalEncoder, default_weights
from rag.records import Article, Evidence, Hit, Passage, UncitedClaim
from rag.settings import Settings

FOLDS, WAYS = 5, 10
_MARKER = re.compile(r"\s*\[\d+\]")
BASELINE = [FEATURES.index("coverage"), FEATURES.index("number missing")]


def finding_of(row: dict[str, Any]) -> UncitedClaim:
    """The claim of a row with all of its references as quotes, each an article without title or date."""
    evidence = []
    for n, text in enumerate(row["references"]):
        passage = Passage(f"{n}-0", str(n), 1, 0, 0, len(text), text)
        evidence.append(Evidence(Hit(passage, Article(str(n), 1, "", text), 1.0), 0, len(text)))
    return UncitedClaim(_MARKER.sub("", row["claim"]), tuple(evidence))


def measured(rows: Sequence[dict[str, Any]], encoder: LocalEncoder) -> Array:
    """Features of every row, shape (rows, features)."""
    findings = [finding_of(row) for row in rows]
    compared = [texts_compared(finding) for finding in findings]
    texts = list(dict.fromkeys(text for texts in compared for text in texts))
    started = time.perf_counter()
    place = {text: index for index, text in enumerate(texts)}
    vectors = encoder.encode(texts)
    print(f"{len(texts)} texts encoded in {time.perf_counter() - started:.0f} s")
    found = [
        features(finding, vectors[[place[text] for text in texts]])
        for finding, texts in zip(findings, compared, strict=True)
    ]
    return np.stack(found)


def held_out(x: Array, y: Array, groups: Sequence[object]) -> Array:
    """For every row the probability by a model that has seen no row of its group."""
    scores = np.zeros(len(y))
    kept = np.array([str(group) for group in groups])
    for group in np.unique(kept):
        test = kept == group
        weights = fitted(x[~test], y[~test])
        scores[test] = 1 / (1 + np.exp(-np.column_stack([x[test], np.ones(test.sum())]) @ weights))
    return scores


def balanced_accuracy(y: Array, predicted: Array) -> float:
    return float(np.mean([(predicted[y == label] == label).mean() for label in (0, 1)]))


def macro_f1(y: Array, predicted: Array) -> float:
    both = [((predicted == c) & (y == c)).sum() for c in (0, 1)]
    either = [(predicted == c).sum() + (y == c).sum() for c in (0, 1)]
    return float(np.mean([2 * b / max(e, 1) for b, e in zip(both, either, strict=True)]))


def folds(questions: Sequence[str], way: int) -> list[int]:
    return [int(hashlib.sha256(f"{way} {q}".encode()).hexdigest(), 16) % FOLDS for q in questions]


def report(name: str, y: Array, scores: Sequence[Array]) -> None:
    accuracy = [balanced_accuracy(y, (s > 0.5).astype(float)) for s in scores]
    f1 = [macro_f1(y, (s > 0.5).astype(float)) for s in scores]
    print(f"{name}: balanced accuracy {np.mean(accuracy):.3f}, macro-F1 {np.mean(f1):.3f} (sd {np.std(f1):.3f})")


def main(file: str, cache: str | None = None) -> None:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    encoder = LocalEncoder(default_weights(), Path(cache) if cache else Settings().rag_home / "models")
    x = measured(rows, encoder)
    y = np.array([float(row["attribution_label"] == "attributable") for row in rows])
    questions, sources = [row["question"] for row in rows], [row["src_dataset"] for row in rows]

    by_question = [held_out(x, y, folds(questions, way)) for way in range(WAYS)]
    report("word coverage and missing numbers alone", y, [held_out(x[:, BASELINE], y, folds(questions, 0))])
    report(f"{FOLDS} folds by question", y, by_question)
    by_source = held_out(x, y, sources)
    report("each data set left out", y, [by_source])
    for source in sorted(set(sources)):
        part = np.array([s == source for s in sources])
        report(f"  {source}, the others fitted", y[part], [by_source[part]])
    for threshold in (0.1, 0.15, 0.2, 0.25, 0.3):
        doubted = [s < threshold for s in by_question]
        precision = np.mean([(y[d] == 0).mean() for d in doubted])
        found = np.mean([d[y == 0].mean() for d in doubted])
        wrongly = np.mean([d[y == 1].mean() for d in doubted])
        print(f"doubted below {threshold}: {precision:.0%} rightly; {found:.1%} of the bad, {wrongly:.1%} of the good")
    print("WEIGHTS =", tuple(round(float(w), 3) for w in fitted(x, y)))


if __name__ == "__main__":
    main(*sys.argv[1:])
