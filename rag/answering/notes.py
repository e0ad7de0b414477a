"""Notes beside an answer: what a reader must know to judge it."""

from __future__ import annotations

from collections.abc import Sequence

from rag.records import Filters, Note, Source
from rag.storage.library import Library


def filter_notes(filters: Filters, library: Library, sources: Sequence[Source]) -> tuple[Note, ...]:
    """What the filters narrowed, what they left out, and which quoted sources have no date."""
    notes: list[Note] = []
    if filters:
        notes.append(Note("filtered", f"Only articles {_described(filters)} were searched."))
    undated = library.undated() if filters.dated else 0
    if undated:
        some = "1 article without a date was" if undated == 1 else f"{undated:,} articles without a date were"
        how = "asking over all dates (`--all-dates`, `all_dates`) includes them"
        notes.append(Note("undated", f"{some} left out by the date filter; {how}."))
    unknown = tuple(source.number for source in sources if source.published is None)
    if unknown:
        what = "a quoted article is" if len(unknown) == 1 else "some quoted articles is"
        notes.append(Note("undated", f"The publication date of {what} not known.", unknown))
    return tuple(notes)


def _described(filters: Filters) -> str:
    parts = []
    if filters.since and filters.until:
        parts.append(f"published from {filters.since} to {filters.until}")
    elif filters.since:
        parts.append(f"published on or after {filters.since}")
    elif filters.until:
        parts.append(f"published on or before {filters.until}")
    if filters.publishers:
        parts.append("by " + " or ".join(filters.publishers))
    return " ".join(parts)
