"""Answers as HTML: pure functions from records to markup.

Everything that comes from an article, a title, a question or a model goes through `text`; only
http(s) addresses become links. A button with `data-article` opens that article beside the answer, one with
`data-do` sends its `data-` attributes to the page under that name.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.records import Answer, Claim, Closest, Note, NoteKind, Quote, Source, Span
from rag.wording import UNSURE, degraded_because, unsure
from ui.chat.exchanges import Exchange
from ui.page.evidence import address, byline, day, merged, text

__all__ = [
    "render_answer",
    "render_conversation",
    "render_exchange",
    "render_notice",
    "render_suggestions",
    "render_welcome",
]

_NOTE_LABELS: dict[NoteKind, str] = {
    "conflict": "Sources disagree",
    "stale": "May be out of date",
    "undated": "Date unknown",
    "filtered": "Narrowed",
}
# Versions count from 1: what is asked for under this one has been removed.
_NO_VERSION = 0


def render_conversation(exchanges: Sequence[Exchange], *, own: bool = True) -> str:
    """Finished exchanges, oldest first; those of somebody else can only be read."""
    return "".join(render_exchange(exchange, own=own) for exchange in exchanges)


def render_exchange(exchange: Exchange, *, last: bool = False, own: bool = True) -> str:
    """A question and what is known of its answer so far. The last one of a reader's own can be asked again."""
    busy = "true" if exchange.running else "false"
    return (
        f'<article class="exchange" id="exchange-{text(exchange.key)}" aria-busy="{busy}">'
        f'<h2 class="asked" dir="auto">{text(exchange.question)}</h2>{_body(exchange, last)}'
        f"{_actions(exchange, last) if own and not exchange.running else ''}</article>"
    )


def render_answer(
    answer: Answer, *, taken_back: bool = False, removed: frozenset[int] = frozenset(), last: bool = False
) -> str:
    """A whole answer. `taken_back` says that a first attempt was shown, `removed` are the numbers of sources that
    are no longer in the library, and of the `last` answer the dates left out can be included."""
    if answer.verdict == "no_evidence":
        return _no_evidence(answer, last)
    quoted = answer.mode == "quotes"
    return (
        f'<div class="answer {"quoted" if quoted else "written"}">'
        f"{_origin(answer, taken_back)}{_asked_as(answer)}"
        f"{_claims(answer.claims, answer.sources, quoted, removed)}"
        f"{_notes(answer.notes, last)}{_source_list(answer.sources, answer.claims, removed)}"
        f"{_as_of(answer)}</div>"
    )


def render_welcome(articles: int) -> str:
    """What stands in an empty conversation: how to begin."""
    if not articles:
        return (
            '<section class="welcome"><h2>The library is empty</h2>'
            "<p>Put articles in, then ask: files, web addresses or pasted text.</p>"
            '<p><button type="button" class="plain" data-view="library">Add articles</button></p>'
            "<p>In a terminal the same is done by</p>"
            "<pre><code>rag ingest FILE-OR-FOLDER-OR-ADDRESS</code></pre></section>"
        )
    return (
        '<section class="welcome"><h2>Ask the archive</h2>'
        f"<p>Answers come from {_count(articles)} in this library and from nothing else. "
        "Press a number to read the quote in its article.</p></section>"
    )


def render_suggestions(questions: Sequence[str], label: str, *, after: str = "") -> str:
    """Questions that can be asked by a press, under a label; nothing if there are none. Those that follow an answer
    name its exchange by `after`: they may come when the next question is asked already."""
    if not questions:
        return ""
    buttons = "".join(
        f'<li><button type="button" class="example" data-do="ask" data-question="{text(question)}" dir="auto">'
        f"{text(question)}</button></li>"
        for question in questions
    )
    place = f' data-after="exchange-{text(after)}"' if after else ""
    return f'<div class="suggested"{place}><p class="try">{text(label)}</p><ul class="examples">{buttons}</ul></div>'


