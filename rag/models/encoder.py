"""Encoders turn texts into vectors; a cache in front of one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into unit vectors, so that a dot product is a cosine. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """Identity of the vectors (model, version, precision): only vectors of one name are comparable."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row per text, in order: shape `(len(texts), dimension)`, L2-normalised.

        Raises EncoderError.
        """


def normalize_rows(vectors: Vectors) -> Vectors:
    """Every row scaled to length one; a row of zeros stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32, copy=False)
    return scaled


class CachedEncoder:
    """Remembers the vectors of the texts that were encoded last, in small calls only.

    A call with more texts than `largest_call` is an ingest, whose passages would push out everything.
    `capacity` counts texts: 20,000 vectors of 384 dimensions take 31 MB.
    """

    def __init__(self, encoder: Encoder, *, capacity: int = 20_000, largest_call: int = 64) -> None:
        self._encoder = encoder
        self._capacity = capacity
        self._largest_call = largest_call
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return self._encoder.name

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See Encoder.encode."""
        if not texts or len(texts) > self._largest_call:
            return self._encoder.encode(texts)
        with self._lock:
            known = {text: self._vectors[text] for text in texts if text in self._vectors}
        new = list(dict.fromkeys(text for text in texts if text not in known))
        if new:
            known.update(zip(new, self._encoder.encode(new), strict=True))
        with self._lock:
            for text in texts:
                self._vectors[text] = known[text]
                self._vectors.move_to_end(text)
            while len(self._vectors) > self._capacity:
                self._vectors.popitem(last=False)
        return np.stack([known[text] for text in texts])
