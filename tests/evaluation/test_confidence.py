"""Curves over the confidence of answers, worked out by hand."""

import pytest

from rag.evaluation.confidence import auroc, calibration_error, placements, reliability, risk_coverage


def test_risk_grows_with_coverage() -> None:
    points = [(0.2, False), (0.9, True), (0.6, False), (0.8, True)]
    assert risk_coverage(points, 8) == [(1 / 8, 0), (2 / 8, 0), (3 / 8, pytest.approx(1 / 3)), (4 / 8, 0.5)]


def test_equal_confidence_stands_or_falls_together() -> None:
    assert risk_coverage([(0.5, True), (0.5, False), (0.4, True)], 3) == [(2 / 3, 0.5), (1, pytest.approx(1 / 3))]


def test_bins_hold_what_is_theirs() -> None:
    points = [(0.0, False), (0.05, True), (0.95, True), (1.0, True)]
    first, last = reliability(points)
    assert (first.confidence, first.right, first.count) == (0.025, 0.5, 2)
    assert (last.confidence, last.right, last.count) == (0.975, 1.0, 2)
    assert calibration_error(points) == pytest.approx((2 * 0.475 + 2 * 0.025) / 4)


def test_auroc_counts_ties_half() -> None:
    assert placements([0.9, 0.5, 0.1], [0.5, 0.2]) == [1.0, 0.75, 0.0]
    assert auroc([0.9, 0.5, 0.1], [0.5, 0.2]) == pytest.approx(1.75 / 3)
