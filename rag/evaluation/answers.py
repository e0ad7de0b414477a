"""The answers run: questions with known answers, or known to have none, asked of a library."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from rag.engine import Engine, ask
from rag.errors import InvalidRequest, UnknownArticle
from rag.evaluation.library import Step
from rag.evaluation.lines import records
from rag.evaluation.matching import holds
from rag.evaluation.outcomes import Outcome
from rag.records import Answer, Message, Mode, Question, Quote
from rag.retrieval.retriever import searchable

__all__ = ["AnswersRun", "Case", "Graded", "evaluate_answers", "read_cases"]

_REMEDY = 'write {"question": "...", "answers": ["..."] or null}'
_FIRST = 3


@dataclass(frozen=True, slots=True)
class Case:
    """A question; `answers` is empty where the library does not answer it. With `articles`, only quotes from
    these articles can be right."""

    id: str
    question: str
    answers: tuple[str, ...] = ()
    history: tuple[Message, ...] = ()
    articles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Graded:
    """A case with its answer; `right` and `exact` say of every shown quote, in order, whether it holds an
    expected string, and whether it equals the stored article's text there."""

    case: Case
    answer: Answer
    quotes: tuple[Quote, ...]
    right: tuple[bool, ...]
    exact: tuple[bool, ...]

    @property
    def declined(self) -> bool:
        return self.answer.verdict == "no_evidence"

    def scores(self) -> dict[str, float]:
        """The measures of this one question, each 0 or 1."""
        if not self.case.answers:
            return {"declined_unanswerable": float(self.declined)}
        return {
            "first_quote": float(any(self.right[:1])),
            "first_three_quotes": float(any(self.right[:_FIRST])),
            "any_quote": float(any(self.right)),
            "declined_answerable": float(self.declined),
        }


@dataclass(frozen=True, slots=True)
class AnswersRun:
    """`strangers` are ids in the questions' `articles` that the library does not know."""

    graded: tuple[Graded, ...]
    mode: Mode
    strangers: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The figures of INTERFACE.md; a share of nothing is null."""
        scores = [graded.scores() for graded in self.graded]
        exact = [float(e) for graded in self.graded for e in graded.exact]
        return {
            "questions": len(self.graded),
            "answerable": sum(bool(graded.case.answers) for graded in self.graded),
            **{name: _share(s[name] for s in scores if name in s) for name in _SHARES},
            "exact_quotes": _share(exact),
            "seconds": self.seconds,
        }

    def outcomes(self) -> list[Outcome]:
        return [
            Outcome(g.case.id, g.case.question, {self.mode: g.scores()}, {self.mode: [q.text for q in g.quotes]})
            for g in self.graded
        ]


_SHARES = ("first_quote", "first_three_quotes", "any_quote", "declined_unanswerable", "declined_answerable")


def _share(values: Iterable[float]) -> float | None:
    held = list(values)
    return round(fmean(held), 4) if held else None


def read_cases(path: Path) -> list[Case]:
    """One question a line: `{"question", "answers": [...] or null, "history"?, "articles"?: [ids], "id"?}`.

    A question without an id gets the number of its line. Raises InvalidRequest that names the line.
    """
    cases: dict[str, Case] = {}
    for where, record in records(path):
        case = _case(record, where)
        if case.id in cases:
            raise InvalidRequest(f"{where} is the second question with the id {case.id!r}", "give it another")
        cases[case.id] = case
    if not cases:
        raise InvalidRequest(f"{path} holds no question", _REMEDY)
    return list(cases.values())


def _case(record: Mapping[str, Any], where: str) -> Case:
    question = record.get("question")
    if not isinstance(question, str):
        raise InvalidRequest(f"{where} has no question", _REMEDY)
    try:
        searchable(question)
    except InvalidRequest as error:
        raise InvalidRequest(f"{where} cannot be asked ({error.message})", error.remedy) from error
    if "answers" not in record or record["answers"] == []:
        raise InvalidRequest(f"{where} has no answers", "write null where the articles hold none")
    answers, articles = _strings(record, "answers", where), frozenset(_strings(record, "articles", where))
    id_ = where.rpartition(":")[2] if record.get("id") is None else record["id"]
    return Case(str(id_), question, answers, _history(record.get("history"), where), articles)


def _strings(record: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    """The texts of a field, none where it is null or missing."""
    value = record.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise InvalidRequest(f'{where}: its "{name}" is no list of texts', _REMEDY)
    return tuple(value)


def _history(value: object, where: str) -> tuple[Message, ...]:
    if value is None:
        return ()
    found = []
    for turn in value if isinstance(value, list) else [None]:
        role, content = (turn.get("role"), turn.get("content")) if isinstance(turn, dict) else (None, None)
        if role not in ("user", "assistant") or not isinstance(content, str):
            remedy = 'write a list of {"role": "user" or "assistant", "content": "..."}'
            raise InvalidRequest(f'{where}: its "history" cannot be read', remedy)
        found.append(Message(role, content))
    return tuple(found)


def evaluate_answers(cases: Sequence[Case], engine: Engine, mode: Mode, step: Step) -> AnswersRun:
    """Ask every question and grade the quotes shown, in the order of the answer. A written claim counts by its
    quotes, never by its own words."""
    started = time.perf_counter()
    stored = _Stored(engine)
    graded = []
    for n, case in enumerate(cases):
        step("asking questions", n, len(cases))
        answer = ask(engine, Question(case.question, history=case.history, mode=mode))
        graded.append(_grade(case, answer, stored))
    strangers = {id_ for case in cases for id_ in case.articles if stored.article(id_) is None}
    return AnswersRun(tuple(graded), mode, len(strangers), round(time.perf_counter() - started, 3))


@dataclass(slots=True)
class _Stored:
    """The library's articles, each fetched once: (id, text), or None for an id it does not know."""

    engine: Engine
    known: dict[str, tuple[str, str] | None] = field(default_factory=dict)

    def article(self, id_: str) -> tuple[str, str] | None:
        if id_ not in self.known:
            try:
                article = self.engine.article(id_)
                self.known[id_] = (article.id, article.text)
            except UnknownArticle:
                self.known[id_] = None
        return self.known[id_]


def _grade(case: Case, answer: Answer, stored: _Stored) -> Graded:
    quotes = tuple(quote for claim in answer.claims for quote in claim.quotes)
    # An id of a copy stands for the article that the library keeps of that text.
    counting = {article[0] for id_ in case.articles if (article := stored.article(id_))}
    right = tuple(
        (not case.articles or quote.article_id in counting) and any(holds(quote.text, one) for one in case.answers)
        for quote in quotes
    )
    exact = tuple(
        (article := stored.article(quote.article_id)) is not None and article[1][quote.start : quote.end] == quote.text
        for quote in quotes
    )
    return Graded(case, answer, quotes, right, exact)
