"""Notes beside an answer: what a reader must know to judge it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from difflib import get_close_matches

from rag.answering.periods.period import Period
from rag.answering.periods.telling import day_in_words, in_words
from rag.answering.search import PassageSet, SearchOutcome
from rag.records import Filters, Note, Source
from rag.storage.keys import publisher_key
from rag.storage.library import Library

# Days after which the newest article is no longer news to whoever asks for the latest.
_STALE = 30
_ALL = -1  # publishers of the library
_NEAR = 0.7  # how alike two publishers' names must be for one to be meant by the other


def filter_notes(filters: Filters, library: Library, sources: Sequence[Source]) -> tuple[Note, ...]:
    """What the filters narrowed, what they left out, and which quoted sources have no date."""
    notes: list[Note] = []
    if filters:
        notes.append(Note("filtered", f"Only articles {_describe(filters)} were searched."))
    notes.extend(_publisher_notes(filters.publishers, library))
    if filters.dated:
        notes.extend(_undated_note(library.undated(filters.publishers), "by the date filter", advice=True))
    unknown = tuple(source.number for source in sources if source.published is None)
    if unknown:
        what = "a quoted article is" if len(unknown) == 1 else "some quoted articles is"
        notes.append(Note("undated", f"The publication date of {what} not known.", unknown))
    return tuple(notes)


def date_notes(
    found: SearchOutcome,
    used: PassageSet,
    filters: Filters,
    library: Library,
    today: date,
    sources: Sequence[Source],
) -> tuple[Note, ...]:
    """How the words for a time in a question were read, what that left out, and how old the newest is.

    `used` are the passages that were read for the answer.
    """
    period = found.dates
    if not period.demanded:
        return _stale_note(sources, today) if period.newest_first else ()
    read = f"Read “{period.phrase}” as {in_words(period.since, period.until)}{_reported_later(period, sources)}"
    if found.dates_excluded:
        return (Note("filtered", f"{read}, which the dates asked for exclude; those were kept."),)
    if used.only_undated and sources:
        only = "no dated article of that time answers; those quoted have no date and may tell of another time"
        return (Note("filtered", f"{read}; {only}."),)
    undated = library.undated(filters.publishers)
    advise = not (filters.dated and undated)  # of the notes of an answer the first gives the advice
    left = ""
    if found.left_out:
        which = "nearer match" if found.left_out_is_nearer else "match"
        some = (
            f"1 {which} from another date was"
            if found.left_out == 1
            else f"{found.left_out} {which}es from other dates were"
        )
        advice = f"; ask over all dates to include {'it' if found.left_out == 1 else 'them'}" if advise else ""
        left = f"; {some} left out{advice}"
    others = () if filters.dated else _undated_note(undated - used.undated, f"by “{period.phrase}”", advice=not left)
    return (Note("filtered", f"{read}{left}.", widens=bool(left) and advise), *others)


def _stale_note(sources: Sequence[Source], today: date) -> tuple[Note, ...]:
    """That the newest article is old. One with a date that is still to come says nothing of how old the others are."""
    newest = max((s.published for s in sources if s.published and s.published <= today.isoformat()), default=None)
    if newest is None or (today - date.fromisoformat(newest)).days <= _STALE:
        return ()
    numbers = tuple(source.number for source in sources if source.published == newest)
    return (
        Note("stale", f"The newest article that answers is from {day_in_words(date.fromisoformat(newest))}.", numbers),
    )


def _reported_later(period: Period, sources: Sequence[Source]) -> str:
    """That articles of a few days later count too, where one of those quoted is of these days."""
    until, reported = period.until, period.reported_until
    if until is None or reported is None:
        return ""
    if not any(s.published and until.isoformat() < s.published <= reported.isoformat() for s in sources):
        return ""
    return f" (articles up to {(reported - until).days} days later count)"


def _undated_note(count: int, by: str, *, advice: bool) -> tuple[Note, ...]:
    if count <= 0:
        return ()
    some = "1 article without a date was" if count == 1 else f"{count:,} articles without a date were"
    includes = f"; asking over all dates includes {'it' if count == 1 else 'them'}" if advice else ""
    return (Note("undated", f"{some} left out {by}{includes}.", widens=advice),)


def _publisher_notes(asked: Sequence[str], library: Library) -> Iterator[Note]:
    """That no article is by a publisher, with the nearest one there is."""
    unknown = [publisher for publisher in dict.fromkeys(asked) if not library.has_publisher(publisher)]
    if not unknown:  # to list all of them takes a while in a large library
        return
    keys = {publisher_key(publisher) or "": publisher for publisher in library.publishers(_ALL)}
    for publisher in unknown:
        near = get_close_matches(publisher_key(publisher) or "", keys, n=1, cutoff=_NEAR)
        meant = f"; did you mean “{keys[near[0]]}”?" if near else "."
        yield Note("filtered", f"No article in the library is by “{publisher.strip()}”{meant}")


def _describe(filters: Filters) -> str:
    parts = []
    if filters.since and filters.until:
        parts.append(f"published from {day_in_words(filters.since)} to {day_in_words(filters.until)}")
    elif filters.since:
        parts.append(f"published on or after {day_in_words(filters.since)}")
    elif filters.until:
        parts.append(f"published on or before {day_in_words(filters.until)}")
    if filters.publishers:
        parts.append("by " + " or ".join(filters.publishers))
    return " ".join(parts)
