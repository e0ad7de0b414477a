"""The period that a question asks about, as a record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

__all__ = ["ANY_TIME", "Period"]

Strength = Literal["demand", "prefer"]


@dataclass(frozen=True, slots=True)
class Period:
    """When what is asked about took place; both days are inclusive, None leaves that side open.

    A "demand" fixes the time of what is asked ("last week", "since March"); "prefer" only suggests it
    ("latest", "now"). `newest_first` asks for the newest of what is relevant.
    """

    since: date | None = None
    until: date | None = None
    phrase: str = ""  # as it stands in the question
    strength: Strength = "prefer"
    newest_first: bool = False
    told_since: date | None = None  # what a text must name lies within these; "before 1932" may name 1932 itself
    told_until: date | None = None
    reported_until: date | None = None  # what happened up to `until` is still reported then
    yearless: bool = False  # the year was not named but completed from the clock
    relative: bool = False  # understood only from the clock: these words in an article mean another day
    today: date = date.min  # the clock against which it was understood
    rest: str = ""  # the question without the words that set the time

    @property
    def demanded(self) -> bool:
        return self.strength == "demand"

    def __bool__(self) -> bool:
        return self.demanded or self.newest_first


ANY_TIME = Period()
