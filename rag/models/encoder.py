"""What turns texts into vectors."""

from __future__ import annotations

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


def normalised(vectors: Vectors) -> Vectors:
    """Every row scaled to length one; a row of zeros stays zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32, copy=False)
    return scaled
