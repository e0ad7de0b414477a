"""What a reader narrows questions to: chips for what is active, and the form that changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from rag.errors import InvalidRequest
from rag.records import Filters
from ui.page.evidence import day, text

__all__ = ["narrowed", "render_narrowing", "without"]

_MOST_PUBLISHERS = 100


def narrowed(form: Mapping[str, Any]) -> Filters:
    """The filters that a form asks for: `since`, `until` and `publishers`. Raises InvalidRequest."""
    since, until = _date(form.get("since"), "From"), _date(form.get("until"), "To")
    if since and until and since > until:
        raise InvalidRequest("the period ends before it begins", "swap From and To")
    named = form.get("publishers") or []
    publishers = tuple(str(name) for name in named[:_MOST_PUBLISHERS]) if isinstance(named, list) else ()
    return Filters(since, until, publishers)


def without(filters: Filters, chip: str) -> Filters:
    """The filters less one chip: `since`, `until`, or a publisher as `publisher:NAME`."""
    if chip == "since":
        return replace(filters, since=None)
    if chip == "until":
        return replace(filters, until=None)
    name = chip.removeprefix("publisher:")
    return replace(filters, publishers=tuple(publisher for publisher in filters.publishers if publisher != name))


def render_narrowing(filters: Filters, publishers: Sequence[str], problem: str = "") -> str:
    """The chips and the form. `publishers` are those of the library; `problem` is a sentence about what was sent."""
    since, until = (each.isoformat() if each else "" for each in (filters.since, filters.until))
    chips = "".join(_chip(name, words) for name, words in _active(filters))
    known = [*filters.publishers, *(name for name in publishers if name not in filters.publishers)]
    boxes = "".join(_box(name, name in filters.publishers) for name in known[:_MOST_PUBLISHERS])
    choice = f"<fieldset><legend>Publishers</legend><div>{boxes}</div></fieldset>" if boxes else ""
    said = f'<p class="problem" role="alert">{text(problem)}</p>' if problem else ""
    chosen = f'<ul class="chips" aria-label="Narrowed to">{chips}</ul>' if chips else ""
    return (
        f'{chosen}<details class="narrow"{" open" if problem else ""}><summary>Narrow</summary>'
        f'<form data-do="narrow">{said}<div class="dates">'
        f'<label>From<input type="date" name="since" value="{since}"></label>'
        f'<label>To<input type="date" name="until" value="{until}"></label></div>{choice}'
        '<p class="hint">Questions of this conversation are answered from these articles only.</p>'
        '<button type="submit" class="plain">Apply</button></form></details>'
    )


def _active(filters: Filters) -> list[tuple[str, str]]:
    dates = [("since", "From", filters.since), ("until", "To", filters.until)]
    chips = [(name, f"{word} {day(each.isoformat())}") for name, word, each in dates if each]
    return [*chips, *((f"publisher:{name}", name) for name in filters.publishers)]


def _chip(name: str, words: str) -> str:
    return (
        f'<li class="chip"><bdi>{text(words)}</bdi><button type="button" data-do="unchip" data-chip="{text(name)}" '
        f'aria-label="Remove {text(words)}">×</button></li>'
    )


def _box(name: str, checked: bool) -> str:
    return (
        f'<label><input type="checkbox" name="publishers" value="{text(name)}"{" checked" if checked else ""}>'
        f"<bdi>{text(name)}</bdi></label>"
    )


def _date(said: object, label: str) -> date | None:
    if not said:
        return None
    try:
        return date.fromisoformat(str(said))
    except ValueError as error:
        raise InvalidRequest(f"{label} is not a date", "write it as 2024-03-15") from error
