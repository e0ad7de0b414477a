"""The retriever on a real library, index and encoder."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from rag.models.local_encoder import LocalEncoder
from rag.records import Document, Filters, Hit, Span
from rag.retrieval.retriever import Retriever
from rag.storage.index_sync import IndexSync
from rag.storage.library import Library

TEXTS = {
    "ferry": ("2024-01-05", "Coast Post", "The ferry to Grimsund was cancelled because of high waves."),
    "boat": ("2024-02-05", "Coast Post", "Storm swell kept the passenger boat in its harbour for two days."),
    "vote": ("2024-03-05", "City Desk", "The council of Grimsund voted against a new tram line."),
    "fish": ("2024-04-05", "City Desk", "Herring catches doubled, the fishery office reported."),
    "truce": (None, None, "A cease-fire between the clans of Ostrava Valley held for a week."),
    "prize": ("2024-06-05", None, "A baker won 12,500 crowns for the longest loaf of the province."),
}


@pytest.fixture
def retriever(tmp_path: Path, encoder: LocalEncoder) -> Iterator[Retriever]:
    library = Library(tmp_path / "library.sqlite3")
    with library.transaction() as changes:
        for name, (published, publisher, text) in TEXTS.items():
            draft = Document(text, "Short news", f"file:///{name}", id=name, published=published, publisher=publisher)
            changes.write(draft, changes.place(draft), [Span(0, len(text))])
        changes.embed_added(encoder.name, encoder.encode)
    projection = IndexSync(library, tmp_path / "library.sqlite3", tmp_path / "chroma", encoder.name, print)
    yield Retriever(library, projection, encoder.encode)
    projection.close()
    library.close()


def ids(hits: list[Hit]) -> list[str]:
    return [hit.article.id for hit in hits]


def narrowed(retriever: Retriever, **changes: object) -> Retriever:
    return Retriever(retriever.library, retriever.projection, retriever.encode, **changes)  # type: ignore[arg-type]


def test_the_words_and_the_meaning_both_count(retriever: Retriever) -> None:
    hits = retriever.retrieve("Why was the ferry to Grimsund cancelled?")
    assert ids(hits)[0] == "ferry"
    assert "boat" in ids(hits)[:3]  # not a word in common
    assert all(0 <= hit.score <= 1 for hit in hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_every_hit_of_both_indexes_has_its_similarity(retriever: Retriever) -> None:
    question = "Grimsund tram"
    vector = retriever.encode([question])[0]
    for hit in narrowed(retriever, depth=1).retrieve(question):
        own = retriever.encode([f"{hit.article.title}\n{hit.passage.text}"])[0]
        assert hit.cosine == pytest.approx(float(own @ vector), abs=1e-5)


def test_one_index_alone(retriever: Retriever) -> None:
    lexical = retriever.retrieve("Grimsund", method="lexical")
    assert set(ids(lexical)) == {"ferry", "vote"}
    assert [hit.cosine for hit in lexical] == [None, None]
    dense = retriever.retrieve("Grimsund", method="dense")
    assert len(dense) == len(TEXTS)
    assert {hit.lexical for hit in dense} == {0.0}
    assert [hit.cosine for hit in dense] == sorted((hit.cosine or 0 for hit in dense), reverse=True)


def test_exact_search_finds_what_the_index_finds_in_a_small_library(retriever: Retriever) -> None:
    for method in ("hybrid", "dense"):
        found = retriever.retrieve("boats in a storm", method=method)
        exact = narrowed(retriever, exact=True).retrieve("boats in a storm", method=method)
        assert ids(exact) == ids(found)
        assert [hit.cosine for hit in exact] == pytest.approx([hit.cosine for hit in found], abs=1e-4)


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        (Filters(since=date(2024, 2, 1), until=date(2024, 3, 31)), {"boat", "vote"}),
        (Filters(publishers=("coast post ",)), {"ferry", "boat"}),
        (Filters(since=date(2024, 4, 1), publishers=("City Desk",)), {"fish"}),
        (Filters(since=date(2030, 1, 1)), set()),
    ],
)
def test_filters_hold_in_both_indexes(retriever: Retriever, filters: Filters, left: set[str]) -> None:
    question = "Grimsund herring ferry boat"
    assert set(ids(retriever.retrieve(question, filters))) == left
    assert set(ids(retriever.retrieve(question, filters, method="dense"))) == left
    assert set(ids(retriever.retrieve(question, filters, method="lexical"))) <= left


@pytest.mark.parametrize("farthest", [0, 4000], ids=["Chroma filters", "the nearest are looked through"])
@pytest.mark.parametrize("since", [date(2024, 2, 1), date(2024, 4, 1), date(2024, 7, 1)])
def test_wide_filters_find_what_comparing_one_by_one_finds(
    retriever: Retriever, monkeypatch: pytest.MonkeyPatch, since: date, farthest: int
) -> None:
    monkeypatch.setattr("rag.storage.index_sync._FEW", 1)
    monkeypatch.setattr("rag.storage.index_sync._FARTHEST", farthest)
    filters = Filters(since=since)
    vector = retriever.encode(["weather"])[0]
    for limit in (1, 2, 10):
        exact = retriever.projection.exact(vector, limit, filters)
        found = retriever.projection.query(vector, limit, filters)
        assert [id_ for id_, _ in found] == [id_ for id_, _ in exact]
        assert [cosine for _, cosine in found] == pytest.approx([cosine for _, cosine in exact], abs=1e-4)


def test_what_only_the_meaning_finds_has_its_lexical_score(retriever: Retriever) -> None:
    question = "Grimsund ferry waves tram"
    whole = {hit.article.id: hit.lexical for hit in retriever.retrieve(question)}
    few = {hit.article.id: hit.lexical for hit in narrowed(retriever, depth=1).retrieve(question, top_k=1)}
    assert few == {id_: whole[id_] for id_ in few}
    assert whole["vote"] > 0


def test_an_empty_library_finds_nothing(tmp_path: Path, encoder: LocalEncoder) -> None:
    library = Library(tmp_path / "empty.sqlite3")
    projection = IndexSync(library, tmp_path / "empty.sqlite3", tmp_path / "none", encoder.name, print)
    for exact in (False, True):
        assert Retriever(library, projection, encoder.encode, exact=exact).retrieve("anything") == []
    projection.close()
    library.close()


def test_a_passage_that_has_no_vector_is_no_candidate(retriever: Retriever) -> None:
    assert retriever.projection.vectors(["nothing.v1.0"]) == {}
    (only,) = retriever.projection.vectors(["ferry.v1.0", "gone.v1.0"]).values()
    assert np.linalg.norm(only) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("ceasefire", ["truce"]),
        ("cease-fire", ["truce"]),
        ("cease fire", ["truce"]),
        ("12500", ["prize"]),
        ("12,500", ["prize"]),
        ("Ostravá", ["truce"]),
        ("herrings", ["fish"]),
    ],
)
def test_spellings_meet(retriever: Retriever, question: str, found: list[str]) -> None:
    assert ids(retriever.retrieve(question, method="lexical")) == found


def test_spelling_is_corrected_before_the_search_and_not_in_it(retriever: Retriever) -> None:
    assert retriever.correct_spelling("What did Grimsumd vote on?") == "What did Grimsund vote on?"
    assert retriever.correct_spelling("What did Grimsund vote on?") == "What did Grimsund vote on?"
    assert ids(retriever.retrieve("Grimsumd", method="lexical")) == []


def test_a_common_word_is_left_out_where_others_are_found(
    retriever: Retriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.retrieval.retriever._COMMON", 2)
    assert ids(retriever.retrieve("Grimsund tram council", method="lexical")) == ["vote"]
    assert set(ids(retriever.retrieve("Grimsund tram", method="lexical"))) == {"ferry", "vote"}


class Shortest:
    """A reranker that likes short texts."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def score(self, question: str, passages: Sequence[tuple[str, str]]) -> list[float]:
        self.seen = list(passages)
        return [-float(len(text)) for _, text in passages]


