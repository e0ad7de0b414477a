"""Questions worth asking next, to which the library is known to hold the answer: each is asked before it is shown."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag.answering.followups.subjects import parts
from rag.answering.pipeline import AnswerPipeline
from rag.english.words import stems
from rag.errors import UnknownArticle
from rag.records import Answer, Article, Done, Filters, Message, Question, Quote, Span
from rag.suggesting.drawing import Drawn, drawn

__all__ = ["Suggester"]

# Confidence in the answer of a question that is suggested: one that quotes the sentence asked about is known to be
# right, one from elsewhere in the same article has to be sure of itself.
_RIGHT = 0.15
_SURE = 0.3
_LOOKED_AT = 40  # articles, for examples
_TRIED_FIRST = 12  # questions that are tried out for examples, at 50 to 100 ms each
_WORTH_FIRST = 0.4  # of a question that nothing leads to
_TRIED_NEXT = 6  # and for follow-ups
_BESIDE = 4  # articles beside the quoted ones that follow-ups may come from
_ALIKE = 0.6  # share of their stems from which on two questions are the same
_SAME_FORM = 0.15  # what another "Who is ...?" is worth less than the first
_FAR = 3000  # code points from a quote at which a sentence has lost what nearness is worth
_NEARNESS = 0.2
_RELATED = 0.15


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A question drawn from an article; `worth` says how early it is tried out."""

    article: Article
    question: str
    at: Span
    worth: float


class Suggester:
    """Suggests questions, without any call of a language model. Safe to use from several threads."""

    def __init__(self, answerer: AnswerPipeline) -> None:
        self._answerer = answerer
        self._library = answerer.retriever.library
        self._looking = threading.Lock()
        self._kept: tuple[tuple[int, int], list[str]] | None = None  # examples, and what they were made for

    def examples(self, count: int = 4) -> list[str]:
        """Up to `count` questions about different articles, preferably new ones; none if no sentence lends itself.

        Takes up to a second when the library has changed since the last call.
        """
        with self._looking:  # of several pages that open at once, one looks
            state = (self._library.generation, count)
            if self._kept is None or self._kept[0] != state:
                self._kept = (state, self._examples(count))
            return list(self._kept[1])

    def follow_ups(
        self,
        answer: Answer,
        history: Sequence[Message] = (),
        count: int = 3,
        *,
        filters: Filters = Filters(),
    ) -> list[str]:
        """Up to `count` questions to ask after `answer`, each answered by words that were not shown yet.

        `history` is the conversation before the question of the answer; `filters` narrow what is searched, as they
        did for the answer.
        """
        before = (*history, Message("user", answer.asked_as), Message("assistant", answer.text))
        shown = [quote for claim in answer.claims for quote in claim.quotes]
        told = " ".join(_plain(turn.content) for turn in before if turn.role == "assistant")
        asked = [turn.content for turn in before if turn.role == "user"]
        found: list[str] = []
        tried = _in_order(self._next(answer, shown, filters), [*asked, answer.question], found)
        for _, candidate in zip(range(_TRIED_NEXT), tried, strict=False):
            if len(found) == count:
                break
            best = self._answered_by(candidate, before, filters)
            if best and not any(_overlap(best, quote) for quote in shown) and _plain(best.text) not in told:
                found.append(candidate.question)
                shown.append(best)
        return found

    def _examples(self, count: int) -> list[str]:
        articles = [article for id_ in self._library.newest(_LOOKED_AT) for article in self._present(id_)]
        pool = [
            _Candidate(article, q.question, q.at, q.worth - 0.2 * rank / len(articles))
            for rank, article in enumerate(articles)
            for q in drawn(article.text)
            if q.worth >= _WORTH_FIRST
        ]
        found: list[str] = []
        used: set[str] = set()
        tried = (c for c in _in_order(pool, [], found) if c.article.id not in used)
        for _, candidate in zip(range(_TRIED_FIRST), tried, strict=False):
            if self._answered_by(candidate, (), Filters()):
                found.append(candidate.question)
                used.add(candidate.article.id)
            if len(found) == count:
                break
        return found

    def _next(self, answer: Answer, shown: Sequence[Quote], filters: Filters) -> list[_Candidate]:
        """Questions to the quoted articles, and to others that were found if they share a name with the answer."""
        quoted = dict.fromkeys(source.article_id for source in answer.sources)
        hits = self._answerer.retriever.retrieve(answer.asked_as, filters)
        beside = list(dict.fromkeys(hit.article.id for hit in hits if hit.article.id not in quoted))[:_BESIDE]
        about = _names(" ".join([answer.asked_as, *(quote.text for quote in shown)]))
        pool: list[_Candidate] = []
        for article in (article for id_ in (*quoted, *beside) for article in self._present(id_)):
            places = [Span(quote.start, quote.end) for quote in shown if quote.article_id == article.id]
            for q in drawn(article.text):
                related = bool(_names(q.question) & about)
                if any(q.at.start < place.end and place.start < q.at.end for place in places):
                    continue
                if related or article.id in quoted:
                    pool.append(_Candidate(article, q.question, q.at, q.worth + _RELATED * related + _near(q, places)))
        return pool

    def _answered_by(self, candidate: _Candidate, history: Sequence[Message], filters: Filters) -> Quote | None:
        """The best quote of the answer to a candidate, if it comes from the candidate's article and is sure enough."""
        question = Question(candidate.question, tuple(history), filters, mode="quotes")
        *_, last = self._answerer.answer(question)
        answer = last.answer if isinstance(last, Done) else None
        if answer is None or not answer.claims or answer.asked_as != candidate.question:
            return None
        best = answer.claims[0].quotes[0]
        if best.article_id != candidate.article.id:
            return None
        is_right = best.start < candidate.at.end and candidate.at.start < best.end
        return best if (answer.confidence or 0) >= (_RIGHT if is_right else _SURE) else None

    def _present(self, article_id: str) -> Iterator[Article]:
        """The article, if it was not removed meanwhile."""
        try:
            yield self._library.article(article_id)
        except UnknownArticle:
            return


def _in_order(pool: Iterable[_Candidate], asked: Sequence[str], found: Sequence[str]) -> Iterator[_Candidate]:
    """The candidates by their worth, without those that repeat what was `asked` or `found`, which grows meanwhile;
    one that opens like a found one comes later."""
    left = list(pool)
    while left:
        forms = [_form(question) for question in found]
        best = max(left, key=lambda candidate: candidate.worth - _SAME_FORM * forms.count(_form(candidate.question)))
        left.remove(best)
        if not any(_alike(best.question, other) for other in (*asked, *found)):
            yield best


def _form(question: str) -> str:
    return " ".join(question.split()[:2])


def _alike(one: str, other: str) -> bool:
    mine, theirs = stems(one), stems(other)
    same = len(mine & theirs)
    return same >= _ALIKE * len(mine | theirs) or (_form(one) == _form(other) and same >= max(1, len(mine) - 1))


def _names(text: str) -> frozenset[str]:
    """The last words of the names in a text, stemmed: two people called Charles are not one."""
    return stems(" ".join(part.text.split()[-1] for part in parts(text) if part.kind != "date"))


def _near(q: Drawn, places: Sequence[Span]) -> float:
    distance = min((max(place.start - q.at.end, q.at.start - place.end) for place in places), default=_FAR)
    return _NEARNESS * max(0.0, 1 - distance / _FAR)


def _overlap(one: Quote, other: Quote) -> bool:
    return one.article_id == other.article_id and one.start < other.end and other.start < one.end


def _plain(text: str) -> str:
    return " ".join(text.replace("\\", "").split())
