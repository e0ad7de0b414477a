"""Which articles examples are looked for in."""

from pathlib import Path

from rag.records import Document
from rag.storage.library import Library


def put(library: Library, name: str, published: str | None = None) -> str:
    draft = Document(text=f"{name} fell on Bergen.", title=name, source=f"file:///{name}.txt", published=published)
    with library.transaction() as changes:
        placement = changes.place(draft)
        changes.write(draft, placement, [])
        changes.remember(draft, placement)
    return placement.article_id


def test_the_newest_articles_come_first_and_undated_ones_last(tmp_path: Path) -> None:
    library = Library(tmp_path / "library.sqlite3")
    older_undated, newer_undated = put(library, "Sleet"), put(library, "Hail")
    new, old = put(library, "Rain", "2024-03-15"), put(library, "Snow", "2019-01-02")
    assert library.newest(10) == [new, old, newer_undated, older_undated]
    assert library.newest(3) == [new, old, newer_undated]
    assert library.newest(1) == [new]


def test_an_earlier_version_and_a_removed_article_do_not_count(tmp_path: Path) -> None:
    library = Library(tmp_path / "library.sqlite3")
    rain, snow = put(library, "Rain", "2024-03-15"), put(library, "Snow", "2019-01-02")
    changed = Document(text="Rain fell on Oslo.", title="Rain", source="file:///Rain.txt", published="2018-03-15")
    with library.transaction() as changes:
        placement = changes.place(changed)
        changes.write(changed, placement, [])
        changes.remember(changed, placement)
    assert library.newest(10) == [snow, rain]
    with library.transaction() as changes:
        changes.remove(snow)
    assert library.newest(10) == [rain]
