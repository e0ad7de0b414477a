"""A conversation to take along: as Markdown to read, as JSON that holds the Answer objects."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from rag.records import Answer, Conversation, Source, StoredExchange
from rag.serialization import to_json
from rag.wording import UNSURE, degraded_because, unsure
from ui.chat.exchanges import named
from ui.page.evidence import day

__all__ = ["as_json", "as_markdown", "file_name"]

# What Markdown could read as markup, a link, a tag or the start of a list, in words that are none of it.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~&$])")
_OPENING = re.compile(r"^([-+=])|^(\d+)([.)])")


def as_json(conversation: Conversation, asked: Sequence[StoredExchange]) -> str:
    """The conversation with every answer as the HTTP API gives it."""
    exchanges: list[dict[str, Any]] = [
        {
            "question": each.question,
            "answer": None if each.answer is None else to_json(each.answer),
            "problem": each.problem,
            "filters": named(each.filters),
        }
        for each in asked
    ]
    record = {"title": conversation.title, "updated": conversation.updated, "exchanges": exchanges}
    # Half a character, which no encoding can write, stays an escape.
    return json.dumps(record, indent=2)


def as_markdown(conversation: Conversation, asked: Sequence[StoredExchange]) -> str:
    """The conversation as a document: each claim with its quotes, each quote with its source."""
    parts = [f"# {_plain(conversation.title)}"]
    for each in asked:
        parts.append(f"## {_plain(each.question)}")
        if narrowed := named(each.filters):
            parts.append(_plain("Narrowed to " + "; ".join(f"{name} {value}" for name, value in narrowed.items())))
        parts.append(_plain(each.problem or "Not answered.") if each.answer is None else _answer(each.answer))
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace").decode()


def file_name(conversation: Conversation) -> str:
    """The title as a file's name without its ending: ASCII letters, digits and hyphens."""
    folded = unicodedata.normalize("NFKD", conversation.title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", folded.lower()).strip("-")[:60].strip("-") or "conversation"


def _answer(answer: Answer) -> str:
    if answer.verdict == "no_evidence":
        closest = [f"- {_plain(near.title)}: “{_plain(near.text)}”" for near in answer.closest]
        near = ["Closest, but not an answer:", "\n".join(closest)] if closest else []
        return "\n\n".join([_plain(answer.text), *_notes(answer), *near])
    claims = []
    for claim in answer.claims:
        numbers = "".join(f" [{number}]" for number in dict.fromkeys(quote.source for quote in claim.quotes))
        words = f"> {_plain(claim.text)}{numbers}" if answer.mode == "quotes" else f"{_plain(claim.text)}{numbers}"
        flags = [f"*{_plain(flag)}*" for flag in claim.flags]
        quotes = [] if answer.mode == "quotes" else [f"> “{_plain(q.text)}” [{q.source}]" for q in claim.quotes]
        claims.append("\n\n".join([words, *flags, *quotes]))
    sources = "\n".join(f"- [{source.number}] {_source(source)}" for source in answer.sources)
    return "\n\n".join([_origin(answer), *claims, *_notes(answer), f"Sources\n\n{sources}"])


def _origin(answer: Answer) -> str:
    if answer.mode == "written":
        return f"Written by {_plain(answer.model or 'a language model')} from the articles."
    why = f" ({degraded_because(answer.degraded)})" if answer.degraded else ""
    doubt = f" {UNSURE}" if unsure(answer.confidence) else ""
    return f"Quotes from the articles; no answer was written{why}.{doubt}"


def _notes(answer: Answer) -> list[str]:
    return [f"Note: {_plain(note.text)}" for note in answer.notes]


def _source(source: Source) -> str:
    parts = [source.title, source.publisher, day(source.published), source.url]
    return " · ".join(_plain(part) for part in parts if part)


def _plain(words: str) -> str:
    """On one line, with nothing in it that a Markdown reader would take for more than words."""
    squeezed = " ".join(words.split())
    return _OPENING.sub(_escaped, _SPECIAL.sub(r"\\\1", squeezed))


def _escaped(opening: re.Match[str]) -> str:
    return f"\\{opening[1]}" if opening[1] else f"{opening[2]}\\{opening[3]}"
