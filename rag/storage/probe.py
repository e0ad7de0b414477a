"""Compares a Chroma folder with the library, in a process of its own: a damaged index can crash its reader.

Run as `python -m rag.storage.probe LIBRARY FOLDER MODEL`; prints one JSON object.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from rag.records import Filters
from rag.storage.library import Library
from rag.storage.vectors import IndexUnusable, VectorIndex

_SAMPLE = 24
_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class IndexDamage:
    """How an index compares: ids on both sides, and how many sampled passages did not find themselves."""

    missing: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    sampled: int = 0
    lost: int = 0
    broken: str = ""

    @property
    def damaged(self) -> bool:
        # HNSW is approximate: one of a sample may miss itself in a sound index, a tenth may not.
        return bool(self.broken) or self.lost * 10 > self.sampled

    @property
    def agrees(self) -> bool:
        return not (self.damaged or self.missing or self.surplus)


def probe(library: Path, folder: Path, model: str) -> IndexDamage:
    """Check the folder in a child process; a crash is a finding, not a failure."""
    command = [sys.executable, "-m", "rag.storage.probe", str(library), str(folder), model]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        said = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return IndexDamage(broken="it could not be read within five minutes")
    except json.JSONDecodeError:
        return IndexDamage(broken=f"reading it ended the process (exit {done.returncode})")
    return IndexDamage(tuple(said.pop("missing")), tuple(said.pop("surplus")), **said)


def compare(library: Library, index: VectorIndex, model: str) -> IndexDamage:
    wanted = library.index_ids()
    present = index.ids()
    common = [id_ for id_ in wanted if id_ in present]
    sample = common[:: max(1, len(common) // _SAMPLE)][:_SAMPLE]
    lost = 0
    for row in library.index_rows(model, sample):
        nearest = index.query(row.vector, 1, Filters())
        # Copies of one text share a vector, so the similarity tells, not the id.
        lost += not nearest or nearest[0][1] < 0.999
    surplus = present.difference(wanted)
    return IndexDamage(
        missing=tuple(id_ for id_ in wanted if id_ not in present),
        surplus=tuple(sorted(surplus)),
        sampled=len(sample),
        lost=lost,
    )


def main(library: str, folder: str, model: str) -> None:
    try:
        finding = compare(Library(Path(library)), VectorIndex(Path(folder)), model)
    except IndexUnusable as error:
        finding = IndexDamage(broken=error.message)
    sys.stdout.write(json.dumps(asdict(finding)))


if __name__ == "__main__":
    main(*sys.argv[1:])
