import pytest

from rag.answering.deduplication import is_copy, repeats

UNION = "The port workers' union will join the strike of the dockers on Monday."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (UNION, UNION.replace("will join", "will not join")),
        ("The fares were raised before the vote in Tarvik.", "The fares were raised after the vote in Tarvik."),
        ("Norland attacked Sudmark at the river on Friday.", "Sudmark attacked Norland at the river on Friday."),
        ("Minister Tora Lind resigned on Friday.", "Minister Tora Lind has not resigned on Friday."),
        ("The minister may resign on Friday.", "The minister resigned on Friday."),
        ("The fire injured 14 people in Wexley.", "The fire injured 19 people in Wexley."),
        ("Nobody was hurt in the fire in Wexley.", "Two were hurt in the fire in Wexley."),
        ("All workers of the plant keep their jobs.", "Some workers of the plant keep their jobs."),
    ],
)
def test_what_differs_in_anything_that_counts_is_no_repetition(one: str, other: str) -> None:
    assert not repeats(one, other) or not repeats(other, one)
    assert not is_copy(one, other)
    assert not is_copy(other, one)


@pytest.mark.parametrize(
    "sentence",
    [
        UNION,
        "Breaking: " + UNION,
        UNION.replace("Monday", "Monday morning"),
        UNION.replace("workers'", "workers\u2019"),
    ],
)
def test_the_same_sentence_repeats_and_is_a_copy(sentence: str) -> None:
    assert repeats(UNION, sentence)
    assert is_copy(UNION, sentence)
    assert is_copy(sentence, UNION)


def test_a_vaguer_sentence_repeats_but_is_no_copy() -> None:
    vague, exact = "The fire injured people in Wexley.", "The fire injured 14 people in Wexley on Friday night."
    assert repeats(vague, exact)
    assert not repeats(exact, vague)
    assert not is_copy(vague, exact)


def test_nothing_repeats_nothing() -> None:
    assert not repeats("", UNION)
    assert not repeats("...", "...")
