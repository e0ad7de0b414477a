"""Answers as Slack messages: pure functions from records to blocks.

What other people wrote stands in `rich_text` and `plain_text`, never in mrkdwn: there Slack reads no mention, link or
formatting out of the words, a link is an element of its own, and a quote stays as it was written. Only the fallback
text, which a notification shows, is mrkdwn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.records import Answer, Claim, Closest, Note, NoteKind, Source
from rag.wording import UNSURE, degraded_because, unsure
from ui.page.evidence import day
from ui.slack.text import (
    LEAST,
    WHOLE,
    Block,
    Room,
    context,
    fitted,
    labelled,
    linked,
    quoted,
    rich,
    section,
    shortened,
    tidy,
    web_link,
    within,
    worded,
)

__all__ = ["SlackMessage", "answer_message", "empty_message", "help_message", "problem_message", "searching_message"]

_MOST_TEXT = 3_000
_MOST_APART = 12  # claims or sources with a block each; more of them share one
# How much of a quote a written answer, and of a passage that is no answer, is shown at first.
_AT_FIRST = 300
_NOTHING_SAID = "The articles do not say."
_NOTE_LABELS: dict[NoteKind, str] = {
    "conflict": "Sources disagree",
    "stale": "May be out of date",
    "undated": "Date unknown",
    "filtered": "Narrowed",
}


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """What is posted: `blocks` as Slack takes them, `text` for where they are not shown, in mrkdwn."""

    text: str
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class _Said:
    """A claim as it is shown; `is_quote` where its words are an article's own."""

    words: str
    cites: str
    flags: tuple[str, ...]
    is_quote: bool


@dataclass(frozen=True, slots=True)
class _Quoted:
    """A source as it is shown, with those of its quotes that no claim already shows."""

    number: int
    title: str
    by: tuple[str, ...]
    link: str | None
    quotes: tuple[str, ...]


def answer_message(
    answer: Answer, *, open_at: str | None = None, shareable: bool = False, quotes_open: bool = False
) -> SlackMessage:
    """A whole answer with its buttons. `open_at` is where it can be read in Dateline, `shareable` offers to show it to
    the channel, and with `quotes_open` the quotes behind written sentences are as long as a message allows."""
    buttons, opens = _buttons(answer, shareable), _opens(open_at)
    actions = _actions(buttons, opens)
    if answer.verdict == "no_evidence":
        blocks = within(lambda room: [*_nothing(answer, room), *actions], _AT_FIRST)
        return SlackMessage(fitted(tidy(answer.text) or _NOTHING_SAID, _MOST_TEXT), blocks)
    claims, sources = _said(answer), _quoted(answer)

    def drawn(actions: Sequence[Block], most: int) -> list[Block]:
        return within(lambda room: [*_answered(answer, claims, sources, room), *actions], most)

    text, whole = _fallback(answer, claims, sources), drawn(actions, WHOLE)
    if quotes_open or answer.mode == "quotes" or drawn(actions, _AT_FIRST) == whole:
        return SlackMessage(text, whole)
    more = _actions(buttons, [_button("show_quotes", "Show quotes", answer.id)], opens)
    return SlackMessage(text, drawn(more, _AT_FIRST))


def problem_message(sentence: str) -> SlackMessage:
    """Why there is no answer, in one sentence."""
    return _sentence(tidy(sentence) or "Something went wrong.")


def searching_message(question: str) -> SlackMessage:
    """What stands there until the answer does."""
    asked = shortened(tidy(question), 300)
    return _sentence(f"Searching the articles: {asked}" if asked else "Searching the articles…")


