"""The reader in PyTorch: BERT with token types, a span head over the tokens and an answer head over the first."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rag.models.bert import BertFolder, Weights

POSITIONS = 512
DROPOUT = 0.1

_QKV = ("query", "key", "value")
# A layer's modules and their names in BERT's weights, where query, key and value are matrices of their own.
_PARTS = {
    "mixed": "attention.output.dense",
    "mixed_norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "outer_norm": "output.LayerNorm",
}


class Layer(nn.Module):
    """One layer of a BERT encoder, normalize_rows after each sum."""

    def __init__(self, hidden: int, heads: int, epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.mixed = nn.Linear(hidden, hidden)
        self.mixed_norm = nn.LayerNorm(hidden, epsilon)
        self.inner = nn.Linear(hidden, 4 * hidden)
        self.outer = nn.Linear(4 * hidden, hidden)
        self.outer_norm = nn.LayerNorm(hidden, epsilon)

    def forward(self, states: Tensor, mask: Tensor, dropout: nn.Dropout) -> Tensor:
        texts, length, _ = states.shape
        query, key, value = self.qkv(states).view(texts, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        attended = attended.transpose(1, 2).reshape(texts, length, -1)
        states = self.mixed_norm(states + dropout(self.mixed(attended)))
        return self.outer_norm(states + dropout(self.outer(functional.gelu(self.inner(states)))))


class ReaderModel(nn.Module):
    """Starts from a sentence encoder's weights; the two heads start at random."""

    def __init__(self, folder: BertFolder, weights: Weights) -> None:
        super().__init__()
        self.words = nn.Embedding(folder.vocabulary, folder.hidden)
        self.positions = nn.Embedding(POSITIONS, folder.hidden)
        self.segments = nn.Embedding(2, folder.hidden)
        self.norm = nn.LayerNorm(folder.hidden, folder.epsilon)
        self.layers = nn.ModuleList(Layer(folder.hidden, folder.heads, folder.epsilon) for _ in range(folder.layers))
        self.span = nn.Linear(folder.hidden, 2)
        self.answers = nn.Linear(folder.hidden, 1)
        self.dropout = nn.Dropout(DROPOUT)
        # Too few texts to teach 30,522 words; a word that none of them holds keeps its place among the others.
        self.words.weight.requires_grad_(False)
        self._load(weights)

    def forward(self, ids: Tensor, segments: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Start and end scores [texts, tokens, 2], and answer scores [texts]; `mask` is True on tokens."""
        states = self.words(ids) + self.positions.weight[: ids.shape[1]] + self.segments(segments)
        states = self.dropout(self.norm(states))
        for layer in self.layers:
            states = layer(states, mask[:, None, None, :], self.dropout)
        return self.span(states), self.answers(states[:, 0]).squeeze(1)

    def bert_weights(self) -> Weights:
        """All weights under the names that `rag.models.bert` reads."""
        weights = {f"{name}.{kind}": _array(getattr(module, kind)) for name, module, kind in self._named()}
        for number, layer in enumerate(self.layers):
            for kind in ("weight", "bias"):
                for part, values in zip(_QKV, np.split(_array(getattr(layer.qkv, kind)), 3), strict=True):
                    weights[f"encoder.layer.{number}.attention.self.{part}.{kind}"] = values
        for name, head in (("span", self.span), ("answers", self.answers)):
            weights |= {f"{name}.weight": _array(head.weight), f"{name}.bias": _array(head.bias)}
        return weights

    @torch.no_grad()
    def _load(self, weights: Weights) -> None:
        for name, module, kind in self._named():
            getattr(module, kind).copy_(torch.from_numpy(weights[f"{name}.{kind}"].copy()))
        for number, layer in enumerate(self.layers):
            for kind in ("weight", "bias"):
                parts = [weights[f"encoder.layer.{number}.attention.self.{part}.{kind}"] for part in _QKV]
                getattr(layer.qkv, kind).copy_(torch.from_numpy(np.concatenate(parts)))

    def _named(self) -> list[tuple[str, nn.Module, str]]:
        """What a sentence encoder has too, but for queries, keys and values: name in BERT's weights, module, kind."""
        tables = {"word": self.words, "position": self.positions, "token_type": self.segments}
        named: list[tuple[str, nn.Module, str]] = [
            (f"embeddings.{name}_embeddings", table, "weight") for name, table in tables.items()
        ]
        named += [("embeddings.LayerNorm", self.norm, kind) for kind in ("weight", "bias")]
        for number, layer in enumerate(self.layers):
            for part, name in _PARTS.items():
                named += [(f"encoder.layer.{number}.{name}", getattr(layer, part), kind) for kind in ("weight", "bias")]
        return named


def _array(values: Tensor) -> NDArray[np.float32]:
    return np.asarray(values.detach().numpy(), np.float32)
