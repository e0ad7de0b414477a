"""What an answers run teaches: figures, curves and the worst questions, ready to be written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rag.evaluation.answers import AnswersRun, Graded
from rag.evaluation.confidence import Bin, auroc, calibration_error, reliability, risk_coverage

__all__ = ["Findings", "Mishap", "Mishaps", "find"]

_MOST = 20
_LONGEST = 300
BINS = 10


@dataclass(frozen=True, slots=True)
class Mishap:
    """A question that went wrong, what was expected, and what was quoted instead."""

    question: str
    expected: str
    quoted: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Mishaps:
    """Mishaps of one kind: the surest first, at most twenty of `count`."""

    name: str
    count: int
    shown: tuple[Mishap, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """`risk`, `bins` and `spread` are empty where the answers state no confidence, or nothing was answered.

    `spread` holds the shares of answerable and of unanswerable questions in ten equal ranges of confidence.
    """

    figures: tuple[tuple[str, str], ...]
    risk: tuple[tuple[float, float], ...]
    bins: tuple[Bin, ...]
    spread: tuple[tuple[str, tuple[float, ...]], ...]
    mishaps: tuple[Mishaps, ...]
    stated: bool  # whether the answers state a confidence


def find(run: AnswersRun) -> Findings:
    """An answer is right here if its first quote holds an expected string."""
    sure = [(g, g.answer.confidence) for g in run.graded if g.answer.confidence is not None]
    points = [(c, any(g.right[:1])) for g, c in sure if not g.declined]
    answerable = [c for g, c in sure if g.case.answers]
    unanswerable = [c for g, c in sure if not g.case.answers]
    risk = risk_coverage(points, len(run.graded))
    figures = _figures(run)
    if points:
        covered = [wrong for share, wrong in risk if share <= 0.5]
        figures.append(("wrong at half coverage (or what is reached of it)", f"{(covered or [risk[0][1]])[-1]:.3f}"))
        figures.append(("calibration error of the answers shown", f"{calibration_error(points):.3f}"))
    if answerable and unanswerable:
        figures.append(("answerable from unanswerable, AUROC", f"{auroc(answerable, unanswerable):.3f}"))
    spread = (("answerable", _shares(answerable)), ("unanswerable", _shares(unanswerable)))
    return Findings(
        figures=tuple(figures),
        risk=tuple(risk),
        bins=tuple(reliability(points)),
        spread=tuple((name, shares) for name, shares in spread if shares),
        mishaps=_mishaps(run),
        stated=bool(sure),
    )


def _figures(run: AnswersRun) -> list[tuple[str, str]]:
    names = {
        "questions": "questions",
        "answerable": "answerable",
        "first_quote": "first quote right",
        "first_three_quotes": "one of the first three right",
        "any_quote": "any quote right",
        "declined_unanswerable": "unanswerable declined",
        "declined_answerable": "answerable declined",
        "exact_quotes": "quotes equal to the stored text",
        "seconds": "seconds",
    }
    figures = run.to_json()
    return [(said, "none" if figures[name] is None else str(figures[name])) for name, said in names.items()]


def _shares(confidences: list[float]) -> tuple[float, ...]:
    counts = [0] * BINS
    for confidence in confidences:
        counts[min(max(int(confidence * BINS), 0), BINS - 1)] += 1
    return tuple(count / len(confidences) for count in counts) if confidences else ()


def _mishaps(run: AnswersRun) -> tuple[Mishaps, ...]:
    kinds: list[tuple[str, Callable[[Graded], bool]]] = [
        ("Answerable, but the first quote is another", lambda g: bool(g.case.answers and g.quotes and not g.right[0])),
        ("Unanswerable, but answered", lambda g: not g.case.answers and not g.declined),
        ("Answerable, but declined", lambda g: bool(g.case.answers) and g.declined),
    ]
    return tuple(_of_kind(name, (g for g in run.graded if belongs(g))) for name, belongs in kinds)


def _of_kind(name: str, graded: Iterable[Graded]) -> Mishaps:
    worst = sorted(graded, key=lambda g: -(g.answer.confidence or 0.0))
    return Mishaps(name, len(worst), tuple(_mishap(g) for g in worst[:_MOST]))


def _mishap(graded: Graded) -> Mishap:
    shown = graded.quotes[0].text if graded.quotes else next((c.text for c in graded.answer.closest), "")
    return Mishap(
        question=_short(graded.case.question),
        expected=_short(" / ".join(graded.case.answers)) or "nothing",
        quoted=_short(shown) or "nothing",
        confidence=graded.answer.confidence,
    )


def _short(text: str) -> str:
    """One printable line: questions and articles are other people's words."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 2]} …"
