"""A reranker: scores passages together with the question. Off unless a folder is named; nothing is downloaded.

A cross-encoder reads question and passage as one text (Nogueira and Cho, "Passage Re-ranking with BERT", 2019):
better than comparing two vectors, and far too slow for more than the best few passages.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rag.errors import EncoderError
from rag.models.bert import TOKENIZER, BertFolder, Precision, build_scorer_graph, read_folder, read_weights
from rag.models.runtime import Workers, cores, load_session, load_tokenizer, pair, tokens

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_LONGEST = 384  # tokens of question, title and passage together
_LONGEST_QUESTION = 64  # tokens
_POSITIONS = "embeddings.position_embeddings.weight"


class Reranker(Protocol):
    """Scores passages for a question. Safe to call from several threads."""

    def score(self, question: str, passages: Sequence[tuple[str, str]]) -> list[float]:
        """One score for each (title, text), in order; higher is better, nothing else is promised.
        Raises EncoderError."""


class CrossEncoder:
    """The model in a sentence-transformers CrossEncoder folder of the BERT family: `config.json`, `tokenizer.json`
    and `model.safetensors` with BERT, its pooler, and a classifier of one label.

    The graph is built in memory at every start. Every passage is a run of its own, several run side by side; what
    does not fit into 384 tokens, or the model's own limit, is cut off the passage's end. Raises EncoderError, which
    names the setting RAG_RERANKER_DIR.
    """

    def __init__(self, folder: Path, *, precision: Precision = "int8", threads: int | None = None) -> None:
        try:
            described, graph = _built(folder, precision)
            self._session = load_session(graph, folder)
            self._longest = described.max_tokens
            self._tokenizer = load_tokenizer(folder / TOKENIZER, vocabulary=described.vocabulary)
            self._first, self._end = (_token(self._tokenizer, name, folder) for name in ("[CLS]", "[SEP]"))
        except EncoderError as error:
            raise EncoderError(
                f"RAG_RERANKER_DIR: {error.message}",
                "it takes a sentence-transformers CrossEncoder folder (BERT family, one label)",
            ) from error
        self._workers = Workers("reranker", threads or cores())

    def score(self, question: str, passages: Sequence[tuple[str, str]]) -> list[float]:
        """See Reranker.score; the scores are logits."""
        asked = self._tokens(question)[: min(_LONGEST_QUESTION, self._longest // 2)]
        return self._workers.map(lambda passage: self._score_one(asked, *passage), passages)

    def close(self) -> None:
        """End the reranker's threads."""
        self._workers.close()

    def _score_one(self, asked: list[int], title: str, text: str) -> float:
        head = [self._first, *asked, self._end]
        words = self._tokens(f"{title}\n{text}")[: self._longest - len(head) - 1]
        scores = self._session.run(None, pair(head, [*words, self._end]))[0]
        return float(scores[0, 0])

    def _tokens(self, text: str) -> list[int]:
        return list(tokens(self._tokenizer, text).ids)


def _built(folder: Path, precision: Precision) -> tuple[BertFolder, bytes]:
    described = read_folder(folder)
    weights = read_weights(described)
    positions = len(weights.get(_POSITIONS, ()))
    described = dataclasses.replace(described, max_tokens=min(_LONGEST, positions))
    return described, build_scorer_graph(described, weights, precision)


def _token(tokenizer: Tokenizer, name: str, folder: Path) -> int:
    number = tokenizer.token_to_id(name)
    if number is None:
        raise EncoderError(f"{folder / TOKENIZER} has no token {name}")
    return number
