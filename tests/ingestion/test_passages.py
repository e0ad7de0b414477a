from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rag.english.sentences import sentences
from rag.ingestion.passages import estimate_tokens, pack, passages

SENTENCE = "The harbour master said that ships would wait until the storm had passed over the coast. "


def test_passages_are_about_the_size_asked_for() -> None:
    text = "\n\n".join(SENTENCE * 4 for _ in range(20))
    sizes = [estimate_tokens(text[span.start : span.end]) for span in passages(text, tokens=200)]
    assert len(sizes) > 5
    assert all(120 <= size <= 240 for size in sizes)


def test_a_paragraph_end_is_preferred() -> None:
    text = (SENTENCE * 8).strip() + "\n\n" + (SENTENCE * 8).strip()
    first, second = passages(text, tokens=200)
    assert text[first.end : second.start] == "\n\n"


def test_a_heading_stays_with_what_follows() -> None:
    text = (SENTENCE * 8).strip() + "\n\nWhat comes next\n\n" + (SENTENCE * 8).strip()
    _, second = passages(text, tokens=200)
    assert text[second.start :].startswith("What comes next")


def test_a_tiny_rest_is_no_passage_of_its_own() -> None:
    for extra in range(1, 12):
        text = SENTENCE * (11 + extra)
        sizes = [estimate_tokens(text[span.start : span.end]) for span in passages(text, tokens=200)]
        assert min(sizes) >= 40
        assert max(sizes) <= 240


def test_one_sentence_is_one_passage_and_no_text_is_none() -> None:
    assert len(passages("The port is open.")) == 1
    assert passages("") == passages(" \n\n ") == []


def test_east_asian_text_is_counted_by_its_characters() -> None:
    assert 18 <= estimate_tokens("外務大臣は交渉が続くと述べた。来週開催") <= 22


@given(st.text(alphabet="aZé.!?\n\r \t\"'”“אبم🚢字。…-1(", max_size=600), st.integers(5, 60))
def test_every_sentence_is_in_exactly_one_passage(text: str, tokens: int) -> None:
    spans = sentences(text)
    packed = pack(text, spans, tokens=tokens)
    assert packed == passages(text, tokens=tokens)
    assert [span.start for span in packed] == sorted({span.start for span in packed})
    inside = [
        [number for number, passage in enumerate(packed) if passage.start <= span.start and span.end <= passage.end]
        for span in spans
    ]
    assert all(len(found) == 1 for found in inside)
    assert len({found[0] for found in inside}) == len(packed)
    assert all(before.end <= after.start for before, after in pairwise(packed))
