"""Is a difference between two settings more than chance would make?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

__all__ = ["randomisation_test"]

_CHUNK = 4_000_000  # signs held in memory at once


def randomisation_test(
    before: Sequence[float],
    after: Sequence[float],
    *,
    alternative: Literal["different", "lower"] = "different",
    shuffles: int = 100_000,
    seed: int = 0,
) -> float:
    """p of the paired randomisation test (Smucker, Allan and Carterette, "A comparison of statistical
    significance tests for information retrieval evaluation", 2007).

    If the settings were the same, either score of a pair could have come from either of them: p is the share
    of random exchanges whose difference of means is at least as large as the one seen. `lower` asks whether
    `after` is lower than `before` by more than chance (one-sided). The same lists give 1.
    """
    if len(before) != len(after):
        raise ValueError("the two lists are not pairs")
    difference = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    difference = difference[difference != 0]  # exchanging equal scores changes nothing
    if not difference.size:
        return 1.0
    seen = _size(difference.sum(), alternative)
    random = np.random.default_rng(seed)
    as_large, left = 0, shuffles
    while left:
        rows = min(left, max(1, _CHUNK // difference.size))
        sums = (2.0 * random.integers(0, 2, size=(rows, difference.size), dtype=np.int8) - 1.0) @ difference
        as_large += int(np.count_nonzero(_size(sums, alternative) >= seen - 1e-9))
        left -= rows
    # The arrangement that was seen is one of the possible ones, so p is never 0.
    return (as_large + 1) / (shuffles + 1)


def _size(sums: np.ndarray | np.float64, alternative: str) -> np.ndarray | np.float64:
    return -sums if alternative == "lower" else np.abs(sums)
