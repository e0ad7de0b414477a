import sqlite3
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.errors import LibraryDamaged, LibraryTooNew, UnknownArticle
from rag.records import Document, Filters, IngestStatus, Span, StoredExchange
from rag.storage.conversations import Conversations
from rag.storage.database import Database
from rag.storage.deliveries import Deliveries, Delivery
from rag.storage.feedback import FeedbackStore
from rag.storage.library import Library
from rag.storage.search import VECTOR, Passing

DRAFT = Document(text="Rain fell on Bergen. It fell all day.", title="Rain", source="file:///a.txt")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library.sqlite3")


def put(library: Library, draft: Document) -> tuple[IngestStatus, str]:
    with library.transaction() as changes:
        placement = changes.place(draft)
        if placement.writes:
            changes.write(draft, placement, [Span(0, len(draft.text))])
            changes.embed_added("m", lambda texts: np.ones((len(texts), 4), dtype=np.float32))
        changes.remember(draft, placement)
    return placement.status, placement.article_id


def found(library: Library, word: str) -> list[str]:
    return [library.passages([id_])[id_][0].text for id_, _ in library.match(f'"{word}"', Filters(), 10)]


def test_the_same_source_again_is_unchanged(library: Library) -> None:
    assert put(library, DRAFT)[0] == "added"
    generation = library.generation
    assert put(library, DRAFT)[0] == "unchanged"
    assert library.counts() == (1, 1)
    assert library.generation == generation


def test_a_changed_source_is_updated_and_its_old_text_kept(library: Library) -> None:
    _, id_ = put(library, DRAFT)
    status, same = put(library, replace(DRAFT, text="Snow fell on Bergen."))
    assert (status, same) == ("updated", id_)
    assert found(library, "day") == []
    assert library.article(id_).text == "Snow fell on Bergen."
    assert library.article(id_, 1).text == DRAFT.text
    assert library.counts() == (1, 1)


def test_a_new_title_alone_is_an_update(library: Library) -> None:
    put(library, DRAFT)
    status, id_ = put(library, replace(DRAFT, title="Downpour"))
    assert status == "updated"
    assert library.article(id_).title == "Downpour"


def test_the_same_text_elsewhere_is_one_article_with_two_addresses(library: Library) -> None:
    _, id_ = put(library, DRAFT)
    copy = replace(DRAFT, source="file:///b.txt", title="Other title", text="Rain fell on  Bergen.\n\nIt fell all day.")
    assert put(library, copy) == ("duplicate", id_)
    assert library.article(id_).addresses == ("file:///a.txt", "file:///b.txt")
    assert put(library, copy)[0] == "unchanged"
    assert put(library, DRAFT)[0] == "unchanged"
    assert library.article(id_).title == "Rain"


def test_when_one_of_two_addresses_changes_the_other_keeps_the_text(library: Library) -> None:
    _, id_ = put(library, DRAFT)
    put(library, replace(DRAFT, source="file:///b.txt"))
    status, changed = put(library, replace(DRAFT, text="Sun at last."))
    assert (status, changed) == ("updated", id_)
    assert library.counts() == (2, 2)
    (other,) = [a.id for a in library.articles() if a.id != id_]
    assert library.article(other).text == DRAFT.text
    assert library.article(other).addresses == ("file:///b.txt",)
    assert put(library, replace(DRAFT, source="file:///b.txt"))[0] == "unchanged"
    assert library.without_vector("m", 10) == []


def test_a_source_that_becomes_a_copy_joins_the_article_it_copies(library: Library) -> None:
    _, first = put(library, DRAFT)
    second_draft = Document(text="Snow in Oslo.", title="Snow", source="file:///b.txt")
    _, second = put(library, second_draft)
    assert put(library, replace(DRAFT, source="file:///b.txt")) == ("duplicate", first)
    assert library.counts()[0] == 1
    assert [a.id for a in library.articles()] == [first]
    assert library.article(second).id == first
    assert library.article(second, 1).text == "Snow in Oslo."
    with library.transaction() as changes:
        changes.remove(second)
    with pytest.raises(UnknownArticle):
        library.article(second, 1)
    assert library.counts() == (0, 0)


def test_a_source_that_was_a_copy_goes_its_own_way_again(library: Library) -> None:
    _, first = put(library, replace(DRAFT, id="wire/7", source="id:wire/7"))
    put(library, Document("Snow in Oslo.", "Snow", "id:wire/8", id="wire/8"))
    put(library, replace(DRAFT, id="wire/8", source="id:wire/8"))
    assert library.article("wire/8").id == first == "wire/7"
    status, id_ = put(library, Document("Sun in Oslo.", "Sun", "id:wire/8", id="wire/8"))
    assert (status, id_) == ("updated", "wire/8")
    assert library.article("wire/8").text == "Sun in Oslo."
    assert library.article("wire/8", 1).text == "Snow in Oslo."
    assert library.article("wire/7").text == DRAFT.text
    assert library.counts() == (2, 2)


