"""Words of a text as they are compared: folded, stemmed, without stop words."""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache

from snowballstemmer import stemmer

# Function words and the words that questions are made of. They carry no topic, and full-text search is
# ten times slower with them.
_STOP_TEXT = """
a about above after again against all also am among an and any are aren't as at be because been before being
below between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each
either else ever every few for from further get got had hadn't has hasn't have haven't having he her here hers
herself him himself his how however i if in into is isn't it its itself just let's many may me might more most much
must mustn't my myself neither no nor not of off often on once only onto or other ought our ours ourselves out over
own per please rather same shall she should shouldn't since so some such tell than that that's the their theirs
them themselves then there these they this those through thus to too toward towards under until up upon us very via
was wasn't we were weren't what what's whatever when where whether which while who who's whom whose why will with
within without won't would wouldn't yes yet you your yours yourself yourselves
"""
STOP_WORDS = frozenset(_STOP_TEXT.split())

WORD = re.compile(r"\w+(?:['’.]\w+)*", re.UNICODE)

_english = stemmer("english")
_stemming = threading.Lock()  # a stemmer keeps the word that it is at work on


def fold(text: str) -> str:
    """Lower case without diacritics, as the full-text index compares words."""
    lower = text.casefold()
    if lower.isascii():  # most words, and nothing to take apart
        return lower
    decomposed = unicodedata.normalize("NFKD", lower)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).replace("’", "'")


def is_stop_word(word: str) -> bool:
    """Whether a word as written carries no topic. "US" is a country and "us" is not: capitals decide."""
    return _carries_nothing(word, fold(word))


def _carries_nothing(word: str, folded: str) -> bool:
    return folded in STOP_WORDS and not (word.isupper() and len(word) > 1)


def content_words(text: str) -> list[str]:
    """The words of a text that carry its topic, folded, in order, each once; `Iran's` counts as `iran`."""
    kept: dict[str, None] = {}
    for match in WORD.finditer(text):
        folded = fold(match.group())
        word = folded.removesuffix("'s")
        if word and not _carries_nothing(match.group(), folded):
            kept.setdefault(word)
    return list(kept)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The Porter2 stem of a folded word; the stem of `U.S.` is `us`."""
    with _stemming:
        return str(_english.stemWord(word.replace(".", "")))


def stems(text: str) -> frozenset[str]:
    """Stems of the content words of a text."""
    return frozenset(stem(word) for word in content_words(text))
