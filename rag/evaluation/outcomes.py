"""What every single question came to: kept in a file, and two such files compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from rag.errors import InvalidRequest
from rag.evaluation.lines import records
from rag.evaluation.significance import randomisation_test

__all__ = [
    "Comparison",
    "Outcome",
    "Scores",
    "check_writable",
    "compare",
    "read_scores",
    "scores_of",
    "write_outcomes",
    "writing",
]

Scores = dict[str, dict[str, float]]  # by question id, then by measure

_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question: its scores and what was found (document ids, or quotes), each by setting."""

    id: str
    question: str
    scores: Mapping[str, Mapping[str, float]]
    found: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Means of a measure over the same questions in two settings, and the p of their difference."""

    measure: str
    before: float
    after: float
    questions: int
    p: float

    @property
    def noise(self) -> bool:
        """Whether chance alone makes such a difference more than once in twenty times."""
        return self.p >= _LEVEL


@contextmanager
def writing(option: str, path: Path) -> Iterator[None]:
    """A file that cannot be written is an InvalidRequest that names the option it was asked for by."""
    try:
        yield
    except OSError as error:
        message = f"{option}: {path} cannot be written ({error.strerror or error})"
        raise InvalidRequest(message, "name a place that is there, that you may write to and that has room") from error


def check_writable(option: str, path: Path) -> None:
    """Before a run of minutes: raises InvalidRequest if its outcomes could not be kept there."""
    with writing(option, path):
        new = not path.exists()
        if new or path.is_file():  # opening a pipe would end it for its reader
            path.open("a").close()
        if new:
            path.unlink()


def write_outcomes(path: Path, outcomes: Iterable[Outcome]) -> None:
    """One question a line: `{"id", "question", "scores": {setting: {measure: x}}, "found": {setting: [...]}}`."""
    with path.open("w", encoding="utf-8") as file:
        for outcome in outcomes:
            # In ASCII: a question may hold a lone surrogate, which has no UTF-8 form.
            file.write(json.dumps(asdict(outcome)) + "\n")


def scores_of(outcomes: Iterable[Outcome], setting: str) -> Scores:
    return {outcome.id: dict(outcome.scores[setting]) for outcome in outcomes}


def read_scores(name: str) -> Scores:
    """The scores of one setting in a file of outcomes: `FILE:SETTING`, or `FILE` for `hybrid` or the only one.

    Raises InvalidRequest.
    """
    path, setting = Path(name), ""
    if not path.is_file() and ":" in name:
        front, _, setting = name.rpartition(":")
        path = Path(front)
    rows = {str(record.get("id")): _checked(record, where) for where, record in records(path)}
    settings = list(next(iter(rows.values()), {}))
    if not setting:
        setting = "hybrid" if "hybrid" in settings or len(settings) != 1 else settings[0]
    if any(setting not in scores for scores in rows.values()) or not rows:
        raise InvalidRequest(f"{path} holds no scores of {setting!r}", f"it has {', '.join(settings) or 'nothing'}")
    return {id_: scores[setting] for id_, scores in rows.items()}


def _checked(record: dict[str, Any], where: str) -> dict[str, dict[str, float]]:
    scores = record.get("scores")
    if not isinstance(scores, dict) or not all(_are_scores(of) for of in scores.values()):
        raise InvalidRequest(f"{where} holds no scores", "give a file that --per-query wrote")
    return scores


def _are_scores(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(x, int | float) and not isinstance(x, bool) for x in value.values()
    )


def compare(before: Scores, after: Scores) -> list[Comparison]:
    """Every measure that both have, over the questions that both have it for, by a paired randomisation test.

    Raises InvalidRequest if there is no such question.
    """
    names = dict.fromkeys(name for scores in before.values() for name in scores)
    compared = []
    for name in names:
        shared = [id_ for id_ in before if name in before[id_] and name in after.get(id_, {})]
        if not shared:
            continue
        a, b = [before[id_][name] for id_ in shared], [after[id_][name] for id_ in shared]
        compared.append(Comparison(name, fmean(a), fmean(b), len(shared), randomisation_test(a, b)))
    if not compared:
        raise InvalidRequest("the two files share no question and measure", "compare runs over the same questions")
    return compared
