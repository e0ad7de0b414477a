"""Learns how likely a sentence is to answer a question, and reports what that is worth.

    .venv/bin/python -m benchmarks.learn_quoting [FOLDER] [--questions 800] [--write]

Two libraries: all paragraphs of SQuAD v1.1 dev, asked its questions of held-out titles (see `squad.py`: the
reader has seen neither them nor their paragraphs' questions), a like number that their paragraph does not
answer, and questions of MTRAG that are off every topic there; and the news articles of four fifths of
EvoTemp (Ouyang et al., 2025), asked the questions about them and those about the articles that are not
there. What was measured of each candidate sentence goes into a logistic regression, in five folds by title
or question: nothing is scored by weights that have seen its group.

Prints, for each library, the share of first quotes that are right (SQuAD: the sentence in which the answer
stands; news: one that holds the answer) and the share with a right one in the first three, beside the
encoder alone on the same passages; and for declining, the error over the questions that the program is
surest of (area under the risk-coverage curve, and at half of the questions; an answer to a question without
one is an error), beside the encoder's similarity. `--write` fits on all and writes the table into the
package. FOLDER keeps the libraries and the measurements between runs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import pickle
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks import squad
from benchmarks.logistic import Array, fitted
from rag.answering import reading as scoring
from rag.answering.candidates import Candidate
from rag.answering.features import FEATURES
from rag.engine import LocalEngine
from rag.evaluation.confidence import auroc
from rag.records import Document
from rag.settings import Settings
from rag.wiring import connect

FOLDS = 5
MTRAG = squad.FOLDER.parent / "mtrag" / "tasks-half.jsonl.gz"
EVOTEMP = squad.FOLDER.parent / "conflict" / "EvoTemp.json.gz"
# The gate measures with the other domains.
OFF_TOPIC = ("govt", "clapnq")

Kind = Literal["answerable", "unanswerable", "off topic"]


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and which candidate sentences answer it. Questions of one group stay in one fold."""

    group: str
    kind: Kind
    question: str
    answers: Callable[[Candidate], bool] = lambda _: False


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one question's candidates, and which of them are right."""

    group: str
    kind: Kind
    features: Array
    similarity: Array  # cosine of question and sentence, for comparison
    right: NDArray[np.bool_]


def squad_set(count: int) -> tuple[list[Document], list[Case]]:
    """All paragraphs; `count` questions with an answer, as many without, and the off-topic ones."""
    drafts = [Document(p.text, p.title.replace("_", " "), f"id:{p.id}", id=p.id) for p in squad.paragraphs()]
    answerable = squad.sample(squad.questions(), count)
    without = squad.sample([q for q in squad.questions_with_unanswerable() if not q.answers], count)
    asked = [Case(q.paragraph.title, "answerable", q.question, partial(_holds_place, q)) for q in answerable]
    asked += [Case(q.paragraph.title, "unanswerable", q.question) for q in without]
    with gzip.open(MTRAG, "rt", encoding="utf-8") as lines:
        tasks = [json.loads(line) for line in lines]
    asked += [
        Case(task["conversation_id"], "off topic", task["user"]["text"])
        for task in tasks
        if task["domain"] in OFF_TOPIC and len(task["user"]["text"].split()) > 4
    ]
    return drafts, asked


def news_set() -> tuple[list[Document], list[Case]]:
    """The articles of four in five questions. The fifth question's are missing, so that nothing answers it."""
    with gzip.open(EVOTEMP, "rt", encoding="utf-8") as file:
        rows = json.load(file)
    drafts, asked = [], []
    for row in rows:
        # Some answers stand alone, some as a list of ways to say it.
        told = [form for answer in row["answers"] or [] for form in (answer if isinstance(answer, list) else [answer])]
        answers = [form.strip().casefold() for form in told if form and form.strip()]
        docs = [doc for doc in row["docs"] if doc["text"]]
        if not any(answer in doc["text"].casefold() for answer in answers for doc in docs):
            continue
        if row["id"] % 5 == 0:
            asked.append(Case(str(row["id"]), "off topic", row["question"]))
            continue
        asked.append(Case(str(row["id"]), "answerable", row["question"], partial(_holds_words, answers)))
        for doc in docs:
            title, _, text = doc["text"].partition("\n")
            source = f"id:{row['id']}-{doc['id']}"
            day = str(doc["date"]).replace("/", "-")  # some say "1 month ago", some nothing
            published = day if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else None
            drafts.append(Document(text.strip() or title, title, source, published=published))
    return drafts, asked


def _holds_place(source: squad.Case, candidate: Candidate) -> bool:
    span = candidate.span
    return candidate.hit.article.id == source.paragraph.id and any(span.start <= at < span.end for at in source.starts)


def _holds_words(answers: Sequence[str], candidate: Candidate) -> bool:
    text = candidate.text.casefold()
    return any(re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text) for answer in answers)


