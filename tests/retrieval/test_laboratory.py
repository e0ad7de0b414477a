"""What the retrieval laboratory measures with, where it is more than a loop."""

from __future__ import annotations

from benchmarks.expansion import mistyped
from benchmarks.passages import Setting, neighbours
from rag.ingestion.passages import passages

SENTENCES = [f"In the year {n} the harbour master let the ships wait for the storm to pass." for n in range(20)]
TEXT = " ".join(SENTENCES)


def test_without_overlap_passages_are_the_products() -> None:
    assert Setting().spans(TEXT) == passages(TEXT)
    assert Setting(60).spans(TEXT) == passages(TEXT, tokens=60)


def test_an_overlap_begins_with_the_last_sentence_of_the_passage_before() -> None:
    plain, again = Setting(60).spans(TEXT), Setting(60, overlap=1).spans(TEXT)
    assert len(plain) == len(again) > 3
    assert again[0] == plain[0]
    for before, span, repeated in zip(plain, plain[1:], again[1:], strict=False):
        sentence = TEXT[repeated.start : before.end]
        assert sentence in SENTENCES
        assert repeated.end == span.end


def test_what_stands_in_front() -> None:
    document = ("1", "Storm", " It blew. ")
    assert Setting().draft(document, "2024-02-01").title == "Storm"
    assert Setting(front="title and date").draft(document, "2024-02-01").title == "Storm (2024-02-01)"
    assert Setting(front="title and date").draft(document, None).title == "Storm"
    assert Setting(front="nothing").draft(document, None).title == ""
    assert Setting(front="title for words").embedded("Storm\nIt blew.") == "It blew."
    assert Setting(front="nothing").embedded("\nIt blew.") == "It blew."
    assert Setting().embedded("Storm\nIt blew.") == "Storm\nIt blew."


def test_neighbours_of_a_passage() -> None:
    assert neighbours("a.b.v2.9") == ("a.b.v2.8", "a.b.v2.10")


def test_a_slip_makes_the_rarest_name_unknown() -> None:
    held = {"ostrava": 9, "grimsund": 2}
    slip = mistyped("Why did Ostrava write to Grimsund today?", lambda word: held.get(word.casefold(), 0))
    assert slip is not None
    assert "Ostrava" in slip
    assert "Grimsund" not in slip
    assert mistyped("Why did nobody write?", lambda word: 1) is None
