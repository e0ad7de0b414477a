"""Which quotes hold an expected string."""

import pytest

from rag.evaluation.matching import holds, tokens


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        ("The CEASE-FIRE began at dawn.", "cease-fire"),
        ("The ceasefire began at dawn.", "cease-fire"),
        ("The cease fire began at dawn.", "Cease-fire"),
        ("It cost 1,200 crowns.", "1200"),
        ("It cost 1,200, she said.", "1200 she"),
        ("Nearly $6 billion was moved.", "6 billion"),
        ("Nearly 6,000,000,000 dollars were moved.", "$6 billion"),
        ("Nearly $6bn was moved.", "$6 billion"),
        ("It sold for €1.5m in May.", "1.5 million"),
        ("Six ships sank.", "6"),
        ("6 ships sank.", "six ships"),
        ("Twenty-one ships sank.", "21 ships"),
        ("Two hundred and six ships sank.", "206"),
        ("In two thousand and five it closed.", "2005"),
        ("Three hundred thousand people came.", "300,000 people"),
        ("Wages rise by 12%.", "12 percent"),
        ("Wages rise by 12 per cent.", "12%"),
        ("The U.S. navy", "US navy"),
        ("on the third day", "3rd day"),
        ("3.50 metres", "3.5"),
        ("“Iran’s partners”", "Iran's partners"),
        ("in São Tomé", "Sao Tome"),
        ("They won 24–10.", "24-10"),
        ("What is ∅?", "∅"),
    ],
)
def test_the_same_said_otherwise(quote: str, expected: str) -> None:
    assert holds(quote, expected)


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        ("It cost 1,200 crowns.", "200"),
        ("It cost 12,000 crowns.", "1,200"),
        ("Six million came.", "6"),
        ("Nearly $6.5 billion was moved.", "$6 billion"),
        ("Wages rise by 3.55 percent.", "3.5"),
        ("The Iranian side", "Iran"),
        ("Two ships, and six boats", "two and six"),
        ("They had ten and six.", "16"),
        ("A fire began; they cease.", "cease-fire"),
        ("", "anything"),
    ],
)
def test_something_else(quote: str, expected: str) -> None:
    assert not holds(quote, expected)


def test_numbers_in_a_row_stay_apart() -> None:
    assert tokens("1, 2, 3 and two hundred million") == ["1", "2", "3", "and", "200000000"]
    assert tokens("2024-03-15") == ["2024", "3", "15"]


@pytest.mark.parametrize("text", ["9" * 5000, "million " * 2000, "hundred and " * 2000, "²³ ١٢ ½", "-" * 999, "\ud800"])
def test_odd_texts_have_tokens_too(text: str) -> None:
    assert holds(text, "nothing of it") is False