def measured(folder: Path, drafts: Sequence[Document], asked: Sequence[Case]) -> list[Row]:
    """Every question asked of a library of the drafts, through the product's own parts."""
    engine = connect(Settings(rag_home=folder))
    assert isinstance(engine, LocalEngine)  # nobody else holds the folder
    if not engine.count():
        for start in range(0, len(drafts), 128):
            engine.store(drafts[start : start + 128])
    quoter = engine.pipeline.reader
    rows = []
    for number, one in enumerate(asked):
        found = quoter.features(one.question, engine.retriever.retrieve(one.question))
        right = np.array([one.answers(candidate) for candidate in found.candidates], bool)
        question, *texts = engine.pipeline.encode([one.question, *(c.text for c in found.candidates)])
        similarity = np.array([vector @ question for vector in texts])
        rows.append(Row(one.group, one.kind, found.features, similarity, right))
        if number % 250 == 0:
            print(f"{folder.name}: {number} of {len(asked)} questions", file=sys.stderr, flush=True)
    engine.close()
    return rows


def learned(rows: Sequence[Row]) -> Array:
    """Weights over all candidates, the constant last."""
    return fitted(np.concatenate([r.features for r in rows]), np.concatenate([r.right for r in rows]).astype(float))


def held_out(rows: Sequence[Row]) -> list[Array]:
    """The probabilities of every row's candidates by weights that have seen no row of its group."""
    groups = sorted({row.group for row in rows})
    fold = {group: n % FOLDS for n, group in enumerate(groups)}
    found: list[Array] = [np.empty(0)] * len(rows)
    for number in range(FOLDS):
        weights = learned([row for row in rows if fold[row.group] != number and len(row.features)])
        for n, row in enumerate(rows):
            if fold[row.group] == number:
                found[n] = 1 / (1 + np.exp(-(row.features @ weights[:-1] + weights[-1])))
    return found


def quoting(name: str, rows: Sequence[Row], scores: Sequence[Array]) -> None:
    """Shares of the answerable questions whose best candidates are right."""
    first, three = [], []
    for row, score in zip(rows, scores, strict=True):
        if row.kind == "answerable":
            best = np.argsort(-score)[:3]
            first.append(row.right[best[:1]].any())
            three.append(row.right[best].any())
    print(f"{name}: first right {np.mean(first):.3f}, one of three {np.mean(three):.3f} ({len(first)} questions)")


def declining(name: str, rows: Sequence[Row], scores: Sequence[Array]) -> None:
    """How well the score of the best candidate tells right answers from wrong ones and from what has none."""
    best = np.array([score.max(initial=0.0) for score in scores])
    right = np.array([bool(len(s)) and bool(row.right[s.argmax()]) for row, s in zip(rows, scores, strict=True)])
    kinds = np.array([row.kind for row in rows])
    known = kinds != "off topic"
    order = np.argsort(-best[known], kind="stable")
    risk = np.cumsum(~right[known][order]) / np.arange(1, known.sum() + 1)
    areas = {
        kind: round(auroc(best[kinds == "answerable"], best[kinds == kind]), 3)
        for kind in ("unanswerable", "off topic")
        if (kinds == kind).any()
    }
    print(
        f"{name}: area under the risk-coverage curve {risk.mean():.3f}, error at half coverage "
        f"{risk[len(risk) // 2 - 1]:.3f}; AUROC of answerable against {areas}"
    )


def calibration(rows: Sequence[Row], scores: Sequence[Array]) -> None:
    """For thresholds of the best score: what is answered, how much of that rightly, what is declined."""
    print("threshold  answered  of them right  unanswerable declined  off topic declined")
    best = np.array([score.max(initial=0.0) for score in scores])
    right = np.array([bool(len(s)) and bool(row.right[s.argmax()]) for row, s in zip(rows, scores, strict=True)])
    kinds = np.array([row.kind for row in rows])
    for threshold in (0.02, 0.04, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5):
        able, none, foreign = (best[kinds == kind] for kind in ("answerable", "unanswerable", "off topic"))
        kept = (kinds == "answerable") & (best >= threshold)
        shares = [(group < threshold).mean() if len(group) else math.nan for group in (none, foreign)]
        print(
            f"{threshold:9.2f}  {(able >= threshold).mean():8.3f}  {right[kept].mean():13.3f}  "
            f"{shares[0]:21.3f}  {shares[1]:18.3f}"
        )


def measured_sets(folder: Path, count: int) -> dict[str, list[Row]]:
    """The rows of both libraries, measured once for each folder and count."""
    kept = folder / f"measured-{count}.pickle"
    if not kept.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        sets = {"squad": squad_set(count), "news": news_set()}
        rows = {name: measured(folder / name, drafts, asked) for name, (drafts, asked) in sets.items()}
        kept.write_bytes(pickle.dumps(rows))
    found: dict[str, list[Row]] = pickle.loads(kept.read_bytes())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--questions", type=int, default=800)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        sets = measured_sets(options.folder or Path(scratch), options.questions)
    rows = [row for part in sets.values() for row in part]
    scores = iter(held_out(rows))
    for name, part in sets.items():
        own = [next(scores) for _ in part]
        similarity = [row.similarity for row in part]
        print(f"\n{name}")
        quoting("the encoder alone", part, similarity)
        quoting("five folds", part, own)
        declining("the encoder alone", part, similarity)
        declining("five folds", part, own)
        calibration(part, own)
    weights = learned([row for row in rows if len(row.features)])
    table = dict(zip([*FEATURES, "constant"], (round(float(w), 4) for w in weights), strict=True))
    print(json.dumps(table, indent=1))
    if options.write:
        path = Path(scoring.__file__).with_name(scoring.WEIGHTS_FILE)
        path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
