"""JSON objects out of a writer's stream, each as soon as its last brace has come.

A writer is asked for a form and often sends another: claims on lines of their own or spread over many,
all of them in one object or array, in Markdown fences, behind prose or thoughts. What counts is each
object that is complete; what stands between them is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from rag.errors import LanguageModelError

__all__ = ["MAX_OBJECT_CHARS", "records"]

MAX_OBJECT_CHARS = 20_000
_MAX_DEPTH = 16  # objects within each other; an answer has three

_JSON = json.JSONDecoder(parse_float=str)  # "at": 2.10 is a sentence number, not two and a tenth
_TELLING = frozenset(("quotes", "done", "no_evidence", "end"))
_THOUGHT = re.compile(r"<(/?)(?:think|thinking|reasoning)>", re.IGNORECASE)
_LONGEST_TAG = len("</reasoning>")


def records(deltas: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The objects of an answer that say something: a claim with its quotes, or how the answer ends.

    An object or an array around claims that closes is an end too, though it may not say so: if no other
    object comes after it, the last record is `{"done": True}`. Takes time in proportion to the stream, and
    the memory of one object.

    Raises LanguageModelError("bad_output") when an object of more than MAX_OBJECT_CHARS characters does not end.
    """
    prose, objects = _Prose(), _Objects()
    for character in chain.from_iterable(deltas):
        if objects.inside:
            record = objects.read(character)
            if record is not None:
                yield record
            if not objects.inside:
                prose.ended(character, held=objects.held)
        elif prose.opens(character):
            objects.open()
    if prose.closed and not objects.inside:
        yield {"done": True}


class _Prose:
    """What stands between objects. `closed` says that what held the claims has ended, and no object since."""

    def __init__(self) -> None:
        self.closed = False
        self._before = ""  # the last character that is no white space
        self._array = False
        self._thinking = False
        self._tag = ""

    def opens(self, character: str) -> bool:
        """Whether an object begins with this character."""
        self._think(character)
        if self._thinking or character.isspace():
            return False
        if character == "{":
            self._array = self._array or self._before == "["
        elif character == "]" and self._array and self._before == "}":
            self._array, self.closed = False, True
        self._before = character
        return character == "{"

    def ended(self, last: str, *, held: bool) -> None:
        """An object came to its brace, or its line broke off, or was no more than a brace in prose.

        `last` is the character that showed it; `held` says that there was a record within the object.
        """
        if last == "}":
            self._before, self.closed = last, held
        elif last == "\n":
            self.closed = False

    def _think(self, character: str) -> None:
        """A model that thinks aloud may hold drafts in the form of the answer: they are left out."""
        self._tag = "<" if character == "<" else (self._tag + character)[:_LONGEST_TAG] if self._tag else ""
        if character == ">" and (thought := _THOUGHT.fullmatch(self._tag)):
            self._thinking = not thought[1]


@dataclass(slots=True)
class _Open:
    start: int
    held: bool = False  # whether a record stood within it


class _Objects:
    """The object that is being read, with those within it, of which each may be a record."""

    def __init__(self) -> None:
        self.held = False  # by the outermost object, once it has ended
        self._text: list[str] = []  # by the character
        self._open: list[_Open] = []
        self._quoted = self._escaped = self._opening = False

    @property
    def inside(self) -> bool:
        return bool(self._open)

    def open(self) -> None:
        if len(self._open) == _MAX_DEPTH:
            start = self._open[1].start
            del self._text[:start], self._open[0]
            for inner in self._open:
                inner.start -= start
        self._open.append(_Open(len(self._text)))
        self._text.append("{")
        self._opening = True

    def read(self, character: str) -> dict[str, Any] | None:
        """The record that this character completes, or None."""
        if len(self._text) == MAX_OBJECT_CHARS:
            raise LanguageModelError("bad_output", "the language model wrote an object without an end")
        if self._quoted:
            self._text.append(character)
            self._read_quoted(character)
            return None
        if self._opening and not character.isspace():
            self._opening = False
            if character not in '"}':  # a brace in prose
                del self._text[self._open.pop().start :]
        if character == "{":
            self.open()
        elif self._open:
            self._text.append(character)
            self._quoted = character == '"'
            return self._close() if character == "}" else None
        return None

    def _read_quoted(self, character: str) -> None:
        if character == "\n":  # no JSON, and all that follows would be read inside out
            self._text.clear()
            self._open.clear()
            self._quoted = self._escaped = self.held = False
        elif self._escaped:
            self._escaped = False
        elif character == "\\":
            self._escaped = True
        elif character == '"':
            self._quoted = False

    def _close(self) -> dict[str, Any] | None:
        closed = self._open.pop()
        found = _parsed("".join(self._text[closed.start :]))
        told = found is not None and bool(_TELLING & found.keys())
        if told or found is None:  # what is around it can do without
            self._text[closed.start :] = "null"
        if self._open:
            self._open[-1].held |= told or closed.held
        else:
            self.held = closed.held
            self._text.clear()
        return found if told else None


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = _JSON.decode(text)
    except (ValueError, RecursionError):
        return None
    return found
