"""Answers as HTML: pure functions from records to markup.

Everything that comes from an article, a title, a question or a model goes through `text`; only
http(s) addresses become links. A source is rendered once as a panel that a number opens: the markup
waits, escaped, in an attribute, so that the page holds no `<mark>` but the one that is being read.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rag.records import Answer, Claim, Closest, Note, NoteKind, Quote, Source
from rag.wording import UNSURE, degraded_because, unsure
from ui.conversation import Exchange
from ui.evidence import byline, day, render_source, text

__all__ = [
    "render_answer",
    "render_conversation",
    "render_exchange",
    "render_notice",
    "render_source",
    "render_welcome",
]

_NOTE_LABELS: dict[NoteKind, str] = {
    "conflict": "Sources disagree",
    "stale": "May be out of date",
    "undated": "Date unknown",
    "filtered": "Narrowed",
}


def render_conversation(exchanges: Sequence[Exchange]) -> str:
    """Finished exchanges, oldest first."""
    return "".join(render_exchange(exchange) for exchange in exchanges)


def render_exchange(exchange: Exchange) -> str:
    """A question and what is known of its answer so far."""
    busy = "true" if exchange.running else "false"
    return (
        f'<article class="exchange" id="exchange-{exchange.key}" aria-busy="{busy}">'
        f'<h2 class="asked" dir="auto">{text(exchange.question)}</h2>{_body(exchange)}</article>'
    )


def render_answer(answer: Answer, key: str = "answer", *, taken_back: bool = False) -> str:
    """A whole answer. `key` makes its panels unique in a page; `taken_back` says that a first attempt was shown."""
    if answer.verdict == "no_evidence":
        return _no_evidence(answer)
    quoted = answer.mode == "quotes"
    return (
        f'<div class="answer {"quoted" if quoted else "written"}">'
        f"{_origin(answer, taken_back)}{_asked_as(answer)}"
        f"{_claims(answer.claims, answer.sources, key, quoted)}"
        f"{''.join(_note(note) for note in answer.notes)}{_source_list(answer.sources, answer.claims, key)}"
        f"{_as_of(answer)}</div>"
    )


def render_welcome(articles: int, examples: Sequence[str] = ()) -> str:
    """What stands in an empty conversation: how to begin."""
    if not articles:
        return (
            '<section class="welcome"><h2>The library is empty</h2>'
            "<p>Put articles in, then ask. In a terminal:</p>"
            "<pre><code>rag ingest FILE-OR-FOLDER-OR-ADDRESS</code></pre>"
            "<p>Text, Markdown, HTML, PDF and JSON-lines files are read, and web addresses. "
            "Reload this page when it is done.</p></section>"
        )
    buttons = "".join(
        f'<li><button type="button" class="example" data-ask="{text(example)}" dir="auto">{text(example)}</button></li>'
        for example in examples
    )
    tries = f'<p class="try">For example</p><ul class="examples">{buttons}</ul>' if buttons else ""
    return (
        '<section class="welcome"><h2>Ask the archive</h2>'
        f"<p>Answers come from {_count(articles)} in this library and from nothing else. "
        "Press a number to read the quote in its passage.</p>"
        f"{tries}</section>"
    )


def render_notice(notice: str) -> str:
    """The line under the question box."""
    return f'<p id="notice">{text(notice)}</p>'


def _body(exchange: Exchange) -> str:
    if exchange.status == "failed":
        return f'<div class="answer failed"><p class="problem" role="alert">{text(exchange.problem or "")}</p></div>'
    if exchange.answer is not None:
        return render_answer(exchange.answer, exchange.key, taken_back=exchange.reset is not None)
    quoted = exchange.reset is not None or all(_is_quote(claim) for claim in exchange.claims)
    return (
        f'<div class="answer {"quoted" if quoted else "written"}">{_status(_progress(exchange))}'
        f"{_claims(exchange.claims, exchange.sources, exchange.key, quoted)}"
        f"{_panels(exchange.sources, exchange.claims, exchange.key)}</div>"
    )


def _status(sentence: str, lead: str = "") -> str:
    strong = f"<strong>{text(lead)}</strong> " if lead else ""
    return f'<p class="status" role="status">{strong}{text(sentence)}</p>'


def _progress(exchange: Exchange) -> str:
    if exchange.status == "stopped":
        return "Stopped. What is shown was checked, but the answer is not complete." if exchange.claims else "Stopped."
    if exchange.reset is not None:
        why = _capital(degraded_because(exchange.reset))
        return f"{why}. What was shown is taken back; the articles’ own words follow."
    return "Answering…" if exchange.claims else "Searching the articles…"


def _origin(answer: Answer, taken_back: bool) -> str:
    if answer.mode == "written":
        by = f"by {answer.model} " if answer.model else ""
        return _status(f"{by}from the articles. Each number opens the quote that a sentence rests on.", "Written")
    doubt = f" {UNSURE}" if unsure(answer.confidence) else ""
    if answer.degraded is None:
        return _status(f"these are the articles’ own words; no answer was written.{doubt}", "Quotes only:")
    back = " What was shown before is taken back." if taken_back else ""
    because = f"{degraded_because(answer.degraded)}, so these are the articles’ own words."
    return _status(f"{because}{doubt}{back}", "Quotes only:")


def _asked_as(answer: Answer) -> str:
    if _squeezed(answer.asked_as).casefold() == _squeezed(answer.question).casefold():
        return ""
    return f'<p class="asked-as">Searched as: <bdi>{text(answer.asked_as)}</bdi></p>'


def _as_of(answer: Answer) -> str:
    return f'<p class="as-of">Newest source quoted: {text(day(answer.as_of))}</p>' if answer.as_of else ""


def _no_evidence(answer: Answer) -> str:
    closest = "".join(_closest(passage) for passage in answer.closest)
    near = f'<p class="near">Closest, but not an answer</p><ul class="closest">{closest}</ul>' if closest else ""
    notes = "".join(_note(note) for note in answer.notes)
    said = f'<p class="nothing" dir="auto">{text(answer.text)}</p>'
    if answer.degraded not in (None, "no_model"):
        said = _status(f"{_capital(degraded_because(answer.degraded))}; the articles were searched without it.") + said
    return f'<div class="answer none">{said}{_asked_as(answer)}{notes}{near}</div>'


def _closest(passage: Closest) -> str:
    return (
        f'<li><details><summary><span class="closest-title" dir="auto">{text(passage.title)}</span>'
        f'<span class="snippet" dir="auto">{text(_squeezed(passage.text))}</span></summary>'
        f'<div class="passage" dir="auto">{text(passage.text)}</div></details></li>'
    )


def _claims(claims: Sequence[Claim], sources: Sequence[Source], key: str, quoted: bool) -> str:
    by_number = {source.number: source for source in sources}
    return f'<ol class="claims">{"".join(_claim(claim, by_number, key, quoted) for claim in claims)}</ol>'


def _claim(claim: Claim, sources: dict[int, Source], key: str, quoted: bool) -> str:
    numbers = list(dict.fromkeys(quote.source for quote in claim.quotes))
    cites = "".join(_cite(number, claim.quotes, key) for number in numbers)
    flags = "".join(f'<p class="flag" dir="auto">{text(_capital(flag))}</p>' for flag in claim.flags)
    element = "blockquote" if quoted else "p"
    first = sources.get(numbers[0]) if quoted and numbers else None
    by = f'<p class="byline">{byline(first)}</p>' if first else ""
    return f'<li><{element} class="claim" dir="auto">{text(claim.text)} {cites}</{element}>{by}{flags}</li>'


def _cite(number: int, quotes: Sequence[Quote], key: str) -> str:
    spans = " ".join(f"{quote.start}-{quote.end}" for quote in quotes if quote.source == number)
    return (
        f'<button type="button" class="cite" aria-haspopup="dialog" data-opens="panel-{text(key)}-{number}" '
        f'data-spans="{spans}">{number}</button>'
    )


def _source_list(sources: Sequence[Source], claims: Sequence[Claim], key: str) -> str:
    rows = "".join(
        '<li><button type="button" class="source" aria-haspopup="dialog" '
        f'data-opens="panel-{text(key)}-{source.number}">'
        f'<span class="source-number">{source.number}</span> '
        f'<span class="source-line"><span class="source-name" dir="auto">{text(source.title)}</span> '
        f'<span class="source-by">{byline(source)}</span></span></button></li>'
        for source in sources
    )
    return f'<p class="sources-label">Sources</p><ul class="sources">{rows}</ul>{_panels(sources, claims, key)}'


def _panels(sources: Sequence[Source], claims: Sequence[Claim], key: str) -> str:
    quotes = [quote for claim in claims for quote in claim.quotes]
    return "".join(
        f'<div hidden id="panel-{text(key)}-{source.number}" data-number="{source.number}" '
        f'data-panel="{escape(render_source(source, quotes))}"></div>'
        for source in sources
    )


def _note(note: Note) -> str:
    where = f" ({_plural('source', note.sources)})" if note.sources else ""
    return (
        f'<p class="note {note.kind}"><strong>{_NOTE_LABELS[note.kind]}</strong>{where}. '
        f'<span dir="auto">{text(note.text)}</span></p>'
    )


def _plural(word: str, numbers: Sequence[int]) -> str:
    *most, last = [str(number) for number in numbers]
    return f"{word}s {', '.join(most)} and {last}" if most else f"{word} {last}"


def _count(articles: int) -> str:
    return "the one article" if articles == 1 else f"the {articles:,} articles"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _is_quote(claim: Claim) -> bool:
    return any(_squeezed(claim.text) == _squeezed(quote.text) for quote in claim.quotes)