@pytest.mark.parametrize("edited", ["file:///a.txt", "file:///b.txt"])
def test_either_of_two_copies_may_be_edited(library: Library, edited: str) -> None:
    put(library, DRAFT)
    put(library, replace(DRAFT, source="file:///b.txt"))
    assert put(library, replace(DRAFT, source=edited, text="Sun at last."))[0] == "updated"
    texts = {library.article(a.id).addresses: library.article(a.id).text for a in library.articles()}
    other = "file:///b.txt" if edited == "file:///a.txt" else "file:///a.txt"
    assert texts == {(edited,): "Sun at last.", (other,): DRAFT.text}
    for source, text in ((edited, "Sun at last."), (other, DRAFT.text)):
        assert put(library, replace(DRAFT, source=source, text=text))[0] == "unchanged"
    assert put(library, replace(DRAFT, source=edited))[0] == "duplicate"
    assert library.counts() == (1, 1)


def test_a_paste_stays_when_a_file_that_copied_it_changes(library: Library) -> None:
    paste = replace(DRAFT, source=None)
    put(library, paste)
    assert put(library, DRAFT)[0] == "duplicate"
    assert put(library, replace(DRAFT, text="Sun at last."))[0] == "updated"
    assert found(library, "rain") != []
    assert put(library, paste)[0] == "unchanged"
    assert library.counts() == (2, 2)


def test_an_edit_of_case_alone_is_an_edit(library: Library) -> None:
    _, id_ = put(library, DRAFT)
    assert put(library, replace(DRAFT, text=DRAFT.text.replace("all day", "ALL DAY")))[0] == "updated"
    assert "ALL DAY" in library.article(id_).text


def test_a_pasted_text_is_known_again(library: Library) -> None:
    paste = replace(DRAFT, source=None)
    assert put(library, paste)[0] == "added"
    assert put(library, paste)[0] == "unchanged"


def test_an_id_of_its_own_names_the_article(library: Library) -> None:
    status, id_ = put(library, replace(DRAFT, id="wire/7", source="id:wire/7"))
    assert (status, id_) == ("added", "wire/7")
    status, id_ = put(library, replace(DRAFT, id="wire/8", source="id:wire/8"))
    assert (status, id_) == ("duplicate", "wire/7")
    assert library.article("wire/8").id == "wire/7"


def test_removing_takes_versions_vectors_and_addresses(library: Library) -> None:
    _, id_ = put(library, DRAFT)
    put(library, replace(DRAFT, text="Snow fell."))
    with library.transaction() as changes:
        changes.remove(id_)
    assert library.counts() == (0, 0)
    assert found(library, "snow") == []
    with pytest.raises(UnknownArticle):
        library.article(id_)
    with pytest.raises(UnknownArticle), library.transaction() as changes:
        changes.remove(id_)
    assert put(library, DRAFT)[0] == "added"


def test_a_failing_transaction_leaves_nothing(library: Library) -> None:
    with pytest.raises(ZeroDivisionError), library.transaction() as changes:
        changes.write(DRAFT, changes.place(DRAFT), [Span(0, 20)])
        raise ZeroDivisionError
    assert library.counts() == (0, 0)
    assert found(library, "rain") == []
    assert library.integrity() == "ok"


def test_bytes_that_were_read_are_known_while_their_article_stays(library: Library) -> None:
    first, second = replace(DRAFT, fingerprint="f1"), replace(DRAFT, text="Snow fell.", fingerprint="f2")
    assert not library.knows("f1")
    _, id_ = put(library, first)
    assert library.knows("f1")
    put(library, second)
    assert library.knows("f2") and not library.knows("f1")
    assert put(library, first)[0] == "updated"
    with library.transaction() as changes:
        changes.remove(id_)
    assert not library.knows("f1")


def test_bytes_are_not_known_once_their_address_has_moved_on(library: Library) -> None:
    put(library, replace(DRAFT, fingerprint="f1"))
    put(library, replace(DRAFT, source="file:///b.txt", fingerprint="f2"))
    put(library, Document("Snow in Oslo.", "Snow", "file:///c.txt"))
    put(library, Document("Snow in Oslo.", "Snow", "file:///b.txt"))
    assert library.knows("f1") and not library.knows("f2")


