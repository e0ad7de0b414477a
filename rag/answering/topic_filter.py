"""Which articles are about something else than what a question asks about: "the ferry" is not another's fire."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile

from rag.english.words import WORD, fold, is_stop_word, stem, stems
from rag.records import Article

_LEAD = 300  # code points in which an article says what it is about
_SHORTEST = 3  # letters


def about_something_else(question: str, articles: Sequence[Article]) -> frozenset[str]:
    """The ids of the articles that never speak of any thing which the question asks about, where others are about one
    by their titles or first lines. A word that titles have in common says that they may be about the same."""
    things = things_asked(question)
    about = [article for article in articles if _speaks(f"{article.title}\n{article.text[:_LEAD]}", things)]
    if not about:
        return frozenset()
    titles = frozenset[str]().union(*(stems(article.title) for article in about))
    return frozenset(
        article.id
        for article in articles
        if stems(article.title).isdisjoint(titles) and not _speaks(f"{article.title}\n{article.text}", things)
    )


def things_asked(question: str) -> frozenset[str]:
    """The stems of the common words behind "the"; none of a phrase with a name in it, or of "the cost of"."""
    words = list(WORD.finditer(question))
    found: set[str] = set()
    for n, word in enumerate(words):
        if fold(word.group()) != "the":
            continue
        phrase = list(_phrase(question, words[n:]))
        following = words[n + len(phrase) + 1 : n + len(phrase) + 2]
        if all(_is_common(part) for part in phrase) and [m.group() for m in following] != ["of"]:
            found.update(stem(fold(part)) for part in phrase)
    return frozenset(found)


def _phrase(question: str, words: Sequence[re.Match[str]]) -> Iterator[str]:
    """The words behind the first one up to a stop word or a punctuation mark."""
    beside = takewhile(lambda pair: question[pair[0].end() : pair[1].start()] in (" ", "-"), pairwise(words))
    return takewhile(lambda word: not is_stop_word(word), (word.group() for _, word in beside))


def _is_common(word: str) -> bool:
    return word.islower() and len(word) >= _SHORTEST


def _speaks(text: str, things: frozenset[str]) -> bool:
    """Whether one of some stems is among the words of a text."""
    # Only words that begin like one are taken apart: a stem may differ from its word in the last letter.
    beginnings = (re.findall(rf"\b{re.escape(thing[:-1])}\w*", text, re.IGNORECASE) for thing in things)
    return any(stem(fold(word)) in things for written in beginnings for word in set(written))
