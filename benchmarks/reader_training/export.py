"""Writes a trained reader as the folder that `rag.models.reader` reads: `reader.onnx` in int8, and its tokenizer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rag.models.bert import BertFolder, Precision, Weights, build_reader_graph
from rag.models.reader import GRAPH, TOKENIZER

LONGEST = 384  # tokens, as many as `rag.models.reader` gives it


def export(folder: BertFolder, weights: Weights, output: Path, precision: Precision = "int8") -> Path:
    """The graph's path. `folder` is the sentence encoder the reader was made of; its tokenizer goes along."""
    graph = build_reader_graph(replace(folder, max_tokens=LONGEST), weights, precision)
    output.mkdir(parents=True, exist_ok=True)
    (output / TOKENIZER).write_bytes((folder.path / TOKENIZER).read_bytes())
    (output / GRAPH).write_bytes(graph)
    return output / GRAPH
