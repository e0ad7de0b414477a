"""`make eval`: the public sets measured and compared with the last figures, so that none gets worse unnoticed.

    .venv/bin/python -m benchmarks.gate [--write]

The last figures in `figures.json` hold the outcome of every single question, so that a paired test can tell
a drop from noise: a one-sided randomisation test (see rag/evaluation/significance.py) at the level of 0.01.
A drop beyond that is named and ends with status 1. `--write` keeps what was measured as the new figures.

The sets lie in `../shared/data`; those that are not there are skipped and named. SQuAD questions are of
held-out titles only (squad.py), samples are the same every time, and no language model is asked.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks import squad
from rag.cli import output as terminal
from rag.english.words import content_words
from rag.errors import RagError
from rag.evaluation.answers import AnswersRun, Case, Graded, evaluate_answers
from rag.evaluation.beir import CorpusDocument, read_collection
from rag.evaluation.confidence import placements, risk_coverage
from rag.evaluation.library import Step, throw_away_library
from rag.evaluation.retrieval import evaluate_retrieval
from rag.evaluation.significance import randomisation_test
from rag.settings import Settings, load_settings

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
FIGURES = Path(__file__).with_name("figures.json")

_LEVEL = 0.01
_SQUAD_QUESTIONS = 400
_OFF_TOPIC = ("fiqa", "cloud")  # money and one vendor's cloud services, which SQuAD's paragraphs are not about


@dataclass(frozen=True, slots=True)
class Measured:
    """One set: every measure's outcome for every question, higher is better; `others` are printed, not tested."""

    name: str
    questions: str  # a digest of which they are
    outcomes: dict[str, list[float]]
    others: dict[str, float] = field(default_factory=dict)


def digest(ids: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]


# What is measured


def scifact(settings: Settings, step: Step) -> list[Measured]:
    run = evaluate_retrieval(read_collection(DATA / "scifact"), settings, step)
    names = [("hybrid", "nDCG@10"), ("hybrid", "recall@10"), ("lexical", "nDCG@10"), ("dense", "nDCG@10")]
    outcomes = {f"{method} {name}": [o.scores[method][name] for o in run.outcomes] for method, name in names}
    return [Measured("SciFact", digest(o.id for o in run.outcomes), outcomes)]


def squad_and_off_topic(settings: Settings, step: Step) -> list[Measured]:
    """Three sets of questions on one library: answered ones, answered and unanswerable ones, and foreign ones."""
    with throw_away_library(settings) as library:
        documents = [CorpusDocument(p.id, p.title.replace("_", " "), p.text) for p in squad.paragraphs()]
        filled = library.fill(documents, step)
        article = {id_: article for article, ids in filled.behind.items() for id_ in ids}

        def run(cases: Sequence[Case]) -> AnswersRun:
            return evaluate_answers(cases, library.engine, "quotes", step)

        v1 = run([_case(a, article) for a in squad.sample(squad.questions(), _SQUAD_QUESTIONS)])
        v2 = run([_case(a, article) for a in squad.sample(squad.questions_with_unanswerable(), _SQUAD_QUESTIONS)])
        foreign = off_topic_questions()
        measured = [quoting(v1), declining("SQuAD v2-like", v2, v2)]
        if foreign:
            measured.append(declining("off-topic", run([Case(q, q) for q in foreign]), v1))
    return measured


def _case(asked: squad.Case, article: Mapping[str, str]) -> Case:
    # A short answer such as "two" stands in many paragraphs: only the one asked about counts.
    return Case(asked.id, asked.question, asked.answers, articles=frozenset({article[asked.paragraph.id]}))


def off_topic_questions() -> list[str]:
    """Questions about money and cloud services with at least four words of a topic; none if the set is absent."""
    path = DATA / "mtrag" / "tasks-half.jsonl.gz"
    if not path.is_file():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        asked = [row["user"]["text"] for row in map(json.loads, lines) if row["domain"] in _OFF_TOPIC]
    return [question for question in dict.fromkeys(asked) if len(content_words(question)) >= 4]


def quoting(run: AnswersRun) -> Measured:
    names = ("first_quote", "first_three_quotes")
    outcomes = {name.replace("_", " "): [g.scores()[name] for g in run.graded] for name in names}
    return Measured("SQuAD v1.1", digest(g.case.id for g in run.graded), outcomes)


def declining(name: str, run: AnswersRun, answerable: AnswersRun) -> Measured:
    """How well the unanswerable questions of a run are told from the answerable ones of this or another run."""
    no = [g for g in run.graded if not g.case.answers]
    yes = [g for g in answerable.graded if g.case.answers]
    outcomes = {"unanswerable declined": [float(g.declined) for g in no]}
    if answerable is run:
        outcomes["answerable answered"] = [float(not g.declined) for g in yes]
    others = {}
    sure_yes, sure_no = _confidences(yes), _confidences(no)
    if sure_yes and sure_no:
        # Of every unanswerable question, the share of answerable ones that the program is surer of.
        outcomes["AUROC of confidence"] = placements([-c for c in sure_no], [-c for c in sure_yes])
        if answerable is run:
            others["wrong first quotes at half coverage"] = _risk_at_half(run.graded)
    return Measured(name, digest(g.case.id for g in run.graded), outcomes, others)


