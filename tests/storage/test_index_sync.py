"""The vector index against the library, on real Chroma folders that are damaged for real."""

import shutil
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from rag.errors import DiskFull, EncoderMismatch
from rag.records import Document, Filters, Span
from rag.storage.index_sync import IndexSync
from rag.storage.keys import input_hash, input_text
from rag.storage.library import Library
from rag.storage.vectors import VectorIndex, Vectors

DIMENSION = 32


def vector_of(text: str) -> Vectors:
    """A unit vector that depends on the text alone."""
    generator = np.random.default_rng(int(input_hash(text), 16) % 2**32)
    vector = generator.normal(size=DIMENSION).astype(np.float32)
    return vector / np.linalg.norm(vector)


class Encoder:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.calls += len(texts)
        return np.stack([vector_of(text) for text in texts])


class House:
    """A library with its index, that can be closed and opened again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.encoder = Encoder()
        self.said: list[str] = []
        self.open()

    def open(self, model: str = "m") -> None:
        self.library = Library(self.folder / "library.sqlite3")
        self.projection = IndexSync(
            self.library, self.folder / "library.sqlite3", self.folder / "chroma", model, self.said.append
        )

    def close(self) -> None:
        self.projection.close()
        self.library.close()

    def add(self, first: int, last: int) -> None:
        with self.library.transaction() as changes:
            for n in range(first, last):
                day = f"2024-01-{n % 28 + 1:02}" if n % 2 else None
                draft = Document(f"Text number {n}.", "T", f"file:///{n}", published=day, publisher="AP")
                changes.write(draft, changes.place(draft), [Span(0, len(draft.text))])
            changes.embed_added("m", self.encoder)
        self.changes = changes

    def nearest(self, n: int, filters: Filters = Filters()) -> list[str]:
        found = self.projection.query(vector_of(input_text("T", f"Text number {n}.")), 3, filters)
        return [self.library.passages([id_])[id_][0].text for id_, _ in found]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    house.add(0, 60)
    house.projection.apply(house.changes)
    yield house
    house.close()


def test_finds_what_was_projected_and_filters_hold(house: House) -> None:
    assert house.nearest(7)[0] == "Text number 7."
    only = Filters(since=date(2024, 1, 10), until=date(2024, 1, 12))
    assert house.nearest(7, only)[0] != "Text number 7."
    assert house.nearest(9, only)[0] == "Text number 9."
    assert "Text number 8." not in house.nearest(8, only)  # undated
    assert house.nearest(9, Filters(publishers=("dpa",))) == []


def test_a_clean_restart_needs_no_check(house: House) -> None:
    house.close()
    house.open()
    assert house.projection.examine().sampled == 0
    assert house.nearest(3)[0] == "Text number 3."


def test_what_a_killed_run_left_out_is_copied_at_the_next_start(house: House) -> None:
    house.add(60, 75)  # committed, but the process ends before the index hears of it
    house.close()
    house.open()
    assert len(house.projection.examine().missing) == 15
    encoded = house.encoder.calls
    assert house.nearest(70)[0] == "Text number 70."
    assert house.encoder.calls == encoded
    assert house.projection.trouble() == ""


def test_what_was_removed_behind_its_back_leaves_the_index(house: House) -> None:
    id_ = house.library.articles()[0].id
    with house.library.transaction() as changes:
        changes.remove(id_)
    house.close()
    house.open()
    assert house.projection.examine().surplus == tuple(changes.removed)
    house.projection.open()
    assert house.projection.trouble() == ""


def test_a_deleted_index_is_rebuilt_without_the_encoder(house: House) -> None:
    house.close()
    shutil.rmtree(house.folder / "chroma")
    house.open()
    encoded = house.encoder.calls
    assert house.nearest(11)[0] == "Text number 11."
    assert house.encoder.calls == encoded
    assert any("rebuilt" in line for line in house.said)


@pytest.mark.parametrize(
    ("damage", "pattern"),
    [
        ("zeros", "chroma.sqlite3"),
        ("gone", "chroma.sqlite3"),
        ("zeros", "data_level0.bin"),
        ("truncated", "link_lists.bin"),
        ("gone", "header.bin"),
        ("truncated", "*"),
    ],
)
def test_a_damaged_index_costs_nothing_but_a_rebuild(tmp_path: Path, damage: str, pattern: str) -> None:
    house = House(tmp_path)
    house.add(0, 1100)  # above the threshold at which Chroma writes its graph to files
    house.projection.apply(house.changes)
    house.close()
    files = [path for path in (tmp_path / "chroma").rglob(pattern) if path.is_file() and path.name != "clean.json"]
    assert files
    for path in files:
        if damage == "gone":
            path.unlink()
        else:
            size = path.stat().st_size
            path.write_bytes(b"\0" * size if damage == "zeros" else path.read_bytes()[: size // 3])
    house.open()
    for n in (5, 500, 1099):
        assert house.nearest(n)[0] == f"Text number {n}."
    assert house.projection.trouble() == ""
    assert house.encoder.calls == 1100
    house.close()


def test_an_update_that_failed_is_made_up_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(VectorIndex, "upsert", full)
        house.add(60, 62)
        with pytest.raises(DiskFull):
            house.projection.apply(house.changes)
    assert house.nearest(61)[0] == "Text number 61."
    assert house.projection.trouble() == ""


def test_an_index_that_vanishes_under_a_running_process_is_made_again(house: House) -> None:
    shutil.rmtree(house.folder / "chroma")
    house.add(60, 62)
    house.projection.apply(house.changes)
    assert house.nearest(61)[0] == "Text number 61."
    assert house.nearest(3)[0] == "Text number 3."
    assert house.projection.trouble() == ""


def full(*_: object) -> None:
    raise DiskFull("no room")


def test_damage_under_an_open_index_is_not_vouched_for(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.add(0, 1100)
    house.projection.apply(house.changes)
    for path in (tmp_path / "chroma").rglob("data_level0.bin"):
        path.write_bytes(b"\xff" * path.stat().st_size)
    assert "damaged" in house.projection.trouble()
    house.projection.repair(house.encoder)
    assert house.projection.trouble() == ""
    assert house.nearest(500)[0] == "Text number 500."
    house.close()


def test_another_encoder_is_refused_until_repaired(house: House) -> None:
    house.close()
    house.open(model="other")
    with pytest.raises(EncoderMismatch, match="doctor --repair"):
        house.nearest(1)
    assert "other" in house.projection.trouble()
    house.projection.repair(house.encoder)
    assert house.nearest(1)[0] == "Text number 1."
    assert house.projection.trouble() == ""


def test_repair_of_a_sound_index_changes_nothing(house: House) -> None:
    assert house.projection.repair(house.encoder) == []
    assert house.encoder.calls == 60
