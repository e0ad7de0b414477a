"""Notes beside an answer: what a reader must know to judge it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rag.answering.periods.searching import Dated
from rag.answering.periods.telling import day_in_words, in_words
from rag.records import Filters, Note, Source
from rag.storage.library import Library

# Days after which the newest article is no longer news to whoever asks for the latest.
_STALE = 30
_ALL_DATES = "over all dates (`--all-dates`, `all_dates`)"


def filter_notes(filters: Filters, library: Library, sources: Sequence[Source]) -> tuple[Note, ...]:
    """What the filters narrowed, what they left out, and which quoted sources have no date."""
    notes: list[Note] = []
    if filters:
        notes.append(Note("filtered", f"Only articles {_described(filters)} were searched."))
    if filters.dated:
        notes.extend(_undated(library.undated(), "by the date filter"))
    unknown = tuple(source.number for source in sources if source.published is None)
    if unknown:
        what = "a quoted article is" if len(unknown) == 1 else "some quoted articles is"
        notes.append(Note("undated", f"The publication date of {what} not known.", unknown))
    return tuple(notes)


def period_notes(
    dated: Dated, filters: Filters, library: Library, today: date, sources: Sequence[Source]
) -> tuple[Note, ...]:
    """How the words for a time in a question were read, what that left out, and how old the newest is."""
    period = dated.period
    newest = max((source.published for source in sources if source.published), default=None)
    if not period.demanded:
        if not period.newest_first or newest is None or (today - date.fromisoformat(newest)).days <= _STALE:
            return ()
        numbers = tuple(source.number for source in sources if source.published == newest)
        day = day_in_words(date.fromisoformat(newest))
        return (Note("stale", f"The newest article that answers is from {day}.", numbers),)
    read = f"Read “{period.phrase}” as {in_words(period.since, period.until)}"
    if dated.overruled:
        return (Note("filtered", f"{read}, which the dates asked for exclude; those were kept."),)
    if dated.only_undated:
        only = "no dated article of that time answers; those quoted have no date and may tell of another time"
        return (Note("filtered", f"{read}; {only}."),)
    left = ""
    if dated.left_out:
        which = "nearer match" if dated.nearer else "match"
        some = (
            f"1 {which} from another date was"
            if dated.left_out == 1
            else f"{dated.left_out} {which}es from other dates were"
        )
        left = f"; {some} left out; ask {_ALL_DATES} to include {'it' if dated.left_out == 1 else 'them'}"
    undated = 0 if filters.dated else library.undated() - dated.kept_undated
    return (Note("filtered", f"{read}{left}."), *_undated(undated, f"by “{period.phrase}”"))


def _undated(count: int, by: str) -> tuple[Note, ...]:
    if count <= 0:
        return ()
    some = "1 article without a date was" if count == 1 else f"{count:,} articles without a date were"
    return (Note("undated", f"{some} left out {by}; asking {_ALL_DATES} includes {'it' if count == 1 else 'them'}."),)


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