def test_a_damaged_lexical_index_is_found_and_made_anew(library: Library, tmp_path: Path) -> None:
    put(library, DRAFT)
    database = Database(tmp_path / "library.sqlite3")
    with database.writing() as connection:
        connection.execute("DELETE FROM passages_fts_data")
    database.close()
    assert "lexical" in library.integrity()
    library.rebuild_lexical()
    assert library.integrity() == "ok"
    assert found(library, "rain") == [DRAFT.text]


def test_filters_hold_in_the_lexical_index(library: Library) -> None:
    from datetime import date

    for n, (day, publisher) in enumerate([("2024-01-05", "AP"), ("2024-02-05T10:00:00", "Reuters"), (None, "AP")]):
        put(library, Document(f"Rain number {n}.", "T", f"file:///{n}", publisher=publisher, published=day))

    def texts(filters: Filters) -> set[str]:
        return {library.passages([i])[i][0].text[-2] for i, _ in library.match('"rain"', filters, 10)}

    assert texts(Filters()) == {"0", "1", "2"}
    assert texts(Filters(since=date(2024, 1, 6))) == {"1"}
    assert texts(Filters(until=date(2024, 2, 5))) == {"0", "1"}
    assert texts(Filters(publishers=("ap",))) == {"0", "2"}
    assert texts(Filters(since=date(2024, 1, 1), publishers=("AP ", "dpa"))) == {"0"}
    assert library.undated() == 1


def test_articles_are_listed_in_pages(library: Library) -> None:
    for n in range(5):
        put(library, Document(f"Text {n}.", f"Title {n}", f"file:///{n}", id=f"a{n}"))
    first = library.articles(limit=2)
    assert [a.id for a in first] == ["a0", "a1"]
    assert [a.id for a in library.articles(limit=10, after="a1")] == ["a2", "a3", "a4"]
    assert first[0].passages == 1


def test_a_library_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    database = Database(path)
    with database.writing() as connection:
        connection.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(LibraryTooNew, match="newer version"):
        Library(path)


def test_a_file_that_is_no_library_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    path.write_bytes(b"this is not a database, but somebody's notes" * 50)
    with pytest.raises(LibraryDamaged):
        Library(path)
    assert path.read_bytes().startswith(b"this is not")


def of_format(path: Path, version: int) -> None:
    """Take out of a new library what came after this format."""
    old = sqlite3.connect(path)
    for table, column in (("exchanges", "filters"), ("deliveries", "edits")):
        old.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    for name in ("deliveries", "channels") if version < 4 else ():
        old.execute(f"DROP TABLE {name}")
    for name in ("exchanges", "conversations", "feedback") if version < 3 else ():
        old.execute(f"DROP TABLE {name}")
    if version < 2:
        for name in ("versions_day", "versions_publisher", "passages_version"):
            old.execute(f"DROP INDEX {name}")
        old.execute("CREATE INDEX passages_article ON passages (article_id)")
    old.execute(f"PRAGMA user_version = {version}")
    old.close()


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_library_of_an_older_format_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    path = tmp_path / "library.sqlite3"
    library = Library(path)
    put(library, replace(DRAFT, published="2024-05-01"))
    library.close()
    of_format(path, version)
    library = Library(path)
    assert library.passing(Filters(since=date(2024, 5, 1))).count == 1
    begun = Conversations(library.database).begin("me", "Rain")
    assert Conversations(library.database).mine("me") == [begun]
    assert FeedbackStore(library.database).all() == []
    assert Deliveries(library.database).claim(Delivery("Ev1"))
    library.close()
    new = sqlite3.connect(path)
    assert new.execute("PRAGMA user_version").fetchone()[0] == 5
    names = {row[0] for row in new.execute("SELECT name FROM sqlite_master")}
    assert {"versions_day", "versions_publisher", "passages_version", "conversations_owner"} <= names
    assert "passages_article" not in names
    new.close()


