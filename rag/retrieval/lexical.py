"""Questions as full-text expressions."""

from __future__ import annotations

from rag.text.words import WORD, content_words, fold

_MOST_TERMS = 64


def expression(text: str) -> str | None:
    """The FTS5 expression of a question: any of its content words; None if it has no words.

    A question of nothing but stop words ("who are they?") is searched with all its words.
    """
    terms = content_words(text) or list(dict.fromkeys(fold(m.group()) for m in WORD.finditer(text)))
    # In quotation marks a term is data, whatever it looks like; a word never holds one itself.
    return " OR ".join(f'"{term}"' for term in terms[:_MOST_TERMS]) or None