def render_notice(notice: str) -> str:
    """The line under the question box."""
    return f'<p id="notice">{text(notice)}</p>'


def _body(exchange: Exchange, last: bool) -> str:
    if exchange.status == "failed":
        return f'<div class="answer failed"><p class="problem" role="alert">{text(exchange.problem or "")}</p></div>'
    if exchange.answer is not None:
        back = exchange.reset is not None
        return render_answer(exchange.answer, taken_back=back, removed=exchange.removed, last=last)
    quoted = exchange.reset is not None or all(_is_quote(claim) for claim in exchange.claims)
    return (
        f'<div class="answer {"quoted" if quoted else "written"}">{_status(_progress(exchange))}'
        f"{_claims(exchange.claims, exchange.sources, quoted)}</div>"
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


def _no_evidence(answer: Answer, last: bool) -> str:
    closest = "".join(_closest(passage) for passage in answer.closest)
    near = f'<p class="near">Closest, but not an answer</p><ul class="closest">{closest}</ul>' if closest else ""
    said = f'<p class="nothing" dir="auto">{text(answer.text)}</p>'
    if answer.degraded not in (None, "no_model"):
        said = _status(f"{_capital(degraded_because(answer.degraded))}; the articles were searched without it.") + said
    return f'<div class="answer none">{said}{_asked_as(answer)}{_notes(answer.notes, last)}{near}</div>'


def _closest(passage: Closest) -> str:
    opens = (
        f'data-article="{text(passage.article_id)}" data-version="{passage.version}" '
        f'data-title="{text(passage.title)}" data-marks="{passage.start}-{passage.end}"'
    )
    return (
        f'<li><details><summary><span class="closest-title" dir="auto">{text(passage.title)}</span>'
        f'<span class="snippet" dir="auto">{text(_squeezed(passage.text))}</span></summary>'
        f'<div class="passage" dir="auto">{text(passage.text)}</div>'
        f'<p><button type="button" class="plain" {opens}>Read it in the article</button></p></details></li>'
    )


def _claims(
    claims: Sequence[Claim], sources: Sequence[Source], quoted: bool, removed: frozenset[int] = frozenset()
) -> str:
    shown = {source.number: source for source in sources}
    opens = {source.number: _opens(source, claims, source.number in removed) for source in sources}
    return f'<ol class="claims">{"".join(_claim(claim, shown, opens, quoted) for claim in claims)}</ol>'


def _claim(claim: Claim, sources: dict[int, Source], opens: dict[int, str], quoted: bool) -> str:
    numbers = [number for number in dict.fromkeys(quote.source for quote in claim.quotes) if number in sources]
    cites = "".join(_cite(number, claim.quotes, opens[number]) for number in numbers)
    flags = "".join(f'<p class="flag" dir="auto">{text(_capital(flag))}</p>' for flag in claim.flags)
    element = "blockquote" if quoted else "p"
    first = sources[numbers[0]] if quoted and numbers else None
    by = f'<p class="byline">{byline(first.publisher, first.published)}</p>' if first else ""
    return f'<li><{element} class="claim" dir="auto">{text(claim.text)} {cites}</{element}>{by}{flags}</li>'


def _cite(number: int, quotes: Sequence[Quote], opens: str) -> str:
    own = [quote for quote in quotes if quote.source == number]
    said = " … ".join(_squeezed(quote.text) for quote in own)
    return (
        f'<button type="button" class="cite" aria-haspopup="dialog" {opens} '
        f'data-spans="{_spans(own)}" data-said="{text(said)}">{number}</button>'
    )


def _opens(source: Source, claims: Sequence[Claim], removed: bool) -> str:
    """What the page needs to open a source: the article in the version that was quoted, and all its quotes."""
    marks = _spans([quote for claim in claims for quote in claim.quotes if quote.source == source.number])
    version = _NO_VERSION if removed else source.version
    return (
        f'data-article="{text(source.article_id)}" data-version="{version}" data-number="{source.number}" '
        f'data-title="{text(source.title)}" data-marks="{marks}"'
    )


def _source_list(sources: Sequence[Source], claims: Sequence[Claim], removed: frozenset[int]) -> str:
    rows = "".join(_source(source, claims, source.number in removed) for source in sources)
    return f'<p class="sources-label">Sources</p><ul class="sources">{rows}</ul>'


def _source(source: Source, claims: Sequence[Claim], removed: bool) -> str:
    gone = ' <span class="gone">removed from the library</span>' if removed else ""
    return (
        f'<li><button type="button" class="source" aria-haspopup="dialog" {_opens(source, claims, removed)}>'
        f'<span class="source-number">{source.number}</span> '
        f'<span class="source-line"><span class="source-name" dir="auto">{text(source.title)}</span> '
        f'<span class="source-by">{byline(source.publisher, source.published)}</span>{gone}</span></button>'
        f"{_copies(source.copies)}</li>"
    )


def _copies(copies: Sequence[str]) -> str:
    if not copies:
        return ""
    items = "".join(f"<li>{address(copy)}</li>" for copy in copies)
    return f'<details class="copies"><summary>The same words also stand elsewhere</summary><ul>{items}</ul></details>'


def _spans(quotes: Sequence[Quote]) -> str:
    end = max((quote.end for quote in quotes), default=0)
    return " ".join(f"{s.start}-{s.end}" for s in merged([Span(q.start, q.end) for q in quotes], end))


def _actions(exchange: Exchange, last: bool) -> str:
    """What can be done with a finished exchange: an opinion on its answer, and the last question once more."""
    again = (
        f'<button type="button" class="quiet" data-do="again" data-key="{text(exchange.key)}">Retry</button>'
        f'<button type="button" class="quiet" data-do="edit" data-key="{text(exchange.key)}">Edit</button>'
        if last
        else ""
    )
    opinion = _opinion(exchange) if exchange.answer is not None else ""
    return f'<div class="actions">{opinion}{again}</div>' if opinion or again else ""


def _opinion(exchange: Exchange) -> str:
    key = text(exchange.key)
    thumbs = "".join(
        f'<button type="button" class="thumb" data-do="opinion" data-key="{key}" data-good="{value}" '
        f'aria-pressed="{"true" if exchange.good is good else "false"}" aria-label="{label}" title="{label}"></button>'
        for good, value, label in ((True, "yes", "Good answer"), (False, "no", "Bad answer"))
    )
    if exchange.good is None:
        return thumbs
    asked = (
        '<label>Words the right answer holds<input name="expected" maxlength="500"></label>'
        if not exchange.good
        else ""
    )
    return (
        f'{thumbs}<details class="remark"><summary>Say more</summary><form data-do="opinion" data-key="{key}" '
        f'data-good="{"yes" if exchange.good else "no"}"><label>Comment<textarea name="comment" rows="2" '
        f'maxlength="4000"></textarea></label>{asked}<button type="submit" class="plain">Keep</button></form></details>'
    )


def _notes(notes: Sequence[Note], last: bool) -> str:
    return "".join(_note(note, note.widens and last) for note in notes)


def _note(note: Note, offers: bool) -> str:
    where = f" ({_plural('source', note.sources)})" if note.sources else ""
    widen = ' <button type="button" class="plain" data-do="widen">Search all dates</button>' if offers else ""
    return (
        f'<div class="note {note.kind}"><strong>{_NOTE_LABELS[note.kind]}</strong>{where}. '
        f'<span dir="auto">{text(note.text)}</span>{widen}</div>'
    )


def _plural(word: str, numbers: Sequence[int]) -> str:
    *most, last = [str(number) for number in numbers]
    return f"{word}s {', '.join(most)} and {last}" if most else f"{word} {last}"


def _count(articles: int) -> str:
    return "the one article" if articles == 1 else f"the {articles:,} articles"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _squeezed(words: str) -> str:
    return " ".join(words.split())


def _is_quote(claim: Claim) -> bool:
    return any(_squeezed(claim.text) == _squeezed(quote.text) for quote in claim.quotes)
