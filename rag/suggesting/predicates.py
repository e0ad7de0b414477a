"""What can be asked about a named subject, by how its sentence goes on behind the name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.english.words import is_stop_word
from rag.suggesting.rules import RULES
from rag.suggesting.subjects import Cast
from rag.suggesting.verbs import ASKED_TO, CHANGED, DONE, GONE, INTENDED, INTENDS, PARTICIPLES

__all__ = ["Asking", "asked_of"]

_SET = 0.25  # what a place or a date adds to the worth of a question
_THINKS = {"believes": "believe", "claims": "claim", "insists": "insist", "expects": "expect", "predicts": "predict"}
_BASES = {**PARTICIPLES, **_THINKS, **CHANGED, **INTENDS, **INTENDED, **ASKED_TO, **GONE, **DONE}
# Units, and what is only counted within one match or one text.
_NOT_COUNTED = frozenset(
    """
    years months weeks days hours minutes seconds dollars dlrs pct points pounds euros cents times miles km metres
    tonnes yen francs marks stg percent sets pence ones changes conversions goals tries players wins choices things
    ways steps games others
    """.split()  # noqa: SIM905  # reads better as prose than as a list
)
_NOBODY = frozenset(("everyone", "everybody", "everything", "nobody", "nothing", "someone", "something", "anything"))
# "X said it will ..." says of X that it will.
_OF_ITSELF = re.compile(
    r"(?:said|says|announced|confirmed)(?: (?:on )?(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day| yesterday| today)?"
    r"(?: that)? (?:it|they|he|she) (?:also |now )?"
)
# "the action", "his plans", "economic policy now": which, only the article tells.
_VAGUE = re.compile(
    r"^the [a-z-]+$|\b(?:now|also|still|already|then)$|\b(?:numerous|various|several)\b"
    r"|^(?:the |its )?(?:\w+ly|all|no|most|more|less|only|even|if|not|earlier|later|his|her|their|many|some|several|any"
    r"|one|both|each|every|that|so)\b"
)
_FIGURE = re.compile(
    r"\b(?:shares|sales|profits?|earnings|revenues?|exports|imports|production|output|prices?|economy|population)\b"
)
_POINTS = re.compile(r"\bthe [a-z]")
_TELLING = re.compile(r"[A-Z\d]")


@dataclass(frozen=True, slots=True)
class Asking:
    """A question, and what it is worth, in [0, 1]."""

    text: str
    worth: float


def asked_of(who: str, predicate: str, setting: str, cast: Cast) -> Iterator[Asking]:
    """Questions about `who`, of whom the sentence says the `predicate`; `setting` is a place or date that can stand
    behind a question ("at the Muscat meeting"), or empty."""
    itself = _OF_ITSELF.match(predicate)
    said = predicate[itself.end() :] if itself else predicate
    for worth, pattern, template in RULES:
        match = pattern.match(said)
        fields = _fields(match, cast) if match else None
        if fields is None or any(fields.get(name) and fields[name] in who for name in ("whom", "about")):
            continue
        if "{figure}" in template and not _FIGURE.search(who):
            continue
        kept = setting if "{setting}" in template else ""
        text = template.format_map(fields | {"who": who, "figure": who, "setting": f" {kept}" if kept else ""})
        yield Asking(f"{text.rstrip(' ?')}?", min(1.0, worth + _SET * bool(kept)))


def _fields(match: re.Match[str], cast: Cast) -> dict[str, str] | None:
    """What a template is filled with; None if some of it would not be understood without the article."""
    fields = {name: value or "" for name, value in match.groupdict().items()}
    for named in ("whom", "about"):
        if named in fields:
            fields[named] = cast.called(fields[named], opens=False)
            if not fields[named]:
                return None
    told = fields.get("object") or fields.get("topic") or fields.get("rest", "").partition(" ")[2]
    if _VAGUE.search(told) or (_POINTS.search(told) and not _TELLING.search(told)):
        return None
    opening = fields.get("topic", "").removeprefix("the ").split(" ")[0]
    if is_stop_word(opening) or opening in _NOBODY:
        return None
    if any(word in _NOT_COUNTED or is_stop_word(word) for word in fields.get("noun", "").split(" ")):
        return None
    verb = fields.get("verb", "")
    return fields | {
        "base": _BASES.get(verb, verb),
        "past": PARTICIPLES.get(verb, verb),
        "does": "does" if verb.endswith("s") else "do",
    }
