"""The paired randomisation test."""

import pytest

from rag.evaluation.significance import randomisation_test


def test_the_same_scores_differ_by_chance_alone() -> None:
    assert randomisation_test([0.1, 0.5, 1.0], [0.1, 0.5, 1.0]) == 1


@pytest.mark.parametrize(("pairs", "exact"), [(1, 1.0), (3, 2 / 8), (5, 2 / 32)])
def test_p_is_the_share_of_exchanges_at_least_as_large(pairs: int, exact: float) -> None:
    # All pairs differ by the same, so of the 2^n exchanges only none and all are as large as what was seen.
    assert randomisation_test([0.0] * pairs, [1.0] * pairs) == pytest.approx(exact, abs=0.005)


def test_one_sided_sees_a_drop_and_no_gain() -> None:
    assert randomisation_test([1.0] * 5, [0.0] * 5, alternative="lower") == pytest.approx(1 / 32, abs=0.003)
    assert randomisation_test([0.0] * 5, [1.0] * 5, alternative="lower") > 0.99


def test_a_clear_difference_has_a_small_p_and_a_mixed_one_has_not() -> None:
    before = [0.2 + n / 200 for n in range(60)]
    assert randomisation_test(before, [x + 0.1 for x in before]) < 0.001
    assert randomisation_test(before, [x + (0.1 if n % 2 else -0.1) for n, x in enumerate(before)]) > 0.5


def test_lists_that_are_no_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="pairs"):
        randomisation_test([1.0, 0.0, 1.0], [1.0])
