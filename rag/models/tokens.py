"""Texts as tokens of a BERT model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.errors import EncoderError

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer


def load_tokenizer(path: Path, *, vocabulary: int | None = None) -> Tokenizer:
    """The tokenizer of a file; it neither pads nor truncates. Raises EncoderError, also for one with more
    tokens than `vocabulary`."""
    # Imported here: commands that run no model start without it.
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_buffer(path.read_bytes())
    except (OSError, ValueError) as error:
        raise EncoderError(f"{path} cannot be read ({error})", "install it again") from error
    if vocabulary is not None and tokenizer.get_vocab_size() > vocabulary:
        raise EncoderError(f"{path} has more tokens than the model beside it", "the files of a folder belong together")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def tokens(tokenizer: Tokenizer, text: str, *, special: bool = False) -> Encoding:
    """The tokens of any text. A lone surrogate (an undecodable byte of a command line) has no UTF-8 form."""
    return tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8"), add_special_tokens=special)


def pair(first: list[int], second: list[int]) -> dict[str, NDArray[np.int32]]:
    """The inputs of a model that reads two texts as one: ids, and to which text each belongs, [1, tokens]."""
    return {
        "input_ids": np.array([[*first, *second]], np.int32),
        "token_type_ids": np.array([[0] * len(first) + [1] * len(second)], np.int32),
    }