def test_questions_of_an_older_format_were_narrowed_as_their_conversation_is(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    library = Library(path)
    conversations = Conversations(library.database)
    narrowing = Filters(since=date(2024, 5, 1), publishers=("AP",))
    begun = conversations.begin("me", "Rain", narrowing)
    conversations.keep(begun.id, "me", StoredExchange("k", "Did it rain?"))
    library.close()
    of_format(path, 4)
    library = Library(path)
    assert Conversations(library.database).asked(begun.id, "me") == [
        StoredExchange("k", "Did it rain?", filters=narrowing)
    ]
    library.close()


def test_passing_is_estimated_from_articles(library: Library) -> None:
    assert library.passing(Filters(since=date(2024, 1, 3))) == Passing(0, 0.0)
    for n in range(1, 6):
        put(library, Document(f"Text {n}.", "T", f"file:///{n}", published=f"2024-01-0{n}"))
    assert library.passing(Filters(since=date(2024, 1, 3))) == Passing(3, 0.6)
    assert library.passing(Filters(publishers=("nobody",))) == Passing(0, 0.0)
    assert library.passing(Filters()) == Passing(5, 1.0)


@pytest.fixture
def rainy(library: Library) -> Library:
    """Twenty reports, one a day: the later, the longer, and so the further down for "rain"."""
    for n in range(1, 21):
        text = f"Rain on day {n}." + " Nothing else happened." * n
        put(library, Document(text, "T", f"file:///{n}", id=f"{n}", published=f"2024-01-{n:02}"))
    return library


@pytest.mark.parametrize(
    ("filters", "days"),
    [
        (Filters(), [1, 2]),
        (Filters(since=date(2024, 1, 2)), [2, 3]),  # most of the best pass
        (Filters(since=date(2024, 1, 6)), [6, 7]),  # most pass, but none of the best does
        (Filters(since=date(2024, 1, 19)), [19, 20]),  # few pass
        (Filters(since=date(2024, 1, 20)), [20]),
        (Filters(since=date(2024, 2, 1)), []),
    ],
)
def test_the_best_that_pass_are_found_under_wide_and_narrow_filters(
    rainy: Library, filters: Filters, days: list[int]
) -> None:
    found = rainy.match('"rain"', filters, 2)
    assert [id_ for id_, _ in found] == [f"{day}.v1.0" for day in days]
    everything = dict(rainy.match('"rain"', Filters(), 100))
    assert found == [(f"{day}.v1.0", everything[f"{day}.v1.0"]) for day in days]


def test_a_rare_word_is_found_under_a_wide_filter(rainy: Library) -> None:
    put(rainy, Document("A comet.", "T", "file:///comet", id="comet", published="2024-01-21"))
    assert [id_ for id_, _ in rainy.match('"comet"', Filters(since=date(2024, 1, 2)), 2)] == ["comet.v1.0"]


def test_scores_are_those_of_the_search(rainy: Library) -> None:
    everything = dict(rainy.match('"rain" OR "nothing"', Filters(), 100))
    asked = ["3.v1.0", "17.v1.0", "gone.v1.0"]
    assert rainy.scores('"rain" OR "nothing"', asked) == {id_: everything[id_] for id_ in asked[:2]}
    assert rainy.scores('"snow"', asked) == {}
    assert rainy.scores('"rain"', []) == {}


def test_among_keeps_the_first_that_pass(rainy: Library) -> None:
    found = [(f"{n}.v1.0", float(-n)) for n in (20, 3, 11, 4, 99, 12)]
    assert rainy.among(found, Filters(since=date(2024, 1, 10)), 2) == [found[0], found[2]]
    assert rainy.among(found, Filters(until=date(2024, 1, 4)), 9) == [found[1], found[3]]
    assert rainy.among([], Filters(until=date(2024, 1, 4)), 9) == []


def test_vectors_are_looked_up_by_passage(tmp_path: Path, library: Library) -> None:
    """Not one by one out of all: that took 150 ms in a library of 80,000 passages."""
    connection = sqlite3.connect(tmp_path / "library.sqlite3")
    query = f"EXPLAIN QUERY PLAN SELECT x.vector FROM passages p {VECTOR} WHERE p.id IN (?, ?)"
    first, second = (row[3] for row in connection.execute(query, ("m", "a", "b")))
    assert first.startswith("SEARCH p")
    assert second.startswith("SEARCH x")
    assert "input_hash=?" in second
    connection.close()


def _always(vector: NDArray[np.float32], texts: list[str]) -> NDArray[np.float32]:
    return np.repeat(vector, len(texts), axis=0)


def test_nearest_is_exact_and_ordered(library: Library) -> None:
    angles = {"file:///a": 0.1, "file:///b": 1.0, "file:///c": 0.5}
    with library.transaction() as changes:
        for source, angle in angles.items():
            vector = np.array([[np.cos(angle), np.sin(angle)]], np.float32)
            draft = Document(f"Text of {source}.", "T", source, id=source[-1])
            changes.write(draft, changes.place(draft), [Span(0, len(draft.text))])
            changes.embed_added("m", partial(_always, vector))
    found = library.nearest("m", np.array([1, 0], np.float32), 2, Filters())
    assert [id_ for id_, _ in found] == ["a.v1.0", "c.v1.0"]
    assert [cosine for _, cosine in found] == pytest.approx([np.cos(0.1), np.cos(0.5)], abs=1e-6)
    assert library.nearest("other model", np.array([1, 0], np.float32), 2, Filters()) == []
