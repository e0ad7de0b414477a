"""What the local models run on: ONNX Runtime sessions of one thread each, tokenizers and worker threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.errors import EncoderError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

# ONNX Runtime reads it when it is imported, here first of all: its Linux builds collect telemetry otherwise, and
# keep a device id and a file of events below the home folder.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def cores() -> int:
    """Cores this process may use, where the system tells them apart from the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_session(graph: bytes, origin: Path) -> InferenceSession:
    """A session of a serialised graph; `origin` is what an error names. Raises EncoderError."""
    # Imported here: commands that run no model start without it.
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    refusals = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.RuntimeException)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # Our graphs are written in fused operators already; more fusing would undo `_Graph.normalise`.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except refusals as error:
        raise EncoderError(f"ONNX Runtime refuses the model in {origin} ({error})") from error


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


T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """`count` threads, started when they are first needed, until they are closed. Safe to use from several threads."""

    def __init__(self, name: str, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)

    def map(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """What `work` makes of each item, in order. Raises what it raises, and EncoderError after `close`."""
        try:
            results = self._pool.map(work, items)
        except RuntimeError as error:  # the pool takes nothing any more; what `work` raises comes with the results
            raise EncoderError("the models are being closed", "try again when the server is back") from error
        return list(results)

    def close(self) -> None:
        """End the threads, once they have done what was given to them."""
        self._pool.shutdown()
