"""A tiny BERT with random weights and the packaged tokenizer, and the same arithmetic in numpy."""

from __future__ import annotations

import dataclasses
import json
from math import erf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.models.bert import BertFolder, Weights, read_folder
from rag.models.local_encoder import default_weights

Array = NDArray[Any]

HIDDEN, LAYERS, HEADS, INNER, LONGEST = 32, 2, 4, 64, 384


def described() -> BertFolder:
    packaged = read_folder(default_weights())
    return dataclasses.replace(packaged, hidden=HIDDEN, layers=LAYERS, heads=HEADS, max_tokens=LONGEST)


def random_weights(folder: BertFolder, heads: dict[str, tuple[int, int]]) -> Weights:
    """Of the network, and of the linear layers over it: [out, in] by name."""
    random = np.random.default_rng(11)
    inner = {
        "attention.self.query": (HIDDEN, HIDDEN),
        "attention.self.key": (HIDDEN, HIDDEN),
        "attention.self.value": (HIDDEN, HIDDEN),
        "attention.output.dense": (HIDDEN, HIDDEN),
        "intermediate.dense": (INNER, HIDDEN),
        "output.dense": (HIDDEN, INNER),
    }
    linear: dict[str, tuple[int, ...]] = dict(heads)
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        linear |= {f"encoder.layer.{layer}.{name}": shape for name, shape in inner.items()}
        norms += [f"encoder.layer.{layer}.{name}.LayerNorm" for name in ("attention.output", "output")]
    shapes = {f"{name}.weight": shape for name, shape in linear.items()}
    tables = {"word": folder.vocabulary, "position": 512, "token_type": 2}
    shapes |= {f"embeddings.{name}_embeddings.weight": (rows, HIDDEN) for name, rows in tables.items()}
    weights = {name: random.normal(0, 0.3, shape) for name, shape in shapes.items()}
    weights |= {f"{name}.bias": random.normal(0, 0.1, shape[:1]) for name, shape in linear.items()}
    weights |= {f"{name}.weight": random.normal(1, 0.1, HIDDEN) for name in norms}
    weights |= {f"{name}.bias": random.normal(0, 0.1, HIDDEN) for name in norms}
    return {name: values.astype(np.float32) for name, values in weights.items()}


def write_safetensors(path: Path, weights: Weights) -> None:
    header: dict[str, Any] = {}
    body = b""
    for name, values in weights.items():
        raw = values.tobytes()
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    described = json.dumps(header).encode()
    path.write_bytes(len(described).to_bytes(8, "little") + described + body)


def dense(weights: Weights, name: str, values: Array) -> Array:
    return np.asarray(values @ weights[f"{name}.weight"].astype(np.float64).T + weights[f"{name}.bias"])


def norm(weights: Weights, name: str, values: Array) -> Array:
    centred = values - values.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
    return np.asarray(scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"])


def hidden_states(weights: Weights, ids: list[int], second: int) -> Array:
    """The last layer, [tokens, hidden]; token type 1 begins at `second`."""
    words, places, types = (
        weights[f"embeddings.{kind}_embeddings.weight"].astype(np.float64)
        for kind in ("word", "position", "token_type")
    )
    segments = (np.arange(len(ids)) >= second).astype(int)
    hidden = norm(weights, "embeddings.LayerNorm", words[ids] + places[: len(ids)] + types[segments])
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            _heads(dense(weights, f"{name}.attention.self.{p}", hidden)) for p in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / sqrt(HIDDEN // HEADS)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        mixed = (scores / scores.sum(axis=-1, keepdims=True) @ value).swapaxes(0, 1).reshape(len(ids), HIDDEN)
        hidden = norm(
            weights,
            f"{name}.attention.output.LayerNorm",
            hidden + dense(weights, f"{name}.attention.output.dense", mixed),
        )
        inner = dense(weights, f"{name}.intermediate.dense", hidden)
        inner = inner * 0.5 * (1 + np.vectorize(erf)(inner / sqrt(2)))
        hidden = norm(weights, f"{name}.output.LayerNorm", hidden + dense(weights, f"{name}.output.dense", inner))
    return np.asarray(hidden)


def _heads(values: Array) -> Array:
    return values.reshape(len(values), HEADS, -1).swapaxes(0, 1)