def help_message(command: str) -> SlackMessage:
    """How the slash command (`/dateline`) is used."""
    forms = {
        "QUESTION": "answers from the articles in the library, with the quotes that the answer rests on.",
        "since:2024-01-01 until:2024-06-30 publisher:AP QUESTION": "asks only these dates and publishers.",
        "settings": "shows and changes what holds in this channel.",
        "help": "shows this.",
    }
    name = shortened(tidy(command), 40)
    text = "\n".join(fitted(f"{name} {form} {does}", _MOST_TEXT // len(forms) - 1) for form, does in forms.items())
    lines = [section(worded(f"{name} {form}", "code"), worded(f" {does}")) for form, does in forms.items()]
    return SlackMessage(text, [rich([line]) for line in lines])


def empty_message(open_at: str | None = None) -> SlackMessage:
    """For a library without articles; `open_at` is where they can be added."""
    message = _sentence("The library is empty. Put articles in, then ask: files, web addresses or pasted text.")
    return SlackMessage(message.text, [*message.blocks, *_actions(_opens(open_at))])


def _sentence(words: str) -> SlackMessage:
    return SlackMessage(fitted(words, _MOST_TEXT), [rich([section(worded(shortened(words, WHOLE)))])])


def _said(answer: Answer) -> list[_Said]:
    shown = {source.number for source in answer.sources}
    return [
        _Said(
            tidy(claim.text) or "…",
            "".join(f" [{number}]" for number in _numbers(claim) if number in shown),
            tuple(_capital(tidy(flag)) for flag in claim.flags if tidy(flag)),
            answer.mode == "quotes",
        )
        for claim in answer.claims
    ]


def _quoted(answer: Answer) -> list[_Quoted]:
    claimed = {tidy(claim.text) for claim in answer.claims} if answer.mode == "quotes" else set()
    quotes: dict[int, dict[str, None]] = {source.number: {} for source in answer.sources}
    for claim in answer.claims:
        for quote in claim.quotes:
            if (words := tidy(quote.text)) and words not in claimed:
                quotes.setdefault(quote.source, {})[words] = None
    return [
        _Quoted(
            source.number,
            tidy(source.title) or "Untitled",
            _byline(source),
            web_link(source.url),
            tuple(quotes[source.number]),
        )
        for source in answer.sources
    ]


def _numbers(claim: Claim) -> Iterable[int]:
    return dict.fromkeys(quote.source for quote in claim.quotes)


def _byline(source: Source) -> tuple[str, ...]:
    places = len(source.copies)
    copies = f"the same words in {places} more {'places' if places > 1 else 'place'}" if places else ""
    return tuple(part for part in (tidy(source.publisher or ""), tidy(day(source.published)), copies) if part)


def _answered(answer: Answer, claims: Sequence[_Said], sources: Sequence[_Quoted], room: Room) -> list[Block]:
    if room.dense:
        said = [rich([section(worded("\n".join(_claim_line(claim, room) for claim in claims)))])]
        where = [rich([section(worded("\n".join(_source_line(source, room) for source in sources)))])]
    else:
        said = _apart([_claim(claim, room) for claim in claims])
        where = _apart([_source(source, room) for source in sources])
    return [
        *(context([_label(answer)]) if answer.mode == "quotes" else []),
        *_asked_as(answer, room),
        *said,
        *_notes(answer.notes, room),
        {"type": "divider"},
        *where,
        *_foot(answer),
    ]


def _claim(claim: _Said, room: Room) -> list[Block]:
    element = quoted if claim.is_quote else section
    flags = [section(worded(shortened(flag, room.note), "italic")) for flag in claim.flags]
    return [element(worded(_claimed(claim, room)), worded(claim.cites, "bold")), *flags]


def _claim_line(claim: _Said, room: Room) -> str:
    """A claim in a dense message, which says with quotation marks what is a quote."""
    words = _claimed(claim, room)
    flags = [shortened(flag, room.note) for flag in claim.flags]
    return "\n".join([f"“{words}”{claim.cites}" if claim.is_quote else f"{words}{claim.cites}", *flags])


def _claimed(claim: _Said, room: Room) -> str:
    return shortened(claim.words, min(room.claim, max(room.quote, LEAST)) if claim.is_quote else room.claim)


def _source(source: _Quoted, room: Room) -> list[Block]:
    title = shortened(source.title, room.title)
    within = source.link is not None and len(source.link) <= room.link
    named = linked(title, source.link) if source.link and within else worded(title, "bold")
    quotes = [quoted(worded(shortened(quote, room.quote))) for quote in source.quotes]
    return [section(worded(f"[{source.number}] "), named, worded(f" · {_by(source, room)}")), *quotes]


def _source_line(source: _Quoted, room: Room) -> str:
    title = f"[{source.number}] {shortened(source.title, room.title)}"
    if room.quote < LEAST:
        return title
    quotes = "".join(f" “{shortened(quote, room.quote)}”" for quote in source.quotes)
    return f"{title} · {_by(source, room)}{quotes}"


def _by(source: _Quoted, room: Room) -> str:
    return " · ".join(shortened(part, min(room.note, room.title)) for part in source.by)


def _nothing(answer: Answer, room: Room) -> list[Block]:
    because = f"{_capital(degraded_because(answer.degraded))}; the articles were searched without it."
    near = [_near(closest, room) for closest in answer.closest[:3]]
    return [
        *(context([because]) if answer.degraded not in (None, "no_model") else []),
        rich([section(worded(shortened(tidy(answer.text), room.claim) or _NOTHING_SAID))]),
        *_asked_as(answer, room),
        *_notes(answer.notes, room),
        *(context(["Closest, but not an answer"]) if near else []),
        *_apart(near),
    ]


def _near(closest: Closest, room: Room) -> list[Block]:
    title = shortened(tidy(closest.title), room.title) or "Untitled"
    words = shortened(tidy(closest.text), room.quote)
    return [section(worded(title, "bold")), *([quoted(worded(words))] if words else [])]


def _label(answer: Answer) -> str:
    doubt = f" {UNSURE}" if unsure(answer.confidence) else ""
    if answer.degraded is None:
        return f"Quotes only: these are the articles’ own words; no answer was written.{doubt}"
    return f"Quotes only: {degraded_because(answer.degraded)}, so these are the articles’ own words.{doubt}"


def _asked_as(answer: Answer, room: Room) -> list[Block]:
    asked, searched = tidy(answer.question), tidy(answer.asked_as)
    if not searched or asked.casefold() == searched.casefold():
        return []
    return context([f"Searched as: {shortened(searched, room.note)}"])


def _notes(notes: Sequence[Note], room: Room) -> list[Block]:
    return context([_note(note, room) for note in notes])


def _note(note: Note, room: Room) -> str:
    where = " " + "".join(f"[{number}]" for number in note.sources) if note.sources else ""
    return f"{_NOTE_LABELS[note.kind]}{where}. {shortened(tidy(note.text), room.note)}"


def _foot(answer: Answer) -> list[Block]:
    model = shortened(tidy(answer.model or ""), 100) or "a language model"
    written = f"Written by {model} from the articles." if answer.mode == "written" else ""
    newest = f"Newest source quoted: {shortened(tidy(day(answer.as_of)), 100)}" if answer.as_of else ""
    return context([" ".join(filter(None, (written, newest)))]) if written or newest else []


def _buttons(answer: Answer, shareable: bool) -> list[Block]:
    return [
        {**_button("opinion_good", "👍", answer.id), "accessibility_label": "Good answer"},
        {**_button("opinion_bad", "👎", answer.id), "accessibility_label": "Bad answer"},
        *([_button("share", "Share to channel", answer.id)] if shareable else []),
    ]


def _button(action: str, label: str, value: str) -> Block:
    return {"type": "button", "action_id": action, "text": labelled(label), "value": value}


def _opens(open_at: str | None) -> list[Block]:
    link = web_link(open_at)
    return [{"type": "button", "action_id": "open", "text": labelled("Open in Dateline"), "url": link}] if link else []


def _actions(*buttons: Sequence[Block]) -> list[Block]:
    elements = [button for some in buttons for button in some]
    return [{"type": "actions", "elements": elements}] if elements else []


def _fallback(answer: Answer, claims: Sequence[_Said], sources: Sequence[_Quoted]) -> str:
    """The claims and their sources in mrkdwn, as many as there is room for."""
    lines = [_label(answer)] if answer.mode == "quotes" else []
    lines += [f"{shortened(claim.words, 400)}{claim.cites}" for claim in claims]
    lines += [f"[{source.number}] {shortened(source.title, 100)}" for source in sources]
    text = ""
    for line in lines:
        safe = fitted(line, 800)
        if len(text) + len(safe) + 1 > _MOST_TEXT:
            break
        text += f"\n{safe}" if text else safe
    return text


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _apart(parts: Sequence[list[Block]]) -> list[Block]:
    """A block for each, or one for all where there would be too many."""
    if len(parts) <= _MOST_APART:
        return [rich(elements) for elements in parts]
    return [rich([element for elements in parts for element in elements])]
