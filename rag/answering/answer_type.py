"""What kind of thing a question asks for, and whether a sentence offers one."""

from __future__ import annotations

import re
from typing import Literal

from rag.english.words import WORD, fold, is_stop_word

Kind = Literal["number", "date", "person", "place", "reason", "speech", "any"]

_ASKS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "number",
        re.compile(
            r"\bhow (?:many|much|long|old|far|big|large|high|often)\b"
            r"|\b(?:what|which) (?:number|share|percentage|proportion|amount|price|sum)\b|\bnumber of\b"
        ),
    ),
    ("date", re.compile(r"^when\b|\bsince when\b|\b(?:what|which|on what) (?:date|day|month|year|time)\b|^date of\b")),
    ("person", re.compile(r"^(?:and )?who(?:m|se)?\b|\bwho (?:is|was|led|heads?|headed)\b|\bby whom\b")),
    ("place", re.compile(r"^where\b|\b(?:what|which) (?:country|city|place|town|state|region|port)\b")),
    ("reason", re.compile(r"^why\b|\bwhat (?:caused|reason)\b|\bfor what reason\b|^how come\b")),
    ("speech", re.compile(r"\bsa(?:y|id|ys)\b|\bcomment(?:ed)?\b|\btold\b|\bwords\b")),
)

_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|"
    r"thousand|million|billion|trillion|half|dozen|dozens|double|twice|several hundred|nobody|none|zero|"
    r"no (?:casualties|deaths|injuries|people|victims|survivors))\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:Jan(?:uary|\.)|Feb(?:ruary|\.)|March|April|May|June|July|Aug(?:ust|\.)|Sept?(?:ember|\.)|Oct(?:ober|\.)"
    r"|Nov(?:ember|\.)|Dec(?:ember|\.)|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
    r"|(?:1[89]|20)\d\d|yesterday|today|tomorrow"
    r"|(?:last|this|next) (?:week|month|year|spring|summer|autumn|fall|winter))\b"
)
_PLACE = re.compile(r"\b(?:in|at|near|from|to|of|off|across|outside|around|towards?|via|through) (?:the )?[A-Z]\w+")
_REASON = re.compile(
    r"\b(?:because|since|due to|owing to|in order to|so that|so as|after|amid|to (?:avoid|prevent|protect|stop|ensure)|"
    r"caused|prompted|led to|in response|in retaliation|over (?:the|its|his|her|their)|as part of)\b",
    re.IGNORECASE,
)
_SPEECH = re.compile(r"[\"“”„«]|\b(?:said|says|stated|told|added|argued|warned|insisted|remarked|noted|stressed)\b")
_WHAT_WAS_ASKED = re.compile(r"\b(?:what|which|how)\b.*\b(?:ask(?:s|ed|ing)?|questions?|wonder(?:s|ed|ing)?)\b")


def kind_asked(question: str) -> Kind:
    """The kind of answer a question asks for."""
    folded = " ".join(fold(question).split())
    for kind, pattern in _ASKS:
        if pattern.search(folded):
            return kind
    return "any"


def asks_what_was_asked(question: str) -> bool:
    """Whether a question that somebody asked may be the answer to a question."""
    return bool(_WHAT_WAS_ASKED.search(fold(question)))


def offers(kind: Kind, sentence: str, question_words: frozenset[str]) -> float:
    """1.0 if a sentence holds something of the kind asked for, 0.0 if not, 0.5 if nothing special is asked.

    A person must be one whom the question does not already name.
    """
    if kind == "any":
        return 0.5
    if kind == "person":
        return float(_names_somebody(sentence, question_words))
    pattern = {"number": _NUMBER, "date": _DATE, "place": _PLACE, "reason": _REASON, "speech": _SPEECH}[kind]
    return float(bool(pattern.search(sentence)))


def _names_somebody(sentence: str, question_words: frozenset[str]) -> bool:
    """Two capitalised words in a row that the question does not hold: "Brett McGurk"."""
    run = 0
    for match in WORD.finditer(sentence):
        word = match.group()
        fresh = word[0].isupper() and not is_stop_word(word) and fold(word).removesuffix("'s") not in question_words
        run = run + 1 if fresh else 0
        if run == 2:
            return True
    return False