def test_the_reranker_decides_the_order(retriever: Retriever) -> None:
    question, lengths = "boats in a storm", {name: len(text) for name, (_, _, text) in TEXTS.items()}
    shortest = Shortest()
    reranking = narrowed(retriever, reranker=shortest)
    hits = reranking.retrieve(question, top_k=3)
    assert ids(hits) == sorted(TEXTS, key=lengths.__getitem__)[:3]
    assert hits[0].score == 1
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    plain = retriever.retrieve(question)
    assert shortest.seen == [("Short news", hit.passage.text) for hit in plain]
    assert {hit.article.id: hit.cosine for hit in reranking.retrieve(question)} == {
        hit.article.id: hit.cosine for hit in plain
    }


def test_what_the_reranker_does_not_see_comes_last(retriever: Retriever, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.retrieval.retriever._RERANKED", 2)
    question = "boats in a storm"
    plain = ids(retriever.retrieve(question))
    hits = narrowed(retriever, reranker=Shortest()).retrieve(question)
    assert set(ids(hits)[:2]) == set(plain[:2])
    assert ids(hits)[2:] == plain[2:]
    assert [hit.score for hit in hits] == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_one_index_alone_is_not_reranked(retriever: Retriever) -> None:
    for method in ("lexical", "dense"):
        plain = retriever.retrieve("ferry boat Grimsund", method=method)
        assert narrowed(retriever, reranker=Shortest()).retrieve("ferry boat Grimsund", method=method) == plain


def test_an_empty_library_has_nothing_to_rerank(tmp_path: Path, encoder: LocalEncoder) -> None:
    library = Library(tmp_path / "empty.sqlite3")
    projection = IndexSync(library, tmp_path / "empty.sqlite3", tmp_path / "none", encoder.name, print)
    assert Retriever(library, projection, encoder.encode, reranker=Shortest()).retrieve("anything") == []
    projection.close()
    library.close()
