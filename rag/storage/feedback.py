"""What readers thought of answers, kept in the library's file without a limit of time."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace

from pydantic import ValidationError

from rag.records import Feedback
from rag.storage.columns import FEEDBACK, hashed, now, packed, storable
from rag.storage.database import Database

__all__ = ["FeedbackStore"]

logger = logging.getLogger(__name__)

_LONGEST = 4000  # characters of a comment, and of the expected words


class FeedbackStore:
    """Feedback, one of each reader on each answer. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def give(self, feedback: Feedback, owner: str) -> Feedback:
        """Keep it, in the place of what the same reader said of the same answer; as kept, with its id and time.

        A comment and expected words are cut at 4,000 characters; where none are given, earlier ones stay. `owner` is
        stored as a hash.
        """
        answer_id, owner_hash = storable(feedback.answer.id), hashed(owner)
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT id, json_extract(record, '$.comment') AS comment,"
                " json_extract(record, '$.expected') AS expected FROM feedback WHERE owner_hash = ? AND answer_id = ?",
                (owner_hash, answer_id),
            ).fetchone()
            kept = replace(
                feedback,
                id=row["id"] if row else secrets.token_hex(8),
                comment=feedback.comment[:_LONGEST] or (row["comment"] if row else ""),
                expected=feedback.expected[:_LONGEST] or (row["expected"] if row else ""),
                given=now(),
            )
            connection.execute(
                "INSERT OR REPLACE INTO feedback (id, owner_hash, answer_id, given, record) VALUES (?, ?, ?, ?, ?)",
                (kept.id, owner_hash, answer_id, kept.given, packed(kept)),
            )
        return kept

    def said(self, owner: str, answer_ids: Sequence[str]) -> dict[str, bool]:
        """Which of these answers this reader found good or not, by the answer's id."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT answer_id, json_extract(record, '$.good') AS good FROM feedback WHERE owner_hash = ?"
                f" AND answer_id IN ({','.join('?' * len(answer_ids))})",
                (hashed(owner), *map(storable, answer_ids)),
            )
            return {row["answer_id"]: bool(row["good"]) for row in rows}

    def all(self) -> list[Feedback]:
        """All feedback, oldest first. What cannot be read is left out with a warning."""
        with self._database.reading() as connection:
            rows = connection.execute(
                # As bytes, because a text that is not UTF-8 any more would fail every row that is read with it.
                "SELECT id, CAST(record AS BLOB) AS record FROM feedback ORDER BY given, rowid"
            ).fetchall()
        found = []
        for row in rows:
            try:
                found.append(FEEDBACK.validate_json(row["record"]))
            except ValidationError:
                logger.warning("the feedback %s cannot be read: it is left out", row["id"])
        return found
