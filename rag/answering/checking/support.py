"""How far the quotes of a claim support it: a small logistic model on what can be compared without reading.

The measures (similarity of meaning by the encoder, words and word pairs in common, numbers and negations)
and the weights were fitted and measured with `benchmarks/attribution.py` on the development half of
AttributionBench (Li et al., 2024, https://arxiv.org/abs/2402.15089). It is right in about seven of ten
claims there, which is too little to call a claim supported, and enough to doubt the worst.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rag.answering.checking.claims import amounts_missing
from rag.english.sentences import sentences
from rag.english.words import WORD, fold, stem, stems
from rag.records import UncitedClaim

__all__ = ["DOUBT", "FEATURES", "Encode", "Support", "features", "texts_compared"]

Encode = Callable[[list[str]], NDArray[np.float32]]

DOUBT = "the quotes may not say this"
WINDOW = 3  # sentences that are read together
MAX_SENTENCES = 60

FEATURES = ("similarity", "coverage", "pairs", "number missing", "negation differs")
# In the order of FEATURES, then the constant; printed by benchmarks/attribution.py.
WEIGHTS = (3.181, 1.401, 1.467, -1.665, -0.043, -3.283)
# Below this a claim is doubted. On held-out folds, where half of the claims are bad, 86 of 100 doubts are right;
# 7 of 100 bad claims are doubted and 1 of 100 good ones. Where nine of ten claims are good, about four of ten
# doubts are right: hence "may".
THRESHOLD = 0.1

_NEGATION = re.compile(r"\b(?:not|no|never|none|neither|nor|without|cannot)\b|n['’]t\b", re.IGNORECASE)


class Support:
    """Measures support with an encoder: `encode` takes texts and returns their unit vectors, a row for each."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode

    def score(self, finding: UncitedClaim) -> float:
        """How likely it is that the quotes support the claim, in [0, 1]; 0.5 is even.

        Costs the encoding of the claim and of each sentence quoted. Raises EncoderError.
        """
        measured = np.append(features(finding, self._encode(texts_compared(finding))), 1.0)
        return 1 / (1 + math.exp(-float(measured @ np.array(WEIGHTS))))

    def flags(self, finding: UncitedClaim) -> tuple[str, ...]:
        """DOUBT where the score is below THRESHOLD, else nothing."""
        return (DOUBT,) if self.score(finding) < THRESHOLD else ()


def texts_compared(finding: UncitedClaim) -> list[str]:
    """The claim, then each sentence of the quotes, then each window of sentences, as `features` expects them."""
    said = _sentences(finding)
    return [finding.text, *said, *(_windows(said) if len(said) > 1 else ())]


def features(finding: UncitedClaim, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """The measures in the order of FEATURES; `vectors` are the rows for `texts_compared(finding)`."""
    claim = finding.text
    windows = _windows(_sentences(finding))
    cosines = vectors[1:] @ vectors[0]
    nearest = windows[int(cosines[-len(windows) :].argmax())]
    wanted, words, near = stems(claim), _stemmed(claim), _stemmed(nearest)
    pairs = set(pairwise(words))
    return np.array(
        [
            cosines.max(),
            max(len(wanted & stems(window)) for window in windows) / max(len(wanted), 1),
            len(pairs & set(pairwise(near))) / max(len(pairs), 1),
            bool(amounts_missing(finding)),
            bool(_NEGATION.search(claim)) != bool(_NEGATION.search(nearest)),
        ],
        dtype=np.float64,
    )


def _sentences(finding: UncitedClaim) -> list[str]:
    quotes = [part.text for part in finding.evidence]
    said = [quote[span.start : span.end] for quote in quotes for span in sentences(quote)]
    return said[:MAX_SENTENCES] or [""]


def _windows(said: list[str]) -> list[str]:
    return [" ".join(said[first : first + WINDOW]) for first in range(max(1, len(said) - WINDOW + 1))]


def _stemmed(text: str) -> list[str]:
    return [stem(fold(match.group())) for match in WORD.finditer(text)]
