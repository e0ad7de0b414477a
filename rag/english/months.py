"""The months as English writes them."""

from __future__ import annotations

__all__ = ["MONTHS", "month_number"]

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

_NUMBERS = {name[:3].lower(): number for number, name in enumerate(MONTHS, 1)}


def month_number(name: str) -> int:
    """1 to 12, by the first three letters. Raises KeyError if no month begins so."""
    return _NUMBERS[name[:3].lower()]