def _confidences(graded: Sequence[Graded]) -> list[float]:
    """Of every answer, or none if one of them states none."""
    stated = [g.answer.confidence for g in graded if g.answer.confidence is not None]
    return stated if len(stated) == len(graded) else []


def _risk_at_half(graded: Sequence[Graded]) -> float:
    points = [(g.answer.confidence or 0.0, any(g.right[:1])) for g in graded if not g.declined]
    curve = risk_coverage(points, len(graded))
    return ([wrong for covered, wrong in curve if covered <= 0.5] or [1.0])[-1]


# What it is compared with


def verdicts(measured: Measured, last: Mapping[str, Any] | None) -> tuple[list[str], list[str]]:
    """A line for every measure, and the names of those that dropped beyond noise or cannot be compared."""
    lines, failed = [], []
    if last is not None and last["questions"] != measured.questions:
        failed.append(f"{measured.name}: the last figures are of other questions; --write keeps the new ones")
        last = None
    known = {} if last is None else last["outcomes"]
    for name in known.keys() - measured.outcomes.keys():
        failed.append(f"{measured.name}: {name} is measured no longer")
    for name, outcomes in measured.outcomes.items():
        now = fmean(outcomes)
        if name not in known:
            lines.append(f"{measured.name:16}{name:26}      - -> {now:.3f}  nothing to compare with")
            continue
        before, rounded = unpacked(known[name]), unpacked(packed(outcomes))
        p = randomisation_test(before, rounded, alternative="lower")
        dropped = p < _LEVEL
        said = "DROPPED" if dropped else "higher" if fmean(rounded) > fmean(before) else "kept"
        lines.append(f"{measured.name:16}{name:26}  {fmean(before):.3f} -> {now:.3f}  p = {p:.3g}  {said}")
        if dropped:
            failed.append(f"{measured.name}: {name} dropped from {fmean(before):.3f} to {now:.3f} (p = {p:.3g})")
    lines += [f"{measured.name:16}{name}: {value:.3f}" for name, value in measured.others.items()]
    return lines, failed


def packed(outcomes: Sequence[float]) -> str:
    """Outcomes on one line: as 0 and 1 side by side where they are nothing else, with blanks between otherwise."""
    if set(outcomes) <= {0.0, 1.0}:
        return "".join("1" if outcome else "0" for outcome in outcomes)
    return " ".join(f"{outcome:.4g}" for outcome in outcomes)


def unpacked(outcomes: str) -> list[float]:
    return [float(outcome) for outcome in (outcomes if set(outcomes) <= {"0", "1"} else outcomes.split())]


def as_figures(measured: Measured) -> dict[str, Any]:
    return {
        "questions": measured.questions,
        "means": {name: round(fmean(outcomes), 4) for name, outcomes in measured.outcomes.items()}
        | {name: round(value, 4) for name, value in measured.others.items()},
        "outcomes": {name: packed(outcomes) for name, outcomes in measured.outcomes.items()},
    }


def measure_all(settings: Settings) -> list[Measured]:
    """Everything whose data are there; what is skipped is said."""
    kinds: list[tuple[str, bool, Callable[[Settings, Step], list[Measured]]]] = [
        ("SciFact", (DATA / "scifact").is_dir(), scifact),
        ("SQuAD v1.1, SQuAD v2-like and off-topic", squad.present(), squad_and_off_topic),
    ]
    measured = []
    for name, present, run in kinds:
        if not present:
            print(f"SKIPPED {name}: no data in {DATA}")
            continue
        with terminal.steps() as step:
            measured += run(settings, step)
    if squad.present() and not off_topic_questions():
        print(f"SKIPPED off-topic: no mtrag in {DATA}")
    return measured


def main(arguments: Sequence[str], figures: Path = FIGURES) -> int:
    started = time.perf_counter()
    last = json.loads(figures.read_text(encoding="utf-8")) if figures.is_file() else {}
    measured = measure_all(load_settings())
    failed = []
    for one in measured:
        lines, worse = verdicts(one, last.get(one.name))
        print("\n".join(lines))
        failed += worse
    print(f"{time.perf_counter() - started:.0f} s")
    if "--write" in arguments:
        kept = {**last, **{one.name: as_figures(one) for one in measured}}
        figures.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        return 0
    for line in failed:
        print(f"FAILED {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except RagError as error:
        sys.exit(f"gate: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
