"""Records in a column of the database: JSON as it is written, and read back when it is years old."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from rag.records import Answer, Feedback, Filters

__all__ = ["ANSWER", "FEEDBACK", "FILTERS", "hashed", "now", "packed", "storable"]

# A field that came later takes its default, one that is no more is passed over.
ANSWER = TypeAdapter(Answer)
FEEDBACK = TypeAdapter(Feedback)
FILTERS = TypeAdapter(Filters)


def packed(record: Any) -> str:
    """A record as JSON; its dates are ISO 8601."""
    return storable(json.dumps(dataclasses.asdict(record), ensure_ascii=False, default=str))


def storable(text: str) -> str:
    """The text with a question mark for every lone surrogate, which has no UTF-8 form."""
    return text.encode("utf-8", "replace").decode("utf-8")


def hashed(owner: str) -> str:
    """What is stored of the secret that makes somebody the owner: a backup must not hand out sessions."""
    return hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()


def now() -> str:
    """The time in UTC, to the microsecond, so that it sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
