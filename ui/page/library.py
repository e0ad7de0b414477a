"""The library tab as HTML: its frame, its list of articles, and what became of what was added. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rag.records import ArticleSummary, Failure, IngestReport
from ui.page.evidence import day, text

__all__ = ["render_count", "render_frame", "render_nothing", "render_result", "render_rows"]

_ACCEPTED = ".txt,.text,.md,.markdown,.html,.htm,.pdf,.jsonl,.ndjson,.gz"
_MOST_TOLD = 5  # failures and warnings told of one source
_STATUSES = ("added", "updated", "unchanged", "duplicate")
_TOLD = {
    "added": "",
    "updated": "its earlier version is kept",
    "unchanged": "it is in the library as it is",
    "duplicate": "the same text is in the library already",
}


def render_frame(max_bytes: int) -> str:
    """What stands in the tab before anything is known; `max_bytes` is the limit of one file."""
    return _FRAME.format(accepted=_ACCEPTED, bytes=max_bytes, limit=_megabytes(max_bytes))


def render_rows(articles: Sequence[ArticleSummary]) -> str:
    return "".join(map(_row, articles))


def _row(article: ArticleSummary) -> str:
    identity, title = text(article.id), text(article.title)
    publisher = [f"<bdi>{text(article.publisher)}</bdi>"] if article.publisher else []
    version = [f"version {article.version}"] if article.version > 1 else []
    facts = [*publisher, text(day(article.published)), _number(article.passages, "passage"), *version]
    return (
        f'<li class="shelf-article" data-id="{identity}">'
        f'<button type="button" class="open-article" dir="auto" data-article="{identity}"'
        f' data-version="{article.version}">{title}</button>'
        f'<p class="shelf-facts">{" · ".join(facts)}</p>'
        '<div class="shelf-act">'
        f'<button type="button" class="shelf-remove" aria-label="Remove “{title}”">Remove</button>'
        f'<span class="shelf-sure" role="group" aria-label="Remove “{title}”?" hidden>Remove?'
        ' <button type="button" class="shelf-yes">Remove</button>'
        ' <button type="button" class="shelf-no">Keep</button></span></div></li>'
    )


def render_count(total: int, words: str) -> str:
    """How many articles are listed, in words."""
    found = _number(total, "article")
    with_words = f" with <q><bdi>{text(words)}</bdi></q> in title or publisher" if words else ""
    return f"{found}{with_words}, last added first"


def render_nothing(words: str) -> str:
    """What stands in place of an empty list."""
    if words:
        return '<li class="shelf-nothing"><p>No title and no publisher holds all of these words.</p></li>'
    return (
        '<li class="shelf-nothing"><p>The library is empty.</p>'
        "<p>Add what you want to ask about above: drop files there, give the addresses of articles or of a feed,"
        " or paste a text. Whole folders go in with <code>rag ingest FOLDER</code> on the server.</p></li>"
    )


def render_result(name: str, report: IngestReport, problem: str | None = None) -> str:
    """What became of one file, address or text. `problem` is a sentence that tells why it broke off."""
    seen = report.taken + len(report.failed)
    if problem is None and seen == 1:
        status, why = _single(report)
        passages = [_number(report.passages, "passage")] if report.passages else []
        said = text(", ".join([*([why] if why else []), *passages]))
    else:
        status = "added" if not (problem or report.failed) else "partly" if report.taken else "failed"
        counts = [f"{getattr(report, each):,} {each}" for each in _STATUSES if getattr(report, each)]
        counts += [f"{len(report.failed):,} failed"] if report.failed else []
        said = text(", ".join(counts))
        said += _lines([_reason(failure) for failure in report.failed])
    more = f"<p>{text(problem)}</p>" if problem else ""
    return (
        f'<li class="shelf-result {status}"><span class="shelf-name"><bdi>{text(name)}</bdi></span>'
        f' <strong>{status if problem is None else "broke off"}</strong> <span class="shelf-why">{said}</span>'
        f"{more}{_lines([_reason(each) for each in report.warnings] if seen > 1 else _plain(report.warnings))}</li>"
    )


def _single(report: IngestReport) -> tuple[str, str]:
    if report.failed:
        return "failed", report.failed[0].reason
    status = next(each for each in _STATUSES if getattr(report, each))
    return status, _TOLD[status]


def _reason(failure: Failure) -> str:
    """The reason, after its place unless it names that itself."""
    return failure.reason if failure.source in failure.reason else f"{failure.source}: {failure.reason}"


def _plain(warnings: Sequence[Failure]) -> list[str]:
    return [warning.reason for warning in warnings]


def _lines(said: Sequence[str]) -> str:
    if not said:
        return ""
    items = [*said[:_MOST_TOLD], *([f"and {len(said) - _MOST_TOLD:,} more"] if len(said) > _MOST_TOLD else [])]
    return f'<ul class="shelf-lines">{"".join(f"<li><bdi>{text(item)}</bdi></li>" for item in items)}</ul>'


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:g} MB"


_FRAME = """<div class="shelf" data-max-bytes="{bytes}" data-limit="{limit}">
<section class="shelf-add" aria-labelledby="shelf-add-title">
<h2 id="shelf-add-title">Add articles</h2>
<div class="shelf-drop">
<label class="shelf-pick"><input type="file" multiple accept="{accepted}"><span>Choose files</span></label>
<p>or drop them here: text, Markdown, HTML, PDF, and dumps of many articles (.jsonl, also gzipped), up to {limit} \
each</p>
</div>
<details><summary>From web addresses</summary><form class="shelf-addresses">
<label for="shelf-addresses">Addresses of articles or feeds, one a line</label>
<textarea id="shelf-addresses" rows="3" spellcheck="false" placeholder="https://"></textarea>
<button type="submit">Fetch</button></form></details>
<details><summary>Paste a text</summary><form class="shelf-paste">
<label for="shelf-title">Title (optional)</label>
<input id="shelf-title" type="text" maxlength="300" autocomplete="off" dir="auto">
<label for="shelf-text">Text</label>
<textarea id="shelf-text" rows="7" dir="auto"></textarea>
<button type="submit">Add</button></form></details>
<div class="shelf-running" hidden><progress aria-label="Adding"></progress>
<span class="shelf-step"></span><button type="button" class="shelf-stop">Stop</button></div>
<p class="shelf-done" role="status"></p>
<ol class="shelf-results" aria-label="What became of it"></ol>
</section>
<section class="shelf-list" aria-labelledby="shelf-list-title">
<h2 id="shelf-list-title">Articles</h2>
<label for="shelf-words">Search titles and publishers</label>
<input id="shelf-words" type="search" autocomplete="off" dir="auto">
<p class="shelf-count" role="status"></p>
<p class="shelf-said" role="status" tabindex="-1"></p>
<ul class="shelf-rows"></ul>
<button type="button" class="shelf-more" hidden>Show more</button>
</section>
</div>"""
