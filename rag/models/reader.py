"""A reader: where in a passage a question is answered, and whether it is.

A BERT model with a linear layer over every token that scores it as start and as end of an answer (Devlin
et al., 2019, section 4.2), trained with the scores normalised over all passages of a question, so that
they compare across passages (Clark and Gardner, "Simple and Effective Multi-Paragraph Reading
Comprehension", 2018). `benchmarks/train_reader.py` made the weights that lie beside this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import EncoderError
from rag.models.runtime import Workers, cores, load_session, load_tokenizer, pair, tokens
from rag.records import Span

PACKAGED = Path(str(files("rag.models"))) / "weights"
GRAPH = "reader.onnx"
TOKENIZER = "tokenizer.json"

_LONGEST_QUESTION = 64  # tokens
_LONGEST = 384  # tokens of question, title and passage together
_LONGEST_ANSWER = 30  # tokens
_KEPT = 1000  # readings, of about 4 kB each
_FIRST, _END = 101, 102  # [CLS], [SEP]

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """The best answer within a stretch of a passage: its place there, and its score, a logit."""

    score: float
    span: Span


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of one passage. All scores are logits, comparable between passages of one question.

    `starts` and `ends` have one score per token of the passage, `places` the tokens' code points,
    [tokens, 2]. `answers` says that the passage answers, `nothing` that no token of it does.
    """

    starts: Floats
    ends: Floats
    places: NDArray[np.int32]
    answers: float
    nothing: float

    def best(self, span: Span) -> AnswerSpan | None:
        """The best answer that lies in a stretch of the passage; None if no token does."""
        inside = np.flatnonzero((self.places[:, 0] >= span.start) & (self.places[:, 1] <= span.end))
        if not len(inside):
            return None
        first, last = inside[0], inside[-1] + 1
        sums = self.starts[first:last, None] + self.ends[None, first:last]
        best = int((sums + _band(len(sums))).argmax())
        start, end = divmod(best, last - first)
        place = Span(int(self.places[first + start, 0]), int(self.places[first + end, 1]))
        return AnswerSpan(float(sums[start, end]), place)


@lru_cache(maxsize=512)
def _band(size: int) -> Floats:
    """0 where an answer may begin (row) and end (column), minus infinity elsewhere; shape (size, size)."""
    allowed = np.tril(np.triu(np.ones((size, size), bool)), _LONGEST_ANSWER - 1)
    return np.where(allowed, np.float32(0), np.float32(-np.inf))


class Reader(Protocol):
    """Reads passages for the answer to a question. Safe to call from several threads."""

    def read(self, question: str, passages: Sequence[tuple[str, str]]) -> list[Reading]:
        """One reading for each (title, text), in order. Raises EncoderError."""


class LocalReader:
    """The reader on ONNX Runtime. Every passage is a run of its own, several run side by side."""

    def __init__(self, folder: Path = PACKAGED, *, threads: int | None = None) -> None:
        try:
            graph = (folder / GRAPH).read_bytes()
        except OSError as error:
            raise EncoderError(f"{folder / GRAPH} cannot be read ({error.strerror})", "install it again") from error
        self._session = load_session(graph, folder / GRAPH)
        if {one.name for one in self._session.get_inputs()} != {"input_ids", "token_type_ids"}:
            raise EncoderError(f"the model in {folder / GRAPH} is no reader", "install it again")
        self._tokenizer = load_tokenizer(folder / TOKENIZER)
        self._workers = Workers("reader", threads or cores())
        # The same question comes again, and a follow-up's passages with it.
        self._kept = lru_cache(maxsize=_KEPT)(self._read_one)

    def read(self, question: str, passages: Sequence[tuple[str, str]]) -> list[Reading]:
        """See Reader.read."""
        asked = tuple(tokens(self._tokenizer, question).ids[:_LONGEST_QUESTION])
        return self._workers.map(lambda passage: self._kept(asked, *passage), passages)

    def close(self) -> None:
        """End the reader's threads."""
        self._workers.close()

    def _read_one(self, asked: tuple[int, ...], title: str, text: str) -> Reading:
        words = tokens(self._tokenizer, text)
        head = [_FIRST, *asked, _END]
        named = tokens(self._tokenizer, f"{title} .").ids if title else []
        room = _LONGEST - len(head) - 1
        named = named[: max(0, room // 4)]
        ids = words.ids[: room - len(named)]
        spans, answers = self._session.run(None, pair(head, [*named, *ids, _END]))
        begin = len(head) + len(named)
        own = spans[0, begin : begin + len(ids)]
        return Reading(
            starts=own[:, 0],
            ends=own[:, 1],
            places=np.array(words.offsets[: len(ids)], np.int32).reshape(-1, 2),
            answers=float(answers[0, 0]),
            nothing=float(spans[0, 0].sum()),
        )
