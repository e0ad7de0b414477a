"""A memory in front of an encoder: questions and candidate sentences come again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from rag.models.encoder import Encoder, Vectors


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
